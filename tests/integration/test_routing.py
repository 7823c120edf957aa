"""Where statements run, proved by the logs of the servers that ran them."""

import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

READS = [
    "SELECT * FROM account",
    "SELECT count(*), max(balance) FROM account WHERE owner LIKE 'a%'",
    "TABLE account",
    "VALUES (1), (2)",
    "WITH rich AS (SELECT * FROM account WHERE balance > 5) SELECT owner FROM rich",
    "SELECT a.owner FROM account a JOIN account b USING (id) ORDER BY lower(a.owner) LIMIT 1",
    "SELECT coalesce(upper(owner), 'nobody'), now() FROM account",
    "SELECT 1 UNION ALL SELECT 2",
    "EXPLAIN SELECT * FROM account",
    "EXPLAIN ANALYZE SELECT * FROM account",
    "EXPLAIN DELETE FROM account",
    "SELECT (SELECT max(id) FROM account), EXISTS (SELECT FROM account)",
]
WRITES = [
    "INSERT INTO account VALUES (default, 'x', 1)",
    "UPDATE account SET balance = 1 WHERE id = 1",
    "DELETE FROM account WHERE id = -1",
    "SELECT * FROM account FOR UPDATE",
    "SELECT * FROM account FOR KEY SHARE",
    "SELECT id FROM (SELECT id FROM account FOR UPDATE) locked",
    "WITH gone AS (DELETE FROM account WHERE id = -1 RETURNING id) SELECT * FROM gone",
    "SELECT nextval('account_id_seq')",
    "SELECT setval('account_id_seq', 1000)",
    "SELECT txid_current()",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT pg_notify('nobody', 'listens')",
    "SELECT writing_function()",
    "SELECT * FROM writing_function()",
    "SELECT pg_is_in_recovery()",
    "SELECT count(*) FROM pg_stat_activity",
    "CREATE TABLE IF NOT EXISTS fresh ()",
    "SELECT 1 AS a INTO TEMPORARY made_by_select",
    "EXPLAIN (ANALYZE) UPDATE account SET balance = 2 WHERE id = -1",
    "DO $$ BEGIN PERFORM nextval('account_id_seq'); END $$",
    "CALL doing_nothing()",
    "MERGE INTO account USING (SELECT -5 AS id) s ON account.id = s.id WHEN MATCHED THEN DELETE",
    "ANALYZE account",
    "NOTIFY nobody",
]


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(
        "CREATE TABLE account (id serial PRIMARY KEY, owner text, balance int)",
        "INSERT INTO account (owner, balance) VALUES ('ann', 10), ('bob', 20)",
        "CREATE FUNCTION writing_function() RETURNS int LANGUAGE sql AS"
        " 'UPDATE account SET balance = balance WHERE id = -1 RETURNING id'",
        "CREATE PROCEDURE doing_nothing() LANGUAGE sql AS 'SELECT 1'")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), consistency="eventual")
    unittest.addModuleCleanup(proxy.stop)


class Marked(unittest.TestCase):
    """Tests that mark each statement with a comment of its own and ask the servers for it."""

    marks = 0

    def mark(self):
        Marked.marks += 1
        return f"/* mark {Marked.marks} end */"

    def wait_reads_on_replica(self, client):
        """After a statement that may have written, reads stay on the primary until a replica has caught up."""
        def lands_on_replica():
            mark = self.mark()
            self.assertEqual(client.query(f"SELECT 1 {mark}").errors, [])
            return servers.ran(mark) == {"replica1": 1}
        wait_until(lands_on_replica, message="reads reach the replica again")

    def assert_ran(self, mark, **expected):
        self.assertEqual(servers.ran(mark), expected)


class Waiting(Marked):
    """What a unit is, is kept while it waits for a connection; the next one is judged by itself."""

    def setUp(self):
        self.small = Proxy(servers.primary.url(), servers.replica.url(), consistency="eventual", pool_size=1)
        self.addCleanup(self.small.stop)
        self.holder, self.client = raw.logged_in(self.small.port), raw.logged_in(self.small.port)
        self.addCleanup(self.holder.close)
        self.addCleanup(self.client.close)
        wait_until(self.is_read_on_replica, message="the catalog is known")

    def is_read_on_replica(self):
        mark = self.mark()
        self.client.query(f"SELECT count(*) FROM account {mark}")
        return servers.ran(mark) == {"replica1": 1}

    def send_and_wait(self, *messages):
        """Sent while the only connection to the replica is held."""
        for statement in ("BEGIN READ ONLY", "SELECT 1"):
            self.assertEqual(self.holder.query(statement).errors, [])
        self.client.send(*messages)
        wait_until(lambda: self.small.metric("pgsteer_clients_waiting") == 1, message="it waits")

    def let_go(self):
        self.assertEqual(self.holder.query("COMMIT").errors, [])

    def test_behind_a_read_that_waited(self):
        read, asked = self.mark(), self.mark()
        kinds = {"simple": (raw.query(f"SELECT owner FROM account {read}"),),
                 "extended": (raw.parse(f"SELECT owner FROM account {read}"), raw.bind(), raw.execute(), raw.SYNC)}
        for count, (kind, messages) in enumerate(kinds.items(), start=1):
            with self.subTest(kind):
                self.send_and_wait(*messages)
                self.let_go()
                self.assertEqual(self.client.answer().errors, [])
                self.assert_ran(read, replica1=count)
                self.assertEqual(self.client.query(f"SELECT last_value > 0 FROM account_id_seq {asked}").errors, [])
                self.assert_ran(asked, primary=count)

    def test_behind_a_read_that_gave_up(self):
        asked = self.mark()
        self.send_and_wait(raw.query("SELECT owner FROM account"))
        self.client.cancel(self.small.port)
        self.assertEqual(self.client.answer().sqlstates, ["57014"])
        self.let_go()
        self.assertEqual(self.client.query(f"SELECT last_value > 0 FROM account_id_seq {asked}").errors, [])
        self.assert_ran(asked, primary=1)


class Statements(Marked):
    def run_simple(self, statement):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            answer = client.query(f"{statement} {mark}")
            self.assertEqual(answer.errors, [])
        return mark

    def run_extended(self, statement):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            answer = client.ask(raw.parse(f"{statement} {mark}"), raw.bind(), raw.describe("P"), raw.execute(),
                                raw.SYNC)
            self.assertEqual(answer.errors, [])
        return mark

    def test_reads_run_on_the_replica(self):
        for statement in READS:
            with self.subTest(statement):
                self.assert_ran(self.run_simple(statement), replica1=1)
                self.assert_ran(self.run_extended(statement), replica1=1)

    def test_everything_else_runs_on_the_primary(self):
        for statement in WRITES:
            with self.subTest(statement):
                self.assert_ran(self.run_simple(statement), primary=1)
                self.assert_ran(self.run_extended(statement), primary=1)

    def test_copy_goes_as_its_query(self):
        with proxy.connect() as client:
            for statement, server in ((f"COPY (SELECT * FROM account) TO STDOUT {self.mark()}", "replica1"),
                                      (f"COPY account TO STDOUT {self.mark()}", "replica1"),
                                      (f"COPY (DELETE FROM account WHERE id = -1 RETURNING id) TO STDOUT {self.mark()}",
                                       "primary")):
                with self.subTest(statement), client.cursor() as cursor:
                    with cursor.copy(statement) as copy:
                        list(copy)
                    self.assert_ran(statement[statement.index("/*"):], **{server: 1})

    def test_one_write_sends_the_whole_string_to_the_primary(self):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            client.query(f"SELECT 1 {mark}; UPDATE account SET balance = 3 WHERE id = -1; SELECT 2")
        self.assert_ran(mark, primary=1)
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            client.query(f"SELECT 1 {mark}; SELECT 2")
        self.assert_ran(mark, replica1=1)

    def test_a_pipeline_with_a_write_goes_to_the_primary_whole(self):
        read, write = self.mark(), self.mark()
        with raw.logged_in(proxy.port) as client:
            answer = client.ask(
                raw.parse(f"SELECT 1 {read}"), raw.bind(), raw.execute(),
                raw.parse(f"UPDATE account SET balance = $1 WHERE id = -1 {write}"), raw.bind([4]), raw.execute(),
                raw.SYNC)
            self.assertEqual(answer.types, "12DC12CZ")
        self.assert_ran(read, primary=1)
        self.assert_ran(write, primary=1)

    def test_a_prepared_statement_goes_where_its_text_says(self):
        read, write = self.mark(), self.mark()
        with raw.logged_in(proxy.port) as client:
            client.ask(raw.parse(f"SELECT $1::int {read}", "r"),
                       raw.parse(f"UPDATE account SET balance = $1 WHERE id = -1 {write}", "w"), raw.SYNC)
            for _ in range(3):
                self.assertEqual(client.ask(raw.bind([5], "r"), raw.execute(), raw.SYNC).values, ["5"])
            for _ in range(3):
                self.assertEqual(client.ask(raw.bind([5], "w"), raw.execute(), raw.SYNC).tags, ["UPDATE 0"])
        self.assert_ran(read, replica1=3)
        self.assert_ran(write, primary=3)

    def test_what_does_not_parse_gets_the_primarys_error(self):
        direct = raw.logged_in(servers.primary.port)
        self.addCleanup(direct.close)
        for statement in ("SELEC 1", "SELECT 'unfinished", "SELECT * FROM no_such_table", "", ";"):
            with self.subTest(statement), raw.logged_in(proxy.port) as client:
                expected, got = direct.query(statement), client.query(statement)
                self.assertEqual(got.frames, expected.frames)

    def test_a_string_that_hides_a_write_behind_a_backslash(self):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            client.query("SET standard_conforming_strings = off")
            answer = client.query(f"SELECT 'a\\'; UPDATE account SET balance = 9 WHERE id = -1; --' {mark}")
            self.assertEqual(answer.errors, [])
        self.assert_ran(mark, primary=1)

    def test_nothing_betrays_a_replica(self):
        with proxy.connect() as client:
            for statement, value in (("SHOW transaction_read_only", "off"), ("SHOW in_hot_standby", "off"),
                                     ("SELECT pg_is_in_recovery()", False),
                                     ("SELECT current_setting('transaction_read_only')", "off")):
                with self.subTest(statement):
                    self.assertEqual(client.execute(statement).fetchone(), (value,))
            self.assertEqual(client.pgconn.parameter_status(b"in_hot_standby"), b"off")


class Transactions(Marked):
    def run_block(self, begin, end="COMMIT"):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            for statement in (begin, f"SELECT count(*) FROM account {mark}", f"SELECT 2 {mark}", end):
                self.assertEqual(client.query(statement).errors, [])
        return mark

    def test_a_plain_block_runs_on_the_primary(self):
        for begin in ("BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ WRITE"):
            with self.subTest(begin):
                self.assert_ran(self.run_block(begin), primary=2)

    def test_a_read_only_block_runs_on_the_replica(self):
        for begin in ("BEGIN READ ONLY", "START TRANSACTION READ ONLY", "BEGIN TRANSACTION READ ONLY",
                      "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
            with self.subTest(begin):
                self.assert_ran(self.run_block(begin), replica1=2)
                self.assert_ran(self.run_block(begin, "ROLLBACK"), replica1=2)

    def test_a_serializable_block_cannot_run_on_a_standby(self):
        for begin in ("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
                      "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"):
            with self.subTest(begin):
                self.assert_ran(self.run_block(begin), primary=2)

    def test_the_drivers_read_only_transactions(self):
        mark = self.mark()
        with proxy.connect(autocommit=False) as client:
            client.read_only = True
            client.execute(f"SELECT count(*) FROM account {mark}")
            client.commit()
            client.read_only = None
            client.execute(f"SELECT count(*) FROM account WHERE id = %s {mark}", (1,))
            client.commit()
        self.assert_ran(mark, replica1=1, primary=1)

    def test_read_only_by_default(self):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            client.query("SET default_transaction_read_only = on")
            self.wait_reads_on_replica(client)
            client.query("BEGIN")
            self.assertEqual(client.query(f"SELECT 1 {mark}").errors, [])
            self.assertEqual(client.query("INSERT INTO account VALUES (default)").sqlstates, ["25006"])
            self.assertEqual(client.query("ROLLBACK").status, "I")
            self.assertEqual(client.query("SHOW transaction_read_only").values, ["on"])
        self.assert_ran(mark, replica1=1)

    def test_a_write_in_a_read_only_block_fails_as_on_the_primary(self):
        with raw.logged_in(proxy.port) as client, raw.logged_in(servers.primary.port) as direct:
            for statement in ("BEGIN READ ONLY", "UPDATE account SET balance = 0", "SELECT 1", "ROLLBACK", "SELECT 1"):
                self.assertEqual(client.query(statement).frames, direct.query(statement).frames)

    def test_a_read_only_block_with_a_savepoint_goes_on_as_on_the_primary(self):
        with raw.logged_in(proxy.port) as client, raw.logged_in(servers.primary.port) as direct:
            for statement in ("BEGIN READ ONLY", "SELECT count(*) FROM account", "SAVEPOINT s", "SELECT 1 / 0", "ROLLBACK TO s",
                              "SELECT pg_is_in_recovery()", "SELECT pg_advisory_unlock(7)", "RELEASE s", "COMMIT"):
                self.assertEqual(client.query(statement).frames, direct.query(statement).frames, statement)

    def test_a_read_only_block_refuses_as_on_the_primary_whatever_keeps_it(self):
        for begin, *rest in (("BEGIN READ ONLY", "DECLARE c CURSOR FOR SELECT 1", "TRUNCATE account"),
                             ("BEGIN READ ONLY", "DECLARE c CURSOR FOR SELECT 1", "ALTER TABLE account ADD x int"),
                             ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT 1", "CREATE TABLE never (a int)"),
                             ("BEGIN READ ONLY", "SET TRANSACTION READ ONLY", "SELECT count(*) FROM account", "SELECT pg_advisory_unlock(7)")):
            with raw.logged_in(proxy.port) as client, raw.logged_in(servers.primary.port) as direct:
                self.wait_reads_on_replica(client)
                for statement in (begin, *rest, "ROLLBACK"):
                    self.assertEqual(client.query(statement).frames, direct.query(statement).frames, statement)

    def test_a_block_in_one_string(self):
        mark = self.mark()
        with raw.logged_in(proxy.port) as client:
            answer = client.query(f"BEGIN; UPDATE account SET balance = 1 WHERE id = -1 {mark}; COMMIT")
            self.assertEqual((answer.errors, answer.status), ([], "I"))
        self.assert_ran(mark, primary=1)

    def test_an_error_fails_the_block_until_it_ends(self):
        with proxy.connect(autocommit=False) as client:
            with self.assertRaises(psycopg.errors.DivisionByZero):
                client.execute("SELECT 1 / 0")
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                client.execute("SELECT 1")
            client.rollback()
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))


class Balance(Marked):
    def test_reads_are_shared_by_all_replicas(self):
        second = servers.add_replica()
        self.addCleanup(lambda: (second.stop(), servers.replicas.remove(second)))
        balanced = Proxy(servers.primary.url(), servers.replica_url(), consistency="eventual", replica_warmup="0s")
        self.addCleanup(balanced.stop)
        mark = self.mark()
        # A session stays with the replica it has read from: it is sessions that are spread.
        def read(_):
            balanced.ask(f"SELECT count(*) FROM account {mark}")
        with Load(balanced.connect, read, clients=4) as load:
            load.wait_progress(120)
        self.assertEqual(load.errors, [])
        ran = servers.ran(mark)
        self.assertEqual(set(ran), {"replica1", "replica2"})
        self.assertGreater(min(ran.values()), sum(ran.values()) / 5)


if __name__ == "__main__":
    unittest.main()
