"""The protocol as it passes the proxy: frame by frame what a direct connection gives."""

import contextlib
import struct
import threading
import time
import unittest

import psycopg
import psycopg2.extensions

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int PRIMARY KEY, name text)", "INSERT INTO thing VALUES (1, 'one'), (2, NULL)",
                "CREATE FUNCTION notices() RETURNS void LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE NOTICE 'first'; RAISE WARNING 'second' USING HINT = 'hint'; END $$")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(2)


class SameFrames(unittest.TestCase):
    def setUp(self):
        self.twins = Twins(self, servers.primary.port, proxy.port)

    def test_simple_queries(self):
        for sql in ("SELECT * FROM thing ORDER BY id", "SELECT 1, 'a', NULL, true, 1.5, '{1,2}'::int[]", "", ";;",
                    "SELECT 1; SELECT 2, 3; SELECT 4", "SELECT FROM thing", "SELECT 1 WHERE false", "VALUES (1), (2)",
                    "UPDATE thing SET name = name", "SELECT 1; SELECT 1/0; SELECT 2", "SELECT wrong FROM thing",
                    "SELECT 'ünï', '日本語'", "SELECT notices()", "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'P0999',"
                    " DETAIL = 'detail', HINT = 'hint', COLUMN = 'c', TABLE = 't'; END $$",
                    "INSERT INTO thing VALUES (1, 'twice')", "SELECT pg_typeof(1), pg_typeof('a'::text)",
                    "SHOW server_version", "SHOW search_path"):
            with self.subTest(sql):
                self.twins.query(sql)

    def test_blocks(self):
        for sql in ("BEGIN", "SELECT 1", "BEGIN", "SAVEPOINT a", "SELECT 1/0", "SELECT 1", "ROLLBACK TO a", "SELECT 2",
                    "RELEASE a", "COMMIT", "COMMIT", "ROLLBACK", "BEGIN; SELECT 1", "SELECT 2; COMMIT", "BEGIN",
                    "SELECT wrong", "COMMIT", "BEGIN READ ONLY", "SELECT 1", "SAVEPOINT b", "UPDATE thing SET id = id",
                    "ROLLBACK TO b", "SELECT 3", "COMMIT AND CHAIN", "SELECT 4", "ROLLBACK AND CHAIN", "SELECT 5", "COMMIT",
                    "START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SHOW transaction_isolation", "ABORT",
                    "BEGIN; INSERT INTO thing VALUES (9); SELECT 1/0; COMMIT", "SELECT 1", "ROLLBACK",
                    "INSERT INTO thing VALUES (9); SELECT 1/0", "SELECT count(*) FROM thing"):
            with self.subTest(sql):
                self.twins.query(sql)

    def test_extended_queries(self):
        for parts in ((raw.parse("SELECT $1::int + 1"), raw.bind([41]), raw.describe("P"), raw.execute(), raw.SYNC),
                      (raw.parse("SELECT $1::int, $2::text", types=(23, 25)), raw.describe("S"), raw.bind([1, None]),
                       raw.execute(), raw.SYNC),
                      (raw.parse("SELECT g FROM generate_series(1, 5) g"), raw.bind(), raw.execute(rows=2),
                       raw.execute(rows=2), raw.execute(rows=2), raw.SYNC),
                      (raw.parse("SELECT 1"), raw.bind(result_format=1), raw.execute(), raw.SYNC),
                      (raw.parse(""), raw.bind(), raw.describe("P"), raw.execute(), raw.SYNC),
                      (raw.parse("SELECT 1; SELECT 2"), raw.SYNC),
                      (raw.parse("UPDATE thing SET name = $1 WHERE id = -1"), raw.bind(["x"]), raw.execute(), raw.SYNC),
                      (raw.SYNC,), (raw.FLUSH, raw.SYNC), (raw.close("S", "never"), raw.close("P", "was"), raw.SYNC),
                      (raw.describe("S", "missing"), raw.SYNC), (raw.execute("missing"), raw.SYNC),
                      (raw.bind(statement="missing"), raw.execute(), raw.SYNC),
                      (raw.parse("SELECT $1::int"), raw.bind(["x"]), raw.execute(), raw.SYNC),
                      (raw.parse("SELECT $1::int"), raw.bind(), raw.execute(), raw.SYNC)):
            with self.subTest(parts):
                self.twins.ask(*parts)

    def test_an_error_comes_before_the_end_of_a_long_pipeline(self):
        """Who writes on and on hears of it in time to stop: it is not gathered first, nor waited for."""
        row = (raw.bind(["x" * 8192]), raw.execute())
        took = []
        for _ in range(20):
            with raw.logged_in(proxy.port) as client:
                client.send(raw.parse("SELECT 1/length($1::text) - 1/0 FROM pg_class"), *row * 12)
                began = time.monotonic()
                self.assertEqual(client.read_until("E").sqlstates, ["22012"])
                took.append(time.monotonic() - began)
                client.send(raw.SYNC)
                self.assertEqual(client.read_until("Z").status, "I")
        self.assertLess(min(took), 0.01, "a pipeline that stands still is sent after so long")

    def test_pipelines(self):
        one = (raw.parse("SELECT $1::int"), raw.bind([1]), raw.execute())
        bad = (raw.parse("SELECT 1/$1::int"), raw.bind([0]), raw.execute())
        write = (raw.parse("UPDATE thing SET name = name"), raw.bind(), raw.execute())
        for parts in ((*one, raw.SYNC, *one, raw.SYNC, *one, raw.SYNC), (*one, *bad, *one, raw.SYNC, *one, raw.SYNC),
                      (*one, *write, *one, raw.SYNC, *bad, *write, raw.SYNC, *one, raw.SYNC),
                      (raw.parse("BEGIN"), raw.bind(), raw.execute(), *write, raw.SYNC, *one, raw.SYNC,
                       raw.parse("COMMIT"), raw.bind(), raw.execute(), raw.SYNC),
                      (raw.parse("syntax error"), *one, raw.SYNC, *one, raw.SYNC),
                      (raw.query("SELECT 1"), raw.query("SELECT 2"), *one, raw.SYNC, raw.query("SELECT 1/0"),
                       raw.query("SELECT 3")),
                      (*one * 200, raw.SYNC)):
            ready = sum(part in (raw.SYNC,) or part[:1] == b"Q" for part in parts)
            with self.subTest(parts[:6]):
                self.twins.ask(*parts, ready=ready)
        self.twins.query("SELECT 'still in step'")

    def test_a_flush_is_answered_before_the_sync(self):
        for client in (self.twins.direct, self.twins.proxied):
            client.send(raw.parse("SELECT 1"), raw.bind(), raw.execute(), raw.FLUSH)
            self.assertEqual(client.read_until("C").types, "12DC")
            client.send(raw.parse("SELECT 2"), raw.bind(), raw.describe("P"), raw.FLUSH)
            self.assertEqual(client.read_until("T").types, "12T")
            client.send(raw.execute(), raw.SYNC)
            self.assertEqual(client.answer().types, "DCZ")

    def test_every_split_of_a_batch(self):
        batch = raw.parse("SELECT $1::int") + raw.bind([1]) + raw.describe("P") + raw.execute() + raw.SYNC
        with raw.logged_in(proxy.port) as client:
            expected = client.ask(batch).frames
            for at in range(1, len(batch)):
                client.send(batch[:at])
                client.send(batch[at:])
                self.assertEqual(client.answer().frames, expected)
            for byte in batch:
                client.send(bytes([byte]))
            self.assertEqual(client.answer().frames, expected)

    def test_a_function_call_message(self):
        body = struct.pack("!ihhhihi", 2308, 1, 1, 1, 4, 0, 0)  # abs(int4), wrong on purpose: both must agree
        self.twins.ask(raw.frame("F", body))
        oid = servers.primary.value("SELECT 'pg_catalog.int4pl(int4,int4)'::regprocedure::oid")
        self.twins.ask(raw.frame("F", struct.pack("!ihhhiiiih", oid, 1, 1, 2, 4, 3, 4, 4, 1)))

    def test_parameter_status(self):
        for sql in ("SET application_name = 'renamed'", "SET DateStyle = 'German'", "SET TimeZone = 'Asia/Tokyo'",
                    "SET client_encoding = 'LATIN1'", "SELECT 1", "RESET ALL", "BEGIN", "SET TimeZone = 'UTC'",
                    "ROLLBACK", "SET LOCAL TimeZone = 'UTC'", "SELECT 2"):
            with self.subTest(sql):
                self.twins.query(sql)

    def test_cursors(self):
        for sql in ("BEGIN", "DECLARE c CURSOR FOR SELECT generate_series(1, 10)", "FETCH 3 FROM c", "MOVE 2 IN c",
                    "FETCH ALL FROM c", "CLOSE c", "COMMIT", "FETCH c"):
            self.twins.query(sql)
        self.twins.ask(raw.query("BEGIN READ ONLY"))
        self.twins.ask(raw.parse("SELECT g FROM generate_series(1, 5) g"), raw.bind(portal="p"),
                       raw.execute("p", 2), raw.SYNC)
        self.twins.ask(raw.execute("p", 2), raw.SYNC)
        self.twins.ask(raw.query("COMMIT"))
        self.twins.ask(raw.execute("p", 2), raw.SYNC)

    def test_a_long_query_and_a_wide_row(self):
        self.twins.query("SELECT '%s'" % ("x" * 1_000_000))
        self.twins.query("SELECT " + ", ".join(str(n) for n in range(1000)))
        self.twins.ask(raw.parse("SELECT length($1), $1"), raw.bind(["y" * 3_000_000]), raw.execute(), raw.SYNC)


class Cancel(unittest.TestCase):
    def wait_running(self, text):
        wait_until(lambda: servers.ran(text), message=f"{text} runs")

    def test_on_each_server(self):
        for sql in ("SELECT pg_sleep(60) /* c1 replica */", "SELECT pg_sleep(60), txid_current() /* c1 primary */"):
            with self.subTest(sql), contextlib.closing(proxy.connect2()) as client:
                def cancel():
                    self.wait_running(sql)
                    client.cancel()
                canceller = threading.Thread(target=cancel)
                canceller.start()
                with self.assertRaises(psycopg2.extensions.QueryCanceledError):
                    client.cursor().execute(sql)
                canceller.join()
                with client.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    self.assertEqual(cursor.fetchone(), (1,))

    def test_a_key_nobody_has(self):
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query("SELECT 5, pg_sleep(0.5) /* not cancelled */"))
            self.wait_running("/* not cancelled */")
            for key in (b"\0" * 8, client.key[:4] + bytes(b ^ 1 for b in client.key[4:])):
                with raw.RawClient(proxy.port) as forger:
                    forger.send(struct.pack("!ii", 16, raw.CANCEL_REQUEST), key)
                    self.assertTrue(forger.is_closed())
            self.assertEqual(client.answer().values, ["5"])

    def test_a_late_cancel_hits_nobody(self):
        with raw.logged_in(proxy.port) as first, raw.logged_in(proxy.port) as second:
            for _ in range(30):
                first.query("SELECT 1")
                first.cancel(proxy.port)
                self.assertEqual(second.query("SELECT pg_sleep(0.005), 2").errors, [])
                self.assertEqual(first.query("SELECT pg_sleep(0.001), 3").errors, [])

    def test_while_queued_for_a_backend(self):
        small = Proxy(servers.primary.url(), pool_size=1, acquire_timeout="20s")
        self.addCleanup(small.stop)
        with raw.logged_in(small.port) as holder, raw.logged_in(small.port) as client:
            holder.query("BEGIN")
            holder.query("SELECT 1")
            client.send(raw.query("SELECT 2"))
            wait_until(lambda: small.metric("pgsteer_clients_waiting") == 1, message="one waits")
            client.cancel(small.port)
            self.assertEqual(client.answer().sqlstates, ["57014"])
            holder.query("COMMIT")
            self.assertEqual(client.query("SELECT 3").values, ["3"])


class WithoutSync(unittest.TestCase):
    """A client that takes its time between two messages of a unit, and sends no Flush."""

    def test_an_error_comes_before_the_sync(self):
        with raw.logged_in(proxy.port) as client:
            client.send(raw.parse("SELECT nothing FROM nowhere", ""))
            self.assertEqual(client.read_until("E").sqlstates, ["42P01"])
            client.send(raw.bind([]), raw.execute(), raw.SYNC)
            self.assertEqual(client.answer().frames[-1].type, "Z")
            self.assertEqual(client.query("SELECT 1").values, ["1"])

    def test_its_clock_runs(self):
        with raw.logged_in(proxy.port) as client:
            client.query("SET statement_timeout = '1s'")
            client.send(raw.parse("SELECT pg_sleep(60)", ""), raw.bind([]), raw.execute())
            self.assertEqual(client.read_until("E").sqlstates, ["57014"])
            client.send(raw.SYNC)
            self.assertEqual(client.answer().frames[-1].type, "Z")
            self.assertEqual(client.query("SELECT 1").values, ["1"])


class PsycopgPipeline(unittest.TestCase):
    def test_results_and_an_error_in_the_middle(self):
        with proxy.connect() as client:
            with client.pipeline():
                cursors = [client.execute("SELECT %s::int", (n,)) for n in range(300)]
            self.assertEqual([cursor.fetchone()[0] for cursor in cursors], list(range(300)))
            with self.assertRaises(psycopg.errors.DivisionByZero), client.pipeline():
                client.execute("SELECT 1")
                client.execute("SELECT 1 / %s", (0,))
                client.execute("SELECT 2")
            self.assertEqual(client.execute("SELECT 3").fetchone(), (3,))

    def test_executemany(self):
        with proxy.connect(autocommit=False) as client:
            client.cursor().executemany("INSERT INTO thing VALUES (%s, %s)", [(n, str(n)) for n in range(100, 400)])
            self.assertEqual(client.execute("SELECT count(*) FROM thing WHERE id >= 100").fetchone(), (300,))
            client.rollback()

    def test_notices_reach_the_client(self):
        with proxy.connect() as client:
            said = []
            client.add_notice_handler(lambda diagnosis: said.append((diagnosis.severity, diagnosis.message_primary)))
            client.execute("SELECT notices()")
            self.assertEqual(said, [("NOTICE", "first"), ("WARNING", "second")])


if __name__ == "__main__":
    unittest.main()
