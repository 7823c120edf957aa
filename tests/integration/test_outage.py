"""No primary: what was not sent waits in order and within bounds, what was sent is never repeated, sessions live on."""

import os
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
    servers.run("CREATE TABLE ledger (at serial, id int)")


class Waiter(threading.Thread):
    """One statement on a connection of its own, in a thread; what came of it."""

    def __init__(self, connection, sql):
        super().__init__(daemon=True)
        self.connection, self.sql, self.error, self.took = connection, sql, None, None

    def run(self):
        begun = time.monotonic()
        try:
            self.connection.execute(self.sql)
        except psycopg.Error as error:
            self.error = error
        self.took = time.monotonic() - begun

    def ended(self, timeout=20):
        self.join(timeout=scaled(timeout))
        assert not self.is_alive(), "a client hangs"
        return self.error


def ms(count):
    """A setting of pgsteer's, longer where everything is slower."""
    return f"{int(scaled(count))}ms"


class Outage(unittest.TestCase):
    def start(self, replica=True, **settings):
        settings = {"reconnect_delay": "100ms", "health_interval": "200ms", "failed_probe_interval": "1s", **settings}
        proxy = Proxy(servers.primary.url(), servers.replica.url() if replica else None, **settings)
        self.addCleanup(proxy.stop)
        self.addCleanup(servers.heal)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy at first")
        return proxy

    def connect(self, proxy, **parameters):
        client = proxy.connect(**parameters)
        self.addCleanup(client.close)
        return client

    def lose_primary(self, proxy):
        servers.primary.kill()
        proxy.wait_log("WARN No primary: statements for it wait")

    def waiting(self, proxy, client, sql, count):
        """The statement, once it waits as one of `count`."""
        waiter = Waiter(client, sql)
        waiter.start()
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") >= count, message="the statement waits")
        return waiter

    def test_the_wait_ends_with_57p03_and_the_session_goes_on(self):
        proxy = self.start(failover_wait="700ms")
        client = self.connect(proxy)
        self.lose_primary(proxy)
        waiter = Waiter(client, "INSERT INTO ledger (id) VALUES (1)")
        waiter.start()
        error = waiter.ended()
        self.assertEqual(error.sqlstate, "57P03")
        self.assertEqual(error.diag.severity, "ERROR")
        self.assertGreater(waiter.took, 0.6)
        self.assertLess(waiter.took, scaled(3))
        self.assertIn(f"127.0.0.1:{servers.primary.port}", error.diag.message_detail)
        self.assertIn("0.7 s (failover_wait)", error.diag.message_hint)
        self.assertEqual(proxy.metric("pgsteer_failover_timeouts_total"), 1)
        servers.heal()
        proxy.wait_log("INFO Primary takes statements again")
        client.execute("INSERT INTO ledger (id) VALUES (1)")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 1"), 1)

    def test_statements_run_in_the_order_they_came(self):
        # One connection, and a wait much longer than acquire_timeout allows for a busy pool.
        proxy = self.start(pool_size=1, acquire_timeout=ms(500))
        clients = [self.connect(proxy) for _ in range(6)]
        self.lose_primary(proxy)
        waiters = [self.waiting(proxy, client, f"INSERT INTO ledger (id) VALUES ({200 + number})", number + 1)
                   for number, client in enumerate(clients)]
        # Longer than acquire_timeout: that clock must not have run.
        wait_until(lambda: proxy.metric("pgsteer_pool_oldest_wait_seconds") > scaled(0.8), message="they have waited long")
        servers.heal()
        self.assertEqual([waiter.ended() for waiter in waiters], [None] * 6)
        rows = servers.primary.ask("SELECT id FROM ledger WHERE id BETWEEN 200 AND 299 ORDER BY at")
        self.assertEqual([row[0] for row in rows], [200, 201, 202, 203, 204, 205])

    def test_the_queue_has_bounds(self):
        for bound in ({"failover_queue": 1}, {"failover_queue_memory": "60B"}):
            with self.subTest(bound):
                proxy = self.start(**bound)
                first, second = self.connect(proxy), self.connect(proxy)
                self.lose_primary(proxy)
                waiter = self.waiting(proxy, first, "INSERT INTO ledger (id) VALUES (3)", 1)
                with self.assertRaises(psycopg.Error) as caught:
                    second.execute("INSERT INTO ledger (id) VALUES (4)")
                self.assertEqual(caught.exception.sqlstate, "57P03")
                self.assertIn("failover_queue", caught.exception.diag.message_hint)
                servers.heal()
                self.assertIsNone(waiter.ended())
                second.execute("INSERT INTO ledger (id) VALUES (5)")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 4"), 0)

    def test_the_clients_own_timeout_counts(self):
        proxy = self.start()
        client = self.connect(proxy, options="-c statement_timeout=500")
        self.lose_primary(proxy)
        waiter = Waiter(client, "INSERT INTO ledger (id) VALUES (6)")
        waiter.start()
        self.assertEqual(waiter.ended().sqlstate, "57014")
        self.assertLess(waiter.took, scaled(3))

    def test_a_waiting_statement_can_be_cancelled(self):
        proxy = self.start()
        client = self.connect(proxy)
        self.lose_primary(proxy)
        waiter = self.waiting(proxy, client, "INSERT INTO ledger (id) VALUES (7)", 1)
        client.cancel()
        self.assertEqual(waiter.ended().sqlstate, "57014")

    def test_without_it_a_statement_waits_as_for_any_connection(self):
        proxy = self.start(failover_wait="0")
        client = self.connect(proxy)
        proxy.reload(acquire_timeout="600ms")
        self.lose_primary(proxy)
        waiter = Waiter(client, "INSERT INTO ledger (id) VALUES (8)")
        waiter.start()
        error = waiter.ended()
        self.assertEqual(error.sqlstate, "08006")
        self.assertRegex(str(error), "the primary server .* could not be reached within 0.6 s")
        self.assertGreater(waiter.took, 0.5)
        self.assertLess(waiter.took, scaled(3))
        self.assertEqual(client.execute("SELECT 42").fetchone(), (42,))

    def test_by_default_a_statement_waits_longer_than_for_a_connection(self):
        proxy = self.start(acquire_timeout=ms(500))
        client = self.connect(proxy)
        self.lose_primary(proxy)
        waiter = self.waiting(proxy, client, "INSERT INTO ledger (id) VALUES (12)", 1)
        wait_until(lambda: proxy.metric("pgsteer_pool_oldest_wait_seconds") > scaled(1), message="it has waited long")
        servers.heal()
        self.assertIsNone(waiter.ended())

    def test_a_primary_that_was_never_reached_is_told_soon(self):
        servers.primary.kill()
        self.addCleanup(servers.heal)
        proxy = Proxy(servers.primary.url(), servers.replica.url(), reconnect_delay="100ms", failed_probe_interval="1s")
        self.addCleanup(proxy.stop)
        wait_until(lambda: proxy.health()[1]["db_replica"] == "connected", message="the replica is up")
        client = self.connect(proxy)
        proxy.reload(acquire_timeout="500ms")
        waiter = Waiter(client, "INSERT INTO ledger (id) VALUES (13)")
        waiter.start()
        self.assertEqual(waiter.ended().sqlstate, "08006")
        self.assertLess(waiter.took, scaled(3))
        servers.heal()
        proxy.reload(acquire_timeout=None)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        client.execute("INSERT INTO ledger (id) VALUES (13)")

    def test_new_clients_come_in_and_read(self):
        proxy = self.start()
        self.lose_primary(proxy)
        self.assertEqual(proxy.ask("SELECT 42"), [(42,)])

    def test_a_login_that_nobody_can_answer_fails_in_time(self):
        proxy = self.start(replica=False)
        self.lose_primary(proxy)
        proxy.reload(acquire_timeout="500ms")
        begun = time.monotonic()
        with raw.RawClient(proxy.port) as client:
            answer = client.login()
        self.assertEqual((answer.sqlstates, answer.errors[0]["S"]), (["57P03"], "FATAL"))
        self.assertIn("acquire_timeout", answer.errors[0]["H"])
        self.assertLess(time.monotonic() - begun, scaled(3))

    def test_a_shutdown_ends_statements_not_sessions(self):
        proxy = self.start()
        running, opened, ended = (self.connect(proxy) for _ in range(3))
        opened.execute("BEGIN")
        opened.execute("INSERT INTO ledger (id) VALUES (9)")
        ended.execute("BEGIN")
        ended.execute("INSERT INTO ledger (id) VALUES (9)")
        waiter = Waiter(running, "INSERT INTO ledger (id) SELECT 9 FROM pg_sleep(60) /* long */")
        waiter.start()
        wait_until(lambda: servers.ran("/* long */"), message="the statement runs")
        servers.primary.stop()
        error = waiter.ended()
        self.assertEqual((error.sqlstate, error.diag.severity), ("08006", "ERROR"))
        self.assertIn("terminating connection due to administrator command", error.diag.message_detail)
        servers.heal()
        for sql in ("SELECT 1", "COMMIT"):
            client = opened if sql == "SELECT 1" else ended
            with self.assertRaises(psycopg.Error) as caught:
                client.execute(sql)
            self.assertEqual(caught.exception.sqlstate, "08006")
        opened.execute("ROLLBACK")
        for client in (running, opened, ended):
            client.execute("INSERT INTO ledger (id) VALUES (10)")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 9"), 0)
        self.assertEqual(servers.primary.value("SELECT count(*) FROM ledger WHERE id = 10"), 3)
        self.assertEqual(servers.ran("/* long */"), {"primary": 1})

    def test_a_primary_that_came_back_as_a_standby_gets_no_writes(self):
        proxy = self.start(failover_wait=ms(1000))
        client = self.connect(proxy)
        servers.primary.stop()
        signal_file = f"{servers.primary.data}/standby.signal"
        open(signal_file, "w").close()
        servers.primary.restart()
        try:
            wait_until(lambda: proxy.metric("pgsteer_server_in_recovery", role="primary") == 1, message="seen as a standby")
            waiter = Waiter(client, "INSERT INTO ledger (id) VALUES (11)")
            waiter.start()
            error = waiter.ended()
            self.assertEqual(error.sqlstate, "57P03")
            self.assertIn("it is a standby", error.diag.message_detail)
        finally:
            servers.primary.stop()
            os.unlink(signal_file)
            servers.primary.restart()
        wait_until(lambda: proxy.metric("pgsteer_server_in_recovery", role="primary") == 0, message="a primary again")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy again")
        client.execute("INSERT INTO ledger (id) VALUES (11)")


if __name__ == "__main__":
    unittest.main()
