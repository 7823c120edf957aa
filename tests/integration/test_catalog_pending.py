"""Until the catalog has been read, nobody knows what a name stands for: such reads stay on the primary."""

import itertools
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "CREATE VIEW activity AS SELECT pid FROM pg_stat_activity",
                "CREATE DOMAIN small AS int CHECK (VALUE < 10)")


class CatalogPending(unittest.TestCase):
    marks = itertools.count()

    def setUp(self):
        # The loader's query of policies waits for this lock, and nothing else does.
        self.holder = servers.primary.connect()
        self.addCleanup(self.holder.close)
        self.holder.autocommit = False
        self.holder.cursor().execute("LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE")
        self.proxy = Proxy(servers.primary.url(), servers.replica.url(), transactions="split", consistency="eventual")
        self.addCleanup(self.proxy.stop)
        wait_until(lambda: self.proxy.health()[0] == 200, message="both are connected")
        self.client = raw.logged_in(self.proxy.port)
        self.addCleanup(self.client.close)

    def where(self, sql):
        mark = f"/* pending {next(self.marks)} end */"
        answer = self.client.query(f"{sql} {mark}")
        self.assertEqual(answer.errors, [], sql)
        return sorted(servers.ran(mark))

    def test_what_needs_it_waits_for_it_on_the_primary(self):
        for sql in ("SELECT count(*) FROM activity", "SELECT count(*) FROM thing", "SELECT 5::small"):
            self.assertEqual(self.where(sql), ["primary"], sql)
        for sql in ("SELECT 1 + 2", "SELECT lower('A')::text", "SELECT count(*) FROM pg_class"):
            self.assertEqual(self.where(sql), ["replica1"], sql)
        self.assertEqual(self.proxy.ask("EXPLAIN ROUTE SELECT count(*) FROM thing")[0][:2], ("primary", "the catalog is being read"))
        self.client.query("BEGIN")
        self.assertEqual(self.where("SELECT count(*) FROM activity"), ["primary"])
        self.client.query("COMMIT")
        self.holder.rollback()
        wait_until(lambda: self.where("SELECT count(*) FROM thing") == ["replica1"], message="the catalog is read")
        self.assertEqual(self.where("SELECT count(*) FROM activity"), ["primary"])


if __name__ == "__main__":
    unittest.main()
