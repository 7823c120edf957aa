"""ALTER ROLE ... SET and ALTER DATABASE ... SET: a new session begins with it, one that is there does not."""

import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE SCHEMA aside", "CREATE TABLE public.place AS SELECT 'public' AS name",
                "CREATE TABLE aside.place AS SELECT 'aside' AS name")


class AlteredDefaults(unittest.TestCase):
    def start(self, with_replica=True, **settings):
        servers.primary.ask("ALTER ROLE app RESET ALL; ALTER ROLE app IN DATABASE app RESET ALL;"
                            " ALTER DATABASE app RESET ALL")
        servers.wait_for_replay()
        proxy = Proxy(servers.primary.url(), servers.replica.url() if with_replica else None, **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def client(self, proxy, **changes):
        client = proxy.connect(**changes)
        self.addCleanup(client.close)
        return client

    def says(self, client, setting):
        return client.execute(f"SHOW {setting}").fetchone()[0]

    def tell_new_from_old(self, proxy):
        """One session alters, another looks on, and more come: each sees what it would see on a server."""
        alters, looks_on = self.client(proxy), self.client(proxy)
        self.assertEqual([self.says(c, "work_mem") for c in (alters, looks_on)], ["4MB", "4MB"])
        alters.execute("ALTER ROLE app SET work_mem = '7MB'")
        second = self.client(proxy)
        for _ in range(3):
            self.assertEqual([self.says(c, "work_mem") for c in (second, alters, looks_on)], ["7MB", "4MB", "4MB"])
        alters.execute("ALTER USER app IN DATABASE app SET DateStyle = 'German'")
        third = self.client(proxy)
        self.assertEqual(third.info.parameter_status("DateStyle"), "German, DMY")
        self.assertEqual(self.says(third, "work_mem"), "7MB")
        for each, style in ((third, "02.01.2020"), (alters, "2020-01-02"), (second, "2020-01-02"), (looks_on, "2020-01-02")):
            self.assertEqual(each.execute("SELECT date '2020-01-02'::text").fetchone()[0], style)
        self.assertEqual(alters.info.parameter_status("DateStyle"), "ISO, MDY")
        for each, default in ((looks_on, "4MB"), (second, "7MB")):
            each.execute("SET work_mem = '9MB'")
            self.assertEqual(self.says(each, "work_mem"), "9MB")
            each.execute("RESET work_mem")
            self.assertEqual(self.says(each, "work_mem"), default)
            each.execute("DISCARD ALL")
            self.assertEqual(self.says(each, "work_mem"), default)
        self.assertEqual(looks_on.info.parameter_status("DateStyle"), "ISO, MDY")
        alters.execute("ALTER ROLE app RESET ALL; ALTER ROLE app IN DATABASE app RESET ALL")
        fourth = self.client(proxy)
        self.assertEqual([self.says(c, "work_mem") for c in (fourth, third, second, looks_on)], ["4MB", "7MB", "7MB", "4MB"])
        self.assertEqual(self.says(third, "DateStyle"), "German, DMY")

    def test_on_one_connection(self):
        self.tell_new_from_old(self.start(pool_size=1, with_replica=False))

    def test_on_several_connections_and_a_replica(self):
        proxy = self.start(pool_size=3, backend_rotation="always")
        proxy.fill_pools(3)
        self.tell_new_from_old(proxy)

    def test_in_session_mode(self):
        self.tell_new_from_old(self.start(pool_mode="session", pool_size=10))

    def test_reads_on_a_replica_follow(self):
        proxy = self.start(pool_size=2, backend_rotation="always")
        proxy.fill_pools(2)
        old = self.client(proxy)
        old.execute("ALTER DATABASE app SET search_path = 'aside'")
        new = self.client(proxy)
        reads = proxy.metric("pgsteer_units_total", target="replica")

        def read_there():
            found = [c.execute("SELECT name FROM place").fetchone()[0] for c in (old, new)]
            self.assertEqual(found, ["public", "aside"])
            return proxy.metric("pgsteer_units_total", target="replica") > reads + 1
        wait_until(read_there, message="both read on the replica")

    def test_what_is_pinned_stays_and_what_is_rolled_back_changes_nothing(self):
        proxy = self.start(pool_size=3)
        pinned, alters = self.client(proxy), self.client(proxy)
        pinned.execute("CREATE TEMP TABLE kept AS SELECT 1 AS a")
        alters.execute("BEGIN")
        alters.execute("ALTER ROLE app SET work_mem = '5MB'")
        alters.execute("ROLLBACK")
        self.assertEqual(self.says(self.client(proxy), "work_mem"), "4MB")
        alters.execute("BEGIN")
        alters.execute("DO $$BEGIN EXECUTE 'ALTER ROLE app SET work_mem = ''6MB'''; END$$")
        alters.execute("COMMIT")
        self.assertEqual(self.says(self.client(proxy), "work_mem"), "6MB")
        self.assertEqual((self.says(pinned, "work_mem"), self.says(alters, "work_mem")), ("4MB", "4MB"))
        self.assertEqual(pinned.execute("SELECT a FROM kept").fetchone(), (1,))

    def test_another_role_changes_nothing_here(self):
        proxy = self.start(pool_size=1, with_replica=False)
        client = self.client(proxy)
        pid = client.execute("SELECT pg_backend_pid()").fetchone()
        with self.assertRaisesRegex(Exception, "permission denied|must be"):
            client.execute("ALTER ROLE other SET work_mem = '5MB'")
        self.assertEqual(client.execute("SELECT pg_backend_pid()").fetchone(), pid)


if __name__ == "__main__":
    unittest.main()
