"""SIGHUP: replicas come and go without a client noticing; a broken file changes nothing and says why."""

import unittest

from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=2)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)")


class Reload(unittest.TestCase):
    def start(self, **settings):
        settings.setdefault("consistency", "eventual")  # where reads go is asked here, not how fresh they are
        proxy = Proxy(database_url=servers.primary.url(), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def reads_on(self, name):
        return servers.ran("/* reload */").get(name, 0)

    def wait_reads_on(self, name):
        before = self.reads_on(name)
        wait_until(lambda: self.reads_on(name) > before, message=f"reads on {name}")

    def load(self, proxy):
        return Load(proxy.connect2, lambda c: c.cursor().execute("SELECT id FROM thing /* reload */"), clients=4)

    def test_replicas_are_added_and_removed_under_load(self):
        proxy = self.start()
        first, second = servers.replicas
        bystander = proxy.connect(autocommit=False)
        self.addCleanup(bystander.close)
        bystander.execute("INSERT INTO thing VALUES (2)")
        with self.load(proxy) as load:
            load.wait_progress()
            self.assertIsNone(proxy.health()[1]["db_replica"])
            proxy.reload(database_replica_url=first.url())
            self.wait_reads_on("replica1")
            wait_until(lambda: proxy.health()[1]["db_replica"] == "connected", message="the new replica is reported")
            proxy.reload(database_replica_url=servers.replica_url())
            self.wait_reads_on("replica2")
            proxy.reload(database_replica_url=second.url())
            wait_until(lambda: not first.backends(), message="no connection is left on the removed replica")
            before = self.reads_on("replica1")
            load.wait_progress(100)
            self.assertEqual(self.reads_on("replica1"), before)
            proxy.reload(database_replica_url=None)
            self.wait_reads_on("primary")
            wait_until(lambda: proxy.health()[1]["db_replica"] is None, message="no replica is reported")
        self.assertEqual(load.errors, [])
        bystander.execute("INSERT INTO thing VALUES (3)")
        bystander.rollback()

    def test_a_removed_replica_finishes_what_it_runs(self):
        proxy = self.start(database_replica_url=servers.replica.url())
        wait_until(lambda: proxy.health()[0] == 200)
        with proxy.connect(autocommit=False) as client:
            client.read_only = True
            client.execute("SELECT 1 /* held */")
            self.assertEqual(servers.ran("/* held */"), {"replica1": 1})
            proxy.reload(database_replica_url=None)
            client.execute("SELECT 2 /* held */")
            client.commit()
            self.assertEqual(servers.ran("/* held */"), {"replica1": 2})
            client.execute("SELECT 3 /* after */")
            client.commit()
        self.assertEqual(servers.ran("/* after */"), {"primary": 1})

    def test_a_broken_file_changes_nothing_and_says_why(self):
        proxy = self.start(database_replica_url=servers.replica.url())
        wait_until(lambda: proxy.health()[0] == 200)
        broken = "database_url: %s\npool_sice: 5\nacquire_timeout: soon\n" % servers.primary.url()
        with self.load(proxy) as load:
            load.wait_progress()
            lines = proxy.reload(text=broken, expect="ERROR")
            said = "\n".join(lines)
            proxy.wait_log("ERROR.*pool_sice")
            proxy.wait_log("ERROR.*acquire_timeout")
            self.assertRegex(proxy.log(), r"pgsteer\.yaml:2\b")
            self.assertRegex(proxy.log(), r"pgsteer\.yaml:3\b")
            self.assertIn("pool_size", proxy.log(), said)
            load.wait_progress()
            self.wait_reads_on("replica1")
        self.assertEqual(load.errors, [])
        self.assertNotIn("s3cret", proxy.log())
        self.assertTrue(proxy.is_running())
        proxy.reload()

    def test_unreadable_yaml(self):
        proxy = self.start()
        proxy.reload(text="database_url: [unfinished\n", expect="ERROR")
        self.assertEqual(proxy.ask("SELECT id FROM thing WHERE id = 1"), [(1,)])

    def test_a_smaller_pool_takes_force(self):
        proxy = self.start(pool_size=5)
        with Load(proxy.connect2, lambda c: c.cursor().execute("DELETE FROM thing WHERE id = 0"), clients=10) as load:
            load.wait_progress()
            proxy.reload(pool_size=2)
            wait_until(lambda: len(servers.primary.backends()) <= 4, message="two backends, the monitor's and the catalog's")
            load.wait_progress()
        self.assertEqual(load.errors, [])

    def test_log_level(self):
        proxy = self.start()
        proxy.reload(log_format="json")
        proxy.reload(expect=r'^\{.*"level": ?"INFO".*[Cc]onfiguration reloaded')


if __name__ == "__main__":
    unittest.main()
