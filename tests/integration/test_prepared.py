"""Prepared statements follow their client to whichever backend serves it."""

import time
import unittest

import psycopg

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
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation="always",
                  acquire_timeout="30s")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(2)


class AcrossBackends(unittest.TestCase):
    def test_many_clients_few_backends(self):
        def client_of(number):
            def work():
                with proxy.connect(prepare_threshold=0) as client:
                    for n in range(40):
                        row = client.execute("SELECT name, %s::int FROM thing WHERE id = %s", (number, n + 1)).fetchone()
                        assert row == (f"n{n + 1}", number), row
                        # The same name means another statement in another client.
                        row = client.execute(f"SELECT %s::text || '{number}'", (n,)).fetchone()
                        assert row == (f"{n}{number}",), row
                        client.execute("UPDATE thing SET name = name WHERE id = %s", (-number,))
                return True
            return work
        self.assertEqual(in_threads([client_of(n) for n in range(12)]), [True] * 12)

    def test_a_statement_is_there_on_every_backend(self):
        with raw.logged_in(proxy.port) as client:
            client.ask(raw.parse("SELECT pg_backend_pid(), $1::int", "s"), raw.SYNC)
            pids = set()
            for n in range(8):
                answer = client.ask(raw.bind([n], "s"), raw.describe("P"), raw.execute(), raw.SYNC)
                self.assertEqual((answer.types, answer.rows[0][1]), ("2TDCZ", str(n).encode()))
                pids.add(answer.values[0])
            self.assertEqual(len(pids), 2)

    def test_describe_alone_on_another_backend(self):
        with raw.logged_in(proxy.port) as client:
            first = client.ask(raw.parse("SELECT id, name FROM thing WHERE id = $1", "d"), raw.describe("S", "d"), raw.SYNC)
            for _ in range(4):
                again = client.ask(raw.describe("S", "d"), raw.SYNC)
                self.assertEqual(again.frames, first.frames[1:])

    def test_more_statements_than_a_backend_keeps(self):
        few = Proxy(servers.primary.url(), servers.replica.url(), pool_size=1, max_prepared_statements=5)
        self.addCleanup(few.stop)
        with raw.logged_in(few.port) as client:
            for n in range(30):
                client.ask(raw.parse(f"SELECT {n} + $1::int", f"s{n}"), raw.SYNC)
            for _ in range(2):
                for n in range(30):
                    self.assertEqual(client.ask(raw.bind([1], f"s{n}"), raw.execute(), raw.SYNC).values, [str(n + 1)])
        self.assertLessEqual(self.prepared_on_server(few), 6)

    def prepared_on_server(self, through):
        return through.ask("SELECT count(*) FROM pg_prepared_statements, (SELECT txid_current()) AS primary_only")[0][0]

    def test_the_table_changes_under_a_statement(self):
        servers.run("DROP TABLE IF EXISTS moving", "CREATE TABLE moving (a int)", "INSERT INTO moving VALUES (1)")
        with raw.logged_in(proxy.port) as client:
            client.ask(raw.parse("SELECT * FROM moving FOR UPDATE", "m"), raw.bind(statement="m"), raw.execute(), raw.SYNC)
            servers.run("ALTER TABLE moving ADD COLUMN b int")
            answers = [client.ask(raw.bind(statement="m"), raw.execute(), raw.SYNC) for _ in range(4)]
            for answer in answers:
                # As PostgreSQL itself does, or prepared again by the proxy; never a broken connection.
                self.assertIn((answer.sqlstates, answer.status), (([], "I"), (["0A000"], "I")))


class AfterDefinitionsChange(unittest.TestCase):
    """A statement keeps the result it was prepared with, on whichever connection it runs, or is refused."""

    def setUp(self):
        self.twins = Twins(self, servers.primary.port, proxy.port)
        self.other = raw.logged_in(proxy.port)
        self.addCleanup(self.other.close)
        for sql in ("DROP TABLE IF EXISTS altered", "CREATE TABLE altered (a int)", "INSERT INTO altered VALUES (1), (2)"):
            self.other.query(sql)
        servers.wait_for_replay()

    def prepare(self, *statements):
        for number, sql in enumerate(statements):
            self.twins.ask(raw.parse(sql, f"s{number}"), raw.describe("S", f"s{number}"), raw.SYNC)

    def change(self, sql):
        self.other.query(sql)
        servers.wait_for_replay()

    def run_each(self, *numbers, times=4):
        for _ in range(times):
            for number in numbers:
                self.twins.ask(raw.bind(statement=f"s{number}"), raw.execute(), raw.SYNC)

    def test_another_result_is_refused(self):
        self.prepare("SELECT * FROM altered ORDER BY a", "SELECT * FROM altered ORDER BY a FOR SHARE", "SELECT a FROM altered ORDER BY a")
        self.change("ALTER TABLE altered ADD COLUMN more text DEFAULT 'x'")
        self.run_each(0, 1, 2)
        self.twins.ask(raw.describe("S", "s1"), raw.SYNC)
        self.twins.ask(raw.bind(statement="s2"), raw.execute(), raw.bind(statement="s1"), raw.execute(), raw.bind(statement="s2"), raw.execute(), raw.SYNC)
        self.change("ALTER TABLE altered DROP COLUMN more")
        self.run_each(0, 1, 2)

    def test_what_writes_and_returns_more_does_not_write(self):
        self.prepare("UPDATE altered SET a = a + 10 RETURNING *")
        self.change("ALTER TABLE altered ADD COLUMN more text DEFAULT 'x'")
        self.run_each(0)
        self.assertEqual(self.other.query("SELECT max(a) FROM altered").values, ["2"])

    def test_in_a_block(self):
        self.prepare("SELECT * FROM altered ORDER BY a FOR SHARE", "SELECT a AS kept FROM altered ORDER BY a FOR SHARE")
        self.change("ALTER TABLE altered ADD COLUMN more text DEFAULT 'x'")
        for _ in range(3):
            self.twins.query("BEGIN")
            self.run_each(1, times=1)
            self.run_each(0, times=1)
            self.run_each(1, times=1)
            self.twins.query("ROLLBACK")

    def test_what_it_reads_is_gone(self):
        self.prepare("SELECT a FROM altered ORDER BY a FOR SHARE", "SELECT 1 AS kept FROM altered FOR SHARE")
        self.change("ALTER TABLE altered RENAME a TO b")
        self.run_each(0, 1)
        for _ in range(3):
            self.twins.query("BEGIN")
            self.run_each(0, times=1)
            self.run_each(1, times=1)
            self.twins.query("ROLLBACK")

    def test_what_a_batch_does_first_counts(self):
        self.prepare("SELECT a FROM altered ORDER BY a FOR SHARE", "SELECT 2 AS kept")
        self.twins.ask(raw.parse("INSERT INTO altered VALUES (3)", "write"), raw.parse("COMMIT", "commit"), raw.parse("SAVEPOINT s", "savepoint"),
                       raw.parse("ALTER TABLE altered RENAME b TO a", "back"), raw.parse("ROLLBACK", "rollback"), raw.SYNC)
        self.change("ALTER TABLE altered RENAME a TO b")

        def batch(*names):
            return [message for name in names for message in (raw.bind(statement=name), raw.execute())]
        self.twins.query("BEGIN")
        self.twins.ask(*batch("savepoint", "s0"), raw.SYNC)
        self.twins.query("ROLLBACK TO s")
        self.twins.query("ROLLBACK")
        for port in (servers.primary.port, proxy.port):  # one after the other: both change the same table
            with raw.logged_in(port) as client:
                client.ask(raw.parse("SELECT b FROM altered ORDER BY b FOR SHARE", "s0"), raw.parse("INSERT INTO altered VALUES (3)", "write"), raw.SYNC)
                self.change("ALTER TABLE altered RENAME b TO c")
                client.query("BEGIN")
                answer = client.ask(*batch("write"), raw.SYNC)
                self.assertEqual(answer.sqlstates, [], answer.errors)
                answer = client.ask(raw.parse("COMMIT", "commit"), *batch("commit", "s0"), raw.SYNC)
                self.assertEqual((answer.tags, answer.status), (["COMMIT"], "I"), answer.errors)
                self.change("ALTER TABLE altered RENAME c TO b")
        self.twins.ask(*batch("s1", "s0", "s1"), raw.SYNC)
        self.run_each(0, 1)
        self.assertEqual(self.other.query("SELECT count(*) FROM altered").values, ["4"])

    def test_behind_an_error_of_the_same_batch(self):
        self.prepare("SELECT * FROM altered ORDER BY a FOR SHARE", "SELECT 1/0 FROM altered FOR SHARE")
        self.change("ALTER TABLE altered ADD COLUMN more text DEFAULT 'x'")
        for _ in range(4):
            self.twins.ask(raw.bind(statement="s1"), raw.execute(), raw.bind(statement="s0"), raw.execute(), raw.SYNC)
        self.run_each(0, 1)

    def test_a_cursor_is_no_older_statement(self):
        self.prepare("SELECT 1")
        self.change("CREATE TABLE IF NOT EXISTS altered_beside (a int)")
        for columns in ("a", "a, a AS b"):
            self.twins.query("BEGIN")
            self.twins.query(f"DECLARE c CURSOR FOR SELECT {columns} FROM altered ORDER BY a FOR SHARE")
            self.twins.ask(raw.parse("FETCH ALL FROM c", f"fetch {len(columns)}"), raw.bind(statement=f"fetch {len(columns)}"), raw.execute(), raw.SYNC)
            self.twins.query("ROLLBACK")

    def test_waiting_for_a_lock_it_can_be_cancelled(self):
        with raw.logged_in(proxy.port) as client, servers.primary.connect() as locks:
            client.ask(raw.parse("SELECT * FROM altered ORDER BY a FOR SHARE", "s0"), raw.SYNC)
            self.change("CREATE TABLE IF NOT EXISTS altered_beside (a int)")
            locks.cursor().execute("BEGIN; LOCK TABLE altered IN ACCESS EXCLUSIVE MODE")
            for _ in range(3):
                client.send(raw.bind(statement="s0"), raw.execute(), raw.SYNC)
                wait_until(lambda: servers.primary.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1, message="it waits")
                client.cancel(proxy.port)
                answer = client.answers(1)
                self.assertEqual(answer.sqlstates, ["57014"], answer.errors)
            locks.cursor().execute("ROLLBACK")
            self.assertEqual(client.ask(raw.bind(statement="s0"), raw.execute(), raw.SYNC).values, ["1", "2"])

    def test_parameters_keep_their_types(self):
        self.twins.ask(raw.parse("INSERT INTO altered VALUES ($1)", "s0"), raw.describe("S", "s0"), raw.SYNC)
        self.change("ALTER TABLE altered ALTER a TYPE bigint")
        for _ in range(4):
            self.twins.ask(raw.describe("S", "s0"), raw.bind([7], "s0"), raw.execute(), raw.SYNC)


class OnTheWire(unittest.TestCase):
    def setUp(self):
        self.twins = Twins(self, servers.primary.port, proxy.port)

    def test_a_name_taken(self):
        self.twins.ask(raw.parse("SELECT 1", "s"), raw.SYNC)
        self.twins.ask(raw.parse("SELECT 2", "s"), raw.SYNC)
        self.twins.ask(raw.bind(statement="s"), raw.execute(), raw.SYNC)

    def test_an_error_names_the_statement_as_its_client_does(self):
        for name in ("mine", ""):
            for sql in ("SELECT $1::int + $2::int", "UPDATE thing SET id = $1 WHERE id = $2 AND false"):
                self.twins.ask(raw.parse(sql, name), raw.SYNC)
                self.twins.ask(raw.bind([1], name), raw.execute(), raw.SYNC)
                self.twins.ask(raw.bind([1, 2, 3], name), raw.execute(), raw.SYNC, raw.bind([1], name), raw.SYNC)
                self.twins.ask(raw.bind([1, 2], name), raw.execute(), raw.close("S", name), raw.SYNC)

    def test_a_batch_that_stalls_is_timed_from_its_first_message(self):
        for name in ("first", "second", "third"):  # the server knows the statement from the first
            for port in (servers.primary.port, proxy.port):
                with self.subTest(name=name, port=port), raw.logged_in(port) as client:
                    client.query("SET statement_timeout = '100ms'")
                    client.send(raw.parse("SELECT $1::varchar AS stalled", name))
                    time.sleep(0.3)  # longer than the timeout, which is what this is about
                    answer = client.ask(raw.describe("S", name), raw.SYNC)
                    self.assertEqual((answer.types, answer.sqlstates), ("1EZ", ["57014"]))

    def test_close_and_prepare_again(self):
        for sql in ("SELECT 1", "SELECT 'two'", "UPDATE thing SET id = id WHERE false"):
            self.twins.ask(raw.parse(sql, "s"), raw.bind(statement="s"), raw.execute(), raw.SYNC)
            self.twins.ask(raw.close("S", "s"), raw.SYNC)
            self.twins.ask(raw.bind(statement="s"), raw.SYNC)
        self.twins.ask(raw.close("S", "s"), raw.parse("SELECT 4", "s"), raw.bind(statement="s"), raw.execute(),
                       raw.close("S", "s"), raw.SYNC)

    def test_a_statement_that_does_not_parse(self):
        self.twins.ask(raw.parse("SELEC 1", "s"), raw.SYNC)
        self.twins.ask(raw.bind(statement="s"), raw.SYNC)
        self.twins.ask(raw.parse("SELECT 1", "s"), raw.bind(statement="s"), raw.execute(), raw.SYNC)

    def test_a_statement_prepared_behind_an_error_is_not_there(self):
        self.twins.ask(raw.parse("SELECT 1/0"), raw.bind(), raw.execute(), raw.parse("SELECT 1", "s"), raw.SYNC)
        self.twins.ask(raw.bind(statement="s"), raw.execute(), raw.SYNC)

    def test_prepared_in_a_block_that_rolls_back(self):
        self.twins.query("BEGIN")
        self.twins.ask(raw.parse("SELECT 1", "s"), raw.SYNC)
        self.twins.query("ROLLBACK")
        self.twins.ask(raw.bind(statement="s"), raw.execute(), raw.SYNC)

    def test_deallocate_and_discard(self):
        for end in ("DEALLOCATE s", "DEALLOCATE ALL", "DISCARD ALL", "DEALLOCATE PREPARE s"):
            with self.subTest(end):
                self.twins.ask(raw.parse("SELECT 1", "s"), raw.SYNC)
                self.twins.query(end)
                self.twins.ask(raw.bind(statement="s"), raw.execute(), raw.SYNC)
                self.twins.query("SELECT 1")
        self.twins.query("DEALLOCATE never")

    def test_sql_level_prepare(self):
        self.twins.query("PREPARE p AS SELECT $1::int + 1")
        for sql in ("EXECUTE p(1)", "SELECT 5", "EXECUTE p(2)", "UPDATE thing SET id = id WHERE false", "EXECUTE p(3)"):
            self.twins.query(sql)
        self.twins.ask(raw.bind([7], "p"), raw.execute(), raw.SYNC)
        self.twins.query("DEALLOCATE p")
        self.twins.query("EXECUTE p(1)")

    def test_execute_of_a_protocol_level_statement(self):
        self.twins.ask(raw.parse("SELECT $1::int * 2", "q"), raw.SYNC)
        self.twins.query("EXECUTE q(21)")
        self.twins.query("SELECT 1")
        self.twins.query("EXECUTE q(4)")

    def test_parameter_types_are_kept(self):
        self.twins.ask(raw.parse("SELECT $1", "t", types=(23,)), raw.describe("S", "t"), raw.SYNC)
        self.twins.ask(raw.bind([5], "t"), raw.describe("P"), raw.execute(), raw.SYNC)
        self.twins.ask(raw.parse("SELECT $1", "u", types=(25,)), raw.describe("S", "u"), raw.SYNC)
        self.twins.ask(raw.bind([5], "u"), raw.describe("P"), raw.execute(), raw.SYNC)


class Psycopg(unittest.TestCase):
    def test_discard_all_and_on(self):
        with proxy.connect(prepare_threshold=0) as client:
            for _ in range(3):
                self.assertEqual(client.execute("SELECT %s::int", (1,)).fetchone(), (1,))
                client.execute("DEALLOCATE ALL")
                client._prepared.clear() if hasattr(client._prepared, "clear") else None
                self.assertEqual(client.execute("SELECT %s::text", ("x",)).fetchone(), ("x",))

    def test_a_prepared_pipeline(self):
        with proxy.connect(prepare_threshold=0) as client, client.pipeline():
            cursors = [client.execute("SELECT name FROM thing WHERE id = %s", (n % 100 + 1,)) for n in range(300)]
            for n, cursor in enumerate(cursors):
                self.assertEqual(cursor.fetchone(), (f"n{n % 100 + 1}",))

    def test_an_error_leaves_the_others_usable(self):
        with proxy.connect(prepare_threshold=0) as client:
            for _ in range(5):
                with self.assertRaises(psycopg.errors.DivisionByZero):
                    client.execute("SELECT 1 / %s::int", (0,))
                self.assertEqual(client.execute("SELECT 1 / %s::int", (1,)).fetchone(), (1,))


if __name__ == "__main__":
    unittest.main()
