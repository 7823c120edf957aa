"""SIGTERM: no new clients, idle ones get 57P01, running transactions finish, a second signal ends at once."""

import signal
import threading
import time
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import scaled, wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


class Drain(unittest.TestCase):
    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        return proxy

    def assert_shut_down(self, client):
        answer = client.read_until("")
        self.assertEqual(answer.sqlstates, ["57P01"])
        self.assertEqual(answer.errors[0]["S"], "FATAL")
        self.assertTrue(answer.closed)

    def test_idle_clients_are_told_and_the_process_ends(self):
        proxy = self.start()
        clients = [raw.logged_in(proxy.port) for _ in range(5)]
        clients[0].query("SELECT 1")
        begun = time.monotonic()
        proxy.signal(signal.SIGTERM)
        for client in clients:
            self.assert_shut_down(client)
            client.close()
        self.assertEqual(proxy.wait_ended(), 0)
        self.assertLess(time.monotonic() - begun, scaled(3))
        for server in servers.servers():
            wait_until(lambda s=server: not s.backends(), message="all backends are closed")

    def test_a_running_transaction_finishes(self):
        proxy = self.start()
        idle = raw.logged_in(proxy.port)
        self.addCleanup(idle.close)
        with proxy.connect(autocommit=False) as client:
            client.execute("INSERT INTO thing VALUES (1)")
            proxy.signal(signal.SIGTERM)
            self.assert_shut_down(idle)
            wait_until(lambda: proxy.get("/readyz")[0] in (0, 503), message="not ready while it drains")
            self.assertTrue(proxy.is_running())
            with self.assertRaises(psycopg.OperationalError):
                proxy.connect()
            client.execute("INSERT INTO thing VALUES (2)")
            client.commit()
            self.assertEqual(proxy.wait_ended(), 0)
        self.assertEqual(servers.primary.value("SELECT count(*) FROM thing WHERE id IN (1, 2)"), 2)

    def test_a_running_statement_finishes(self):
        proxy = self.start()
        rows = []
        runner = threading.Thread(target=lambda: rows.extend(proxy.ask("SELECT 5, pg_sleep(1) /* running */")))
        runner.start()
        wait_until(lambda: servers.ran("/* running */"), message="it runs")
        proxy.signal(signal.SIGTERM)
        runner.join(timeout=scaled(10))
        self.assertEqual(rows, [(5, "")])
        self.assertEqual(proxy.wait_ended(), 0)

    def test_the_drain_is_bounded(self):
        proxy = self.start(shutdown_timeout="1s")
        with raw.logged_in(proxy.port) as client:
            client.query("BEGIN")
            client.query("INSERT INTO thing VALUES (3)")
            begun = time.monotonic()
            proxy.signal(signal.SIGTERM)
            self.assert_shut_down(client)
            self.assertEqual(proxy.wait_ended(), 0)
            self.assertGreaterEqual(time.monotonic() - begun, 0.8)
        self.assertEqual(servers.primary.value("SELECT count(*) FROM thing WHERE id = 3"), 0)

    def test_a_second_signal_ends_at_once(self):
        proxy = self.start(shutdown_timeout="60s")
        with raw.logged_in(proxy.port) as client:
            client.query("BEGIN")
            client.query("SELECT 1")
            proxy.signal(signal.SIGTERM)
            proxy.wait_log("(?i)shut|drain")
            self.assertTrue(proxy.is_running())
            begun = time.monotonic()
            proxy.signal(signal.SIGTERM)
            proxy.wait_ended()
            self.assertLess(time.monotonic() - begun, scaled(2))

    def test_an_interrupt_ends_too(self):
        proxy = self.start()
        proxy.signal(signal.SIGINT)
        self.assertEqual(proxy.wait_ended(), 0)


if __name__ == "__main__":
    unittest.main()
