"""A primary that dies and comes back: writes fail clearly, reads go on, nothing runs twice, no restart."""

import threading
import time
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import scaled, wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)", "CREATE TABLE ledger (id int)")


class PrimaryFailure(unittest.TestCase):
    def setUp(self):
        self.proxy = Proxy(servers.primary.url(), servers.replica.url(), reconnect_delay="100ms",
                           health_interval="200ms", failed_probe_interval="1s")
        self.addCleanup(self.proxy.stop)
        self.addCleanup(servers.heal)
        wait_until(lambda: self.proxy.health()[0] == 200, message="healthy at first")

    def assert_write_fails_in_time(self, client, *sqlstates):
        begun = time.monotonic()
        with self.assertRaises(psycopg.Error) as caught:
            client.execute("INSERT INTO ledger VALUES (0)")
        took = time.monotonic() - begun
        self.assertIn(caught.exception.sqlstate, sqlstates)
        self.assertLess(took, scaled(3))
        return took, str(caught.exception)

    def test_writes_fail_reads_go_on_and_all_recovers(self):
        self.proxy.reload(failover_wait="1s")
        writer = self.proxy.connect()
        self.addCleanup(writer.close)
        writer.execute("DELETE FROM ledger")
        with Load(self.proxy.connect2, lambda c: c.cursor().execute("SELECT count(*) FROM thing"), 4) as load:
            load.wait_progress()
            servers.primary.kill()
            self.assert_write_fails_in_time(writer, "08006", "57P03")  # perhaps on a connection that was open
            # Known to be down now: a write still waits for the primary to return, no longer than it may.
            took, said = self.assert_write_fails_in_time(writer, "57P03")
            self.assertGreater(took, 0.8)
            self.assertRegex(said, "primary")
            load.wait_progress()
            wait_until(lambda: self.proxy.health()[1]["db_primary"] == "disconnected", message="seen as down")
            status, body = self.proxy.health()
            self.assertEqual((status, body["status"], body["db_replica"]), (503, "unhealthy", "connected"))
            self.assertEqual(self.proxy.get("/readyz")[0], 503)
            self.assertEqual(self.proxy.get("/livez")[0], 200)
            servers.heal()
            wait_until(lambda: self.proxy.health()[0] == 200, timeout=45, message="healthy again")
            writer.execute("INSERT INTO ledger VALUES (1)")
            load.wait_progress()
        self.assertEqual(load.errors, [])
        self.assertEqual(servers.primary.ask("SELECT id FROM ledger"), [(1,)])
        self.assertEqual(self.proxy.get("/readyz")[0], 200)

    def test_a_write_that_waits_is_served_when_the_primary_returns(self):
        servers.primary.kill()
        failed = []
        with self.proxy.connect() as client:
            def write():
                try:
                    client.execute("INSERT INTO ledger VALUES (2)")
                except psycopg.Error as error:
                    failed.append(error)
            wait_until(lambda: self.proxy.health()[0] == 503, message="seen as down")
            writer = threading.Thread(target=write)
            writer.start()
            wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") >= 1, message="the write waits")
            servers.heal()
            writer.join(timeout=scaled(20))
            self.assertFalse(writer.is_alive())
        self.assertEqual(failed, [])
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 2"), 1)

    def test_a_write_in_flight_is_never_run_again(self):
        errors = []

        def write():
            try:
                self.proxy.ask("INSERT INTO ledger SELECT 3 FROM pg_sleep(60) /* in flight */")
            except psycopg.Error as error:
                errors.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: servers.ran("/* in flight */"), message="the write runs")
        servers.primary.kill()
        servers.heal()
        writer.join(timeout=scaled(20))
        self.assertEqual([error.sqlstate for error in errors], ["08006"])
        self.assertEqual(servers.ran("/* in flight */"), {"primary": 1})
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 3"), 0)

    def test_a_commit_without_an_answer_has_an_unknown_outcome(self):
        with raw.logged_in(self.proxy.port) as client:
            self.assertEqual(client.query("BEGIN").status, "T")
            client.query("INSERT INTO ledger VALUES (4)")
            peer = int(client.query("SELECT inet_client_port()").values[0])
            servers.primary.freeze()
            client.send(raw.query("COMMIT"))
            wait_until(lambda: _unread_bytes(servers.primary.port, peer), message="COMMIT reached the server")
            servers.primary.kill()
            answer = client.answer()
            self.assertEqual(answer.sqlstates, ["08007"])

    def test_a_block_that_loses_its_server_fails_and_the_client_goes_on(self):
        with self.proxy.connect(autocommit=False) as client:
            client.execute("INSERT INTO ledger VALUES (5)")
            servers.primary.kill()
            servers.heal()
            with self.assertRaises(psycopg.Error) as caught:
                client.execute("SELECT 1")
            if not client.closed:
                self.assertIn(caught.exception.sqlstate, ("08006", "57P01", "57P02", "25P02"))
                client.rollback()
                self.assertEqual(client.execute("SELECT count(*) FROM ledger WHERE id = 5").fetchone(), (0,))


def _unread_bytes(port, peer):
    """Bytes that wait unread in the socket of a server's connection from the peer's port."""
    local, remote = f":{port:04X}", f":{peer:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(local) and row[2].endswith(remote) and row[3] == "01")


if __name__ == "__main__":
    unittest.main()
