"""Statements made by SQL's PREPARE follow their session to whichever backend serves it, and pin it to none."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.load import in_threads
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int PRIMARY KEY, name text)",
                "INSERT INTO thing SELECT g, 'n' || g FROM generate_series(1, 100) g")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always",
                  acquire_timeout="10s")
    unittest.addModuleCleanup(proxy.stop)


class Client(unittest.TestCase):
    def setUp(self):
        proxy.fill_pools(3)
        self.one, self.other = (raw.logged_in(proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def run_one(self, *statements):
        for sql in statements:
            answer = self.one.query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def wait_pinned(self, reason):
        wait_until(lambda: f'"{reason}"' in proxy.get("/clients")[1], message=f"pinned by {reason}")

    def assert_free(self, sql="SELECT pg_backend_pid(), txid_current()"):
        pids = {self.run_one(sql).values[0] for _ in range(9)}
        self.assertGreater(len(pids), 1, proxy.get("/clients")[1])


class Carried(Client):
    def test_it_pins_nobody_and_is_everywhere(self):
        self.run_one("PREPARE plan (int) AS SELECT pg_backend_pid(), $1 * 2, txid_current()")
        pids = set()
        for n in range(9):
            row = self.run_one(f"EXECUTE plan ({n})").rows[0]
            self.assertEqual(row[1], str(2 * n).encode())
            pids.add(row[0])
            self.assertEqual(self.other.query("EXECUTE plan (1)").sqlstates, ["26000"])
        self.assertGreater(len(pids), 1)
        self.run_one("DEALLOCATE plan")
        for _ in range(4):
            self.assertEqual(self.one.query("EXECUTE plan (1)").sqlstates, ["26000"])

    def test_execute_asks_the_server_nothing_more(self):
        # A question behind an answer is counted no later than the next unit is served.
        self.run_one("PREPARE asks (int) AS UPDATE thing SET name = name WHERE id = $1", "SELECT 1")
        before = proxy.metric("pgsteer_state_probes_total")
        for n in range(6):
            self.run_one(f"EXECUTE asks ({n})", "BEGIN", f"EXECUTE asks ({n})", "COMMIT")
        self.assertEqual(proxy.metric("pgsteer_state_probes_total"), before)

    def test_a_proven_read_runs_on_the_replica(self):
        self.run_one("PREPARE reads (int) AS SELECT name FROM thing WHERE id = $1",
                     "PREPARE writes (int) AS UPDATE thing SET name = name WHERE id = $1 RETURNING name")
        wait_until(self.reads_on_replica, message="EXECUTE of a read reaches the replica")
        before = proxy.metric("pgsteer_units_total", target="replica")
        self.assertEqual(self.run_one("EXECUTE writes (7)").values, ["n7"])
        self.assertEqual(proxy.metric("pgsteer_units_total", target="replica"), before)

    def reads_on_replica(self):
        before = proxy.metric("pgsteer_units_total", target="replica")
        self.assertEqual(self.run_one("EXECUTE reads (5)").values, ["n5"])
        self.assertEqual(self.one.ask(raw.bind([6], "reads"), raw.execute(), raw.SYNC).values, ["n6"])
        return proxy.metric("pgsteer_units_total", target="replica") == before + 2

    def test_blocks_of_every_kind(self):
        self.run_one("PREPARE reads (int) AS SELECT name FROM thing WHERE id = $1",
                     "PREPARE writes (int) AS UPDATE thing SET name = name WHERE id = $1 RETURNING name")
        for _ in range(4):
            self.run_one("BEGIN READ ONLY")
            self.assertEqual(self.run_one("EXECUTE reads (3)").values, ["n3"])
            self.assertEqual(self.one.query("EXECUTE writes (3)").sqlstates, ["25006"])
            self.run_one("ROLLBACK", "BEGIN")
            self.assertEqual(self.run_one("EXECUTE writes (4)").values, ["n4"])
            self.run_one("SAVEPOINT s", "PREPARE more AS SELECT 'more'", "ROLLBACK TO s")
            self.assertEqual(self.run_one("EXECUTE more").values, ["more"])
            self.run_one("ROLLBACK")
            self.assertEqual(self.run_one("EXECUTE more").values, ["more"])
            self.run_one("DEALLOCATE more")
        self.assert_free()

    def test_split_transactions(self):
        split = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always",
                      transactions="split")
        self.addCleanup(split.stop)
        with raw.logged_in(split.port) as client:
            for sql in ("PREPARE reads (int) AS SELECT name FROM thing WHERE id = $1",
                        "PREPARE writes (int) AS UPDATE thing SET name = name WHERE id = $1 RETURNING name"):
                self.assertEqual(client.query(sql).errors, [])
            for _ in range(6):
                answers = [client.query(sql) for sql in ("BEGIN", "EXECUTE reads (3)", "EXECUTE reads (4)",
                                                         "EXECUTE writes (5)", "EXECUTE reads (6)", "COMMIT")]
                self.assertEqual([a.errors for a in answers], [[]] * 6)
                self.assertEqual([a.values for a in answers[1:5]], [["n3"], ["n4"], ["n5"], ["n6"]])

    def test_many_clients_few_backends(self):
        def client_of(number):
            def work():
                with proxy.connect() as client:
                    client.execute(f"PREPARE mine (int) AS SELECT $1 + {number}")
                    client.execute("PREPARE ours (int) AS SELECT name FROM thing WHERE id = $1 FOR UPDATE")
                    for n in range(30):
                        assert client.execute(f"EXECUTE mine ({n})").fetchone() == (n + number,)
                        assert client.execute(f"EXECUTE ours ({n + 1})").fetchone() == (f"n{n + 1}",)
                        with client.transaction():
                            assert client.execute(f"EXECUTE mine ({n})").fetchone() == (n + number,)
                    client.execute("DEALLOCATE mine")
                return True
            return work
        self.assertEqual(in_threads([client_of(n) for n in range(10)]), [True] * 10)

    def test_a_server_connection_that_dies_takes_nothing_along(self):
        self.run_one("PREPARE lives AS SELECT 'still', txid_current() > 0")
        # While a connection is asked what PREPARE has left there it is the session's own, and so is its end.
        wait_until(lambda: '"target":"' not in proxy.get("/clients")[1], message="nobody holds a connection")
        servers.primary.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
        wait_until(lambda: self.one.query("EXECUTE lives").values == ["still"], message="it is made again")

    def test_the_table_changes_under_a_statement(self):
        servers.run("DROP TABLE IF EXISTS moving", "CREATE TABLE moving (a int)", "INSERT INTO moving VALUES (1)")
        self.run_one("PREPARE moves AS SELECT * FROM moving FOR UPDATE", "EXECUTE moves")
        self.assertEqual(self.other.query("ALTER TABLE moving ADD COLUMN b int").errors, [])
        for _ in range(4):
            answer = self.one.query("EXECUTE moves")
            # As PostgreSQL itself does, or prepared again; never anything else.
            self.assertIn(answer.sqlstates, (["0A000"], []))
            if not answer.errors:
                self.assertEqual(answer.rows, [[b"1", None]])

    def test_what_cannot_be_made_any_more_fails_as_it_would_have(self):
        twins = Twins(self, servers.primary.port, proxy.port)
        servers.run("DROP TABLE IF EXISTS lost", "CREATE TABLE lost (a int)")
        twins.query("PREPARE loses AS SELECT * FROM lost FOR UPDATE")
        servers.run("DROP TABLE lost")
        for sql in ("EXECUTE loses", "BEGIN", "EXECUTE loses", "EXECUTE loses", "ROLLBACK", "EXECUTE loses"):
            twins.query(sql)
        twins.ask(raw.bind(statement="loses"), raw.execute(), raw.SYNC)
        # Nobody else is told of it.
        servers.run("CREATE OR REPLACE FUNCTION unknown_to_all() RETURNS int VOLATILE LANGUAGE plpgsql AS"
                    " 'BEGIN EXECUTE rtrim(''SELECT 1''); RETURN 7; END'")
        for sql in ("SELECT unknown_to_all()", "BEGIN", "SELECT unknown_to_all()", "COMMIT", "SELECT unknown_to_all()"):
            twins.query(sql)
        servers.run("CREATE TABLE lost (a int)")
        twins.query("EXECUTE loses")

    def test_code_that_nobody_knows_finds_them(self):
        servers.run("CREATE OR REPLACE FUNCTION runs(what text) RETURNS int VOLATILE LANGUAGE plpgsql AS"
                    " 'BEGIN EXECUTE what; RETURN 1; END'")
        self.run_one("PREPARE found AS UPDATE thing SET name = name WHERE id = 1")
        for _ in range(4):
            self.assertEqual(self.run_one("SELECT runs('EXECUTE found')").values, ["1"])
            self.run_one("BEGIN")
            self.assertEqual(self.run_one("SELECT runs('EXECUTE found')").values, ["1"])
            self.run_one("COMMIT")
            self.assertEqual(self.other.query("SELECT runs('EXECUTE found')").sqlstates, ["26000"])


class Kept(Client):
    """What cannot be made again from its text keeps its session where it is, until it is gone."""

    def test_made_among_others_in_one_string(self):
        self.run_one("PREPARE first AS SELECT 1; PREPARE second AS SELECT 2")
        self.wait_pinned("SQL PREPARE")
        for _ in range(4):
            self.assertEqual(self.run_one("EXECUTE second").values, ["2"])
        self.run_one("DEALLOCATE first", "DEALLOCATE second")
        self.assert_free()

    def test_more_than_a_session_may_carry(self):
        self.run_one("PREPARE large AS SELECT " + " || ".join(["'" + "x" * 1000 + "'"] * 25) + " AS a")
        self.assert_free()
        self.run_one("PREPARE huge AS SELECT '" + "y" * 70000 + "' AS a")
        self.wait_pinned("SQL PREPARE")
        self.assertEqual(len(self.run_one("EXECUTE huge").values[0]), 70000)
        self.run_one("DEALLOCATE huge")
        self.assert_free()

    def test_made_while_settings_changed(self):
        self.run_one("BEGIN", "SET LOCAL DateStyle = 'SQL, DMY'", "PREPARE dated AS SELECT '1.2.2003'::date", "COMMIT")
        self.wait_pinned("SQL PREPARE")
        for _ in range(4):
            self.assertEqual(self.run_one("EXECUTE dated").values, ["2003-02-01"])
        self.run_one("DISCARD ALL")
        self.assert_free()


if __name__ == "__main__":
    unittest.main()
