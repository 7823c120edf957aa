"""A replica whose configuration differs: a session that reads there begins as on the primary."""

import itertools
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

QUESTIONS = ("SELECT timestamptz '2026-02-03 04:05:06+00'", "SELECT date '2026-02-03'", "SELECT interval '1 day 2 hours'",
             "SELECT 1.0::float8 / 3", r"SELECT '\\x0102'::bytea", "SELECT v FROM named", "SELECT NULL = NULL",
             "SELECT to_tsvector('the dogs')::text", "SELECT 12.5::money", "SHOW TimeZone", "SHOW DateStyle",
             "SHOW search_path", "SHOW default_transaction_isolation")


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE named AS SELECT 'public' AS v", "CREATE SCHEMA aside", "CREATE TABLE aside.named AS SELECT 'aside' AS v")
    with servers.primary.connect() as superuser:
        superuser.cursor().execute("CREATE USER traveller PASSWORD 'x'; GRANT SELECT ON named TO traveller;"
                                   " ALTER ROLE traveller SET TimeZone = 'America/Lima'")
    servers.replica.configure(**{
        "TimeZone": "Asia/Tokyo", "DateStyle": "German", "IntervalStyle": "iso_8601", "extra_float_digits": "0",
        "bytea_output": "escape", "search_path": "aside", "transform_null_equals": "on", "default_text_search_config": "simple",
        "default_transaction_isolation": "repeatable read", "client_min_messages": "error"})
    servers.replica.restart()
    servers.wait_for_replay()


class SessionDefaults(unittest.TestCase):
    marks = itertools.count()

    def client(self, proxy, **login):
        client = raw.logged_in(proxy.port, **login)
        self.addCleanup(client.close)
        return client

    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def on_replica(self, client, sql):
        """Its frames, once it has been answered by the replica."""
        def tries():
            mark = f"/* default {next(self.marks)} end */"
            answer = client.query(f"{sql} {mark}")
            self.assertEqual(answer.errors, [], sql)
            return answer.frames if sorted(servers.ran(mark)) == ["replica1"] else None
        return wait_until(tries, message=f"{sql} runs on the replica")

    def compare(self, client, direct):
        for sql in QUESTIONS:
            self.assertEqual(self.on_replica(client, sql), direct.query(sql).frames, sql)

    def test_answers_are_the_primarys(self):
        proxy = self.start()
        client, direct = self.client(proxy), raw.logged_in(servers.primary.port)
        self.addCleanup(direct.close)
        self.compare(client, direct)
        self.assertIn("its sessions get the primary's settings", proxy.log())
        for statement in ("SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Europe/Paris'; SET search_path = aside", "RESET ALL"):
            client.query(statement)
            direct.query(statement)
            self.compare(client, direct)

    def test_a_users_own_defaults(self):
        proxy = self.start(users=[{"name": "traveller", "password": "x"}])
        client = self.client(proxy, user="traveller", password="x")
        direct = raw.logged_in(servers.primary.port, user="traveller", password="x")
        self.addCleanup(direct.close)
        self.compare(client, direct)

    def test_what_the_replicas_url_says_stays(self):
        url = servers.replica.url(options="-cwork_mem=77MB")
        proxy = Proxy(servers.primary.url(), url)
        self.addCleanup(proxy.stop)
        client = self.client(proxy)
        self.assertIn(b"UTC", dict(self.on_replica(client, "SHOW TimeZone"))["D"])
        self.assertIn(b"77MB", dict(self.on_replica(client, "/* pgsteer: replica */ SELECT current_setting('work_mem')"))["D"])


if __name__ == "__main__":
    unittest.main()
