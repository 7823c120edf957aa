"""transactions: split. A block reads on a replica until something comes that only the primary can do."""

import itertools
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int, who text)", "INSERT INTO thing VALUES (1, 'one'), (2, 'two')",
                "CREATE SEQUENCE numbers", "CREATE SCHEMA aside", "CREATE TABLE aside.thing (id int)",
                "CREATE FUNCTION draws() RETURNS bigint STABLE LANGUAGE plpgsql AS"
                " $$ DECLARE n bigint; BEGIN EXECUTE rtrim('SELECT nextval(''numbers'')') INTO n; RETURN n; END $$")
    servers.wait_for_replay()
    proxy = Proxy(servers.primary.url(), servers.replica.url(), transactions="split", pool_size=3,
                  backend_rotation="always", reconnect_delay="100ms")
    unittest.addModuleCleanup(proxy.stop)
    wait_until(lambda: proxy.health()[0] == 200 and "Catalog read" in proxy.log() or not proxy.ask("SELECT 1"),
               message="the catalog is known")


class Split(unittest.TestCase):
    marks = itertools.count()

    def setUp(self):
        self.client = raw.logged_in(proxy.port)
        self.addCleanup(self.client.close)

    def run_one(self, sql):
        answer = self.client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer

    def where(self, sql):
        mark = f"/* split {next(self.marks)} end */"
        self.run_one(f"{sql} {mark}")
        return sorted(servers.ran(mark))

    def begin_on_replica(self, begin="BEGIN", end="COMMIT"):
        """A block whose first read ran on the replica: after writes of others, that may take a while."""
        def tries():
            self.run_one(begin)
            if self.where("SELECT who FROM thing") == ["replica1"]:
                return True
            self.run_one(end)
            return False
        wait_until(tries, message="the block reads on the replica")

    def test_a_block_that_only_reads_stays_on_the_replica(self):
        for begin in ("BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL READ COMMITTED"):
            self.begin_on_replica(begin)
            self.assertEqual(self.where("SELECT count(*) FROM thing"), ["replica1"])
            self.assertEqual(self.run_one("COMMIT").status, "I")

    def test_the_first_write_moves_it(self):
        self.begin_on_replica()
        self.assertEqual(self.where("INSERT INTO thing VALUES (3, 'three')"), ["primary"])
        self.assertEqual(self.where("SELECT who FROM thing WHERE id = 3"), ["primary"])
        self.assertEqual(self.run_one("SELECT who FROM thing WHERE id = 3").values, ["three"])
        self.run_one("ROLLBACK")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM thing WHERE id = 3"), 0)

    def test_it_comes_back_after_a_write(self):
        self.run_one("INSERT INTO thing VALUES (10, 'ten')")
        self.begin_on_replica()
        self.assertEqual(self.run_one("SELECT who FROM thing WHERE id = 10").values, ["ten"])
        self.run_one("ROLLBACK")

    def test_it_comes_back_though_its_blocks_end_with_rollback(self):
        self.run_one("INSERT INTO thing VALUES (11, 'eleven')")
        self.begin_on_replica(end="ROLLBACK")
        self.assertEqual(self.run_one("SELECT who FROM thing WHERE id = 11").values, ["eleven"])
        self.run_one("ROLLBACK")

    def test_what_was_set_moves_along(self):
        self.begin_on_replica()
        self.assertEqual(self.where("SET LOCAL work_mem = '3MB'"), ["replica1"])
        self.run_one("SET LOCAL app.tenant TO 'it''s 7'")
        self.run_one("SELECT 1 FROM thing")
        self.assertEqual(self.where("UPDATE thing SET who = who"), ["primary"])
        self.assertEqual(self.run_one("SHOW work_mem").values, ["3MB"])
        self.assertEqual(self.run_one("SELECT current_setting('app.tenant')").values, ["it's 7"])
        self.run_one("COMMIT")
        self.assertNotEqual(self.run_one("SHOW work_mem").values, ["3MB"])

    def test_what_cannot_move_moves_before_it_begins(self):
        for sql in ("SAVEPOINT s", "DECLARE c CURSOR FOR SELECT who FROM thing", "SELECT who FROM thing FOR UPDATE",
                    "SET work_mem = '5MB'", "SET LOCAL search_path = aside, public", "LOCK TABLE thing", "SELECT nextval('numbers')",
                    "SHOW transaction_read_only", "SELECT 1; SELECT 2; SAVEPOINT s", "COMMIT AND CHAIN"):
            with self.subTest(sql):
                self.begin_on_replica()
                self.assertEqual(self.where(sql), ["primary"])
                self.run_one("INSERT INTO thing SELECT 4 WHERE false")
                self.run_one("ROLLBACK")

    def test_a_portal_that_is_kept_is_the_primarys(self):
        self.begin_on_replica()
        self.client.send(raw.parse("SELECT g FROM generate_series(1, 5) g, thing WHERE who = 'one'", ""), raw.bind([], "", "kept"),
                         raw.execute("kept", 2), raw.SYNC)
        self.assertEqual(self.client.answer().values, ["1", "2"])
        self.assertEqual(self.where("INSERT INTO thing SELECT 4 WHERE false"), ["primary"])
        self.client.send(raw.execute("kept"), raw.SYNC)
        self.assertEqual(self.client.answer().values, ["3", "4", "5"])
        self.run_one("ROLLBACK")

    def test_other_isolation_is_the_primarys(self):
        for begin in ("BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ WRITE", "BEGIN ISOLATION LEVEL SERIALIZABLE"):
            self.run_one(begin)
            self.assertEqual(self.where("SELECT who FROM thing"), ["primary"])
            self.run_one("COMMIT")
        self.run_one("BEGIN")
        self.run_one("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.assertEqual(self.where("SELECT who FROM thing"), ["primary"])
        self.run_one("COMMIT")
        self.begin_on_replica()
        self.assertEqual(self.client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").sqlstates, ["25001"])
        self.run_one("ROLLBACK")

    def test_what_a_replica_refuses_runs_on_the_primary_unseen(self):
        before = servers.primary.value("SELECT nextval('numbers')")
        self.begin_on_replica()
        self.assertEqual(int(self.run_one("SELECT draws() FROM thing WHERE id = 1").values[0]), before + 1)
        self.assertEqual(self.where("SELECT who FROM thing"), ["primary"])
        self.assertEqual(self.run_one("COMMIT").status, "I")

    def test_an_error_is_the_primarys_and_fails_the_block(self):
        self.begin_on_replica()
        answer = self.client.query("SELECT 1 / (id - 1) FROM thing")
        self.assertEqual((answer.sqlstates, answer.status), (["22012"], "E"))
        self.assertEqual(self.client.query("SELECT 1").sqlstates, ["25P02"])
        self.assertEqual(self.run_one("ROLLBACK").status, "I")
        self.run_one("SELECT who FROM thing")

    def test_a_replica_that_dies_takes_no_block_with_it(self):
        self.begin_on_replica()
        self.run_one("SET LOCAL work_mem = '3MB'")
        servers.replica.kill()
        try:
            self.assertEqual(self.where("SELECT who FROM thing"), ["primary"])
            self.assertEqual(self.run_one("SHOW work_mem").values, ["3MB"])
            self.assertEqual(self.run_one("INSERT INTO thing SELECT 4 WHERE false").status, "T")
            self.run_one("COMMIT")
        finally:
            servers.replica.start()
            servers.replica.wait_ready()
        wait_until(lambda: proxy.health()[0] == 200, message="it is back")

    def test_a_session_may_choose(self):
        with proxy.connect(autocommit=False, options="-c pgsteer.transactions=primary") as client:
            client.execute("SELECT who FROM thing /* chosen at login */")
            client.commit()
        self.assertEqual(sorted(servers.ran("chosen at login")), ["primary"])
        self.assertEqual(self.run_one("SHOW pgsteer.transactions").values, ["split"])
        self.run_one("SET pgsteer.transactions = 'primary'")
        self.run_one("BEGIN")
        self.assertEqual(self.where("SELECT who FROM thing"), ["primary"])
        self.run_one("COMMIT")
        self.assertEqual(self.client.query("SET pgsteer.transactions = 'sometimes'").sqlstates, ["22023"])

    def test_with_prepared_statements_of_a_driver(self):
        with proxy.connect(autocommit=False, prepare_threshold=0) as client:
            def reads():
                client.execute("SELECT who FROM thing WHERE id = %s /* by a driver */", (1,)).fetchall()
                client.commit()
                return "replica1" in servers.ran("by a driver")
            wait_until(reads, message="its block reads on the replica")
            for _ in range(3):
                self.assertEqual(client.execute("SELECT who FROM thing WHERE id = %s", (1,)).fetchone(), ("one",))
                client.execute("INSERT INTO thing VALUES (%s, %s)", (20, "twenty"))
                self.assertEqual(client.execute("SELECT who FROM thing WHERE id = %s", (20,)).fetchone(), ("twenty",))
                client.rollback()
                self.assertEqual(client.execute("SELECT who FROM thing WHERE id = %s", (20,)).fetchone(), None)
                client.commit()


if __name__ == "__main__":
    unittest.main()
