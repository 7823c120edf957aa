"""pool_mode: session gives each client a backend of its own until it leaves."""

import struct
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_mode="session", pool_size=2)
    unittest.addModuleCleanup(proxy.stop)


class SessionMode(unittest.TestCase):
    def test_one_backend_for_the_whole_session(self):
        with raw.logged_in(proxy.port) as client:
            pids = {client.query("SELECT pg_backend_pid(), txid_current()").values[0] for _ in range(10)}
            self.assertEqual(len(pids), 1)
            for sql in ("SET work_mem = '9MB'", "CREATE TEMP TABLE t (a int)", "LISTEN news", "PREPARE p AS SELECT 1",
                        "SELECT pg_advisory_lock(1)"):
                self.assertEqual(client.query(sql).errors, [])
            self.assertEqual(client.query("SELECT count(*) FROM t").values, ["0"])
            self.assertEqual(client.query("EXECUTE p").values, ["1"])

    def test_a_third_client_waits_for_one_to_leave(self):
        first, second = raw.logged_in(proxy.port), raw.logged_in(proxy.port)
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        for client in (first, second):
            self.assertEqual(client.query("DELETE FROM thing").errors, [])
        proxy.reload(acquire_timeout="500ms")
        self.addCleanup(proxy.reload, acquire_timeout=None)
        self.assertIsNone(self.log_in())
        first.close()
        wait_until(self.log_in, message="there is room again")

    def log_in(self):
        """Whether a login succeeds; the only reason why not is that all backends are taken."""
        client = raw.RawClient(proxy.port)
        self.addCleanup(client.close)
        answer = client.login()
        if answer.errors:
            self.assertEqual(answer.sqlstates, ["53300"])
            return None
        return client

    def test_the_process_id_is_the_backends(self):
        for _ in range(3):
            with raw.logged_in(proxy.port) as client:
                told = struct.unpack("!i", client.key[:4])[0]
                self.assertEqual(client.query("SELECT pg_backend_pid(), txid_current()").rows[0][0], str(told).encode())
                self.assertEqual(client.query("LISTEN mine; NOTIFY mine").errors, [])
            wait_until(lambda: told not in servers.primary.backends(), message="the connection ends with its session")

    def test_a_session_begins_as_fresh_as_on_a_server(self):
        for _ in range(3):
            with raw.logged_in(proxy.port) as client:
                self.assertEqual(client.query("SET plpgsql.not_loaded_yet = 1").errors, [])
                self.assertEqual(client.query("DO 'BEGIN PERFORM txid_current(); END'").errors, [])

    def test_nothing_is_left_for_the_next(self):
        with raw.logged_in(proxy.port) as client:
            for sql in ("SET work_mem = '9MB'", "CREATE TEMP TABLE t (a int)", "PREPARE p AS SELECT 1"):
                client.query(sql)
        for _ in range(4):
            with raw.logged_in(proxy.port) as client:
                self.assertEqual(client.query("SELECT current_setting('work_mem'), txid_current()").values, ["4MB"])
                self.assertEqual(client.query("SELECT * FROM t").sqlstates, ["42P01"])
                self.assertEqual(client.query("EXECUTE p").sqlstates, ["26000"])

    def test_reads_go_to_the_replica_and_the_backend_stays(self):
        with raw.logged_in(proxy.port) as client:
            pid = client.query("SELECT pg_backend_pid(), txid_current()").values[0]
            self.assertEqual(client.query("SET extra_float_digits = 0; SET my.own = 'kept'").errors, [])
            servers.wait_for_replay()
            count = 0

            def leaves():
                nonlocal count
                count += 1
                marker = f"/* {self.id()} {count} */"
                answer = client.query(f"SELECT count(*), 0.1::float8 + 0.2::float8 FROM thing {marker}")
                self.assertEqual(answer.rows[0][1], b"0.3")
                return servers.ran(marker) == {servers.replica.name: 1}

            wait_until(leaves, message="reads leave the primary")
            self.assertEqual(client.query("CREATE TEMP TABLE mine AS SELECT 3 AS a").errors, [])
            self.assertEqual(client.query("SELECT a FROM mine").values, ["3"])
            wait_until(leaves, message="reads leave it again")
            self.assertEqual(client.query("SELECT a FROM mine").values, ["3"])
            self.assertEqual(client.query("DROP TABLE mine").errors, [])
            self.assertEqual(client.query("SELECT current_setting('my.own'), pg_backend_pid(), txid_current()").rows[0][:2],
                             [b"kept", pid.encode()])

    def test_the_wire(self):
        twins = Twins(self, servers.primary.port, proxy.port)
        for sql in ("SELECT 1", "SET DateStyle = 'German'", "BEGIN", "SELECT 1/0", "ROLLBACK", "SHOW DateStyle",
                    "CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (1)", "SELECT a + 0 FROM t", "DISCARD ALL"):
            twins.query(sql)
        twins.ask(raw.parse("SELECT $1::int", "s"), raw.bind([1], "s"), raw.execute(), raw.SYNC)


if __name__ == "__main__":
    unittest.main()
