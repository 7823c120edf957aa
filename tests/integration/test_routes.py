"""Routes are explained: EXPLAIN ROUTE, SHOW ROUTES, SHOW HELD and /routes; what a replica cannot do is learned."""

import json
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)",
                "CREATE FUNCTION due() RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE rtrim(''SELECT 1''); RETURN 1; END'")


class Routes(unittest.TestCase):
    def setUp(self):
        self.proxy = Proxy(servers.primary.url(), servers.replica.url(), consistency="eventual")
        self.addCleanup(self.proxy.stop)
        wait_until(lambda: self.proxy.health()[0] == 200, message="both servers are up")
        wait_until(lambda: self.explain("SELECT due()")[1].startswith("calls public.due()"), message="the catalog is read")

    def explain(self, sql, **options):
        with self.proxy.connect(**options) as client:
            return client.execute(f"EXPLAIN ROUTE {sql}").fetchone()

    def listed(self):
        return json.loads(self.proxy.get("/routes")[1])

    def test_explain_route(self):
        self.assertEqual(self.explain("SELECT * FROM thing"), ("replica", "read", "read"))
        target, reason, kind = self.explain("DELETE FROM thing")
        self.assertEqual((target, kind), ("primary", "write"))
        self.assertIn("DELETE", reason)
        self.assertEqual(self.explain("SELECT 1", options="-c pgsteer.route=primary")[0], "primary")
        with raw.logged_in(self.proxy.port) as client:
            self.assertEqual(client.query("BEGIN").errors, [])
            answer = client.query("explain  route SELECT 1")
            self.assertEqual((answer.values, answer.status), (["primary"], "T"))
            answer = client.ask(raw.parse("EXPLAIN ROUTE SELECT 1"), raw.bind(), raw.describe("P"), raw.execute(), raw.SYNC)
            self.assertEqual((answer.types, answer.values), ("12TDCZ", ["primary"]))
            self.assertEqual(client.query("EXPLAIN ROUTES SELECT 1").sqlstates, ["42601"])
        self.assertEqual(servers.ran("EXPLAIN ROUTE "), {})

    def test_what_ran_is_listed_without_literals(self):
        with self.proxy.connect() as client:
            for n in range(5):
                client.execute(f"SELECT count(*) FROM thing WHERE id <> {n} AND 'secret' <> ''")
                client.execute("SELECT due()")
                client.execute(f"INSERT INTO thing VALUES ({n})")
        def found():
            return {(s["statement"], s["target"]): s for s in self.listed()["statements"]}
        read = ("SELECT count(*) FROM thing WHERE id <> ? AND ? <> ?", "replica")
        insert = ("INSERT INTO thing VALUES (?)", "primary")
        # Counted when the unit is over, which is after its answer.
        wait_until(lambda: read in found() and found()[insert]["count"] == 5, message="all are counted")
        lines = found()
        self.assertEqual((lines[read]["count"], lines[read]["reason"]), (5, "read"))
        self.assertIn("public.due()", lines[("SELECT due()", "primary")]["reason"])
        held = self.listed()["held_back"]
        self.assertTrue(held[0]["reason"].startswith("calls public.due()"), held)
        self.assertEqual(held[0]["share"], 1)
        self.assertNotIn("secret", self.proxy.get("/routes")[1])
        with self.proxy.connect(dbname="pgsteer") as console:
            shown = [row[:3] for row in console.execute("SHOW ROUTES").fetchall()]
            self.assertIn((*read, "read"), shown)
            self.assertTrue(console.execute("SHOW HELD").fetchone()[0].startswith("calls public.due()"))

    def test_what_a_replica_refuses_goes_to_the_primary_the_next_time(self):
        servers.run("CREATE SEQUENCE numbers", "CREATE FUNCTION liar() RETURNS int LANGUAGE plpgsql STABLE AS "
                    "'BEGIN EXECUTE reverse(''lavtxen TCELES'') || ''(''''numbers'''')''; RETURN 1; END'")
        with self.proxy.connect() as client:
            client.execute("COMMENT ON FUNCTION due() IS 'DDL makes the proxy read the catalog anew'")
            wait_until(lambda: self.explain("SELECT liar()")[0] == "replica", message="the catalog has it as a read")
            for _ in range(4):
                self.assertEqual(client.execute("SELECT liar() /* learned */").fetchone(), (1,))
        self.assertEqual(servers.ran("/* learned */"), {"primary": 4, "replica1": 1})
        self.assertEqual(self.proxy.metric("pgsteer_statements_learned_total"), 1)
        self.assertEqual(self.explain("SELECT liar() /* learned */")[:2], ("primary", "a replica has refused it before"))


if __name__ == "__main__":
    unittest.main()
