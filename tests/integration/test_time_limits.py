"""Each time limit ends what it is named after, as PostgreSQL's own would, and nothing else."""

import select
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


class TimeLimits(unittest.TestCase):
    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), settings.pop("replica_url", None), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def client(self, proxy, **changes):
        client = proxy.connect(**changes)
        self.addCleanup(client.close)
        return client

    def wire(self, proxy, *statements, **login):
        """A client that has sent these statements, all at once: no limit runs out between them. It sees every byte."""
        wire = raw.logged_in(proxy.port, **login)
        self.addCleanup(wire.close)
        wire.send(*(raw.query(sql) for sql in statements))
        return wire

    def assert_ended(self, wire, sqlstate):
        """Behind what it has answered, the proxy ends the session by itself, with this FATAL error; returns its fields."""
        answer = wire.read_until("", timeout=15)
        said = answer.errors[-1]
        self.assertTrue(answer.closed)
        self.assertEqual((answer.frames[-1].type, said["V"], said["C"]), ("E", "FATAL", sqlstate))
        return said

    def nothing_is_open(self):
        """No transaction of a client is left on the primary."""
        return servers.primary.value("SELECT count(*) FROM pg_stat_activity WHERE application_name <> 'test'"
                                     " AND (state LIKE 'idle in%%' OR query LIKE '%%pg_sleep(60)%%' AND state = 'active')"
                                     " AND backend_type = 'client backend'") == 0

    def test_a_query_is_cancelled_and_the_connection_goes_on(self):
        for on, replica in (("primary", None), ("replica", servers.replica.url())):
            with self.subTest(on):
                proxy = self.start(replica_url=replica, query_timeout="300ms", pool_size=1)
                client = self.client(proxy)
                begun = time.monotonic()
                with self.assertRaises(psycopg.errors.QueryCanceled) as caught:
                    client.execute("SELECT pg_sleep(60)")
                self.assertGreaterEqual(time.monotonic() - begun, 0.3)
                self.assertLess(time.monotonic() - begun, scaled(10))
                self.assertEqual(caught.exception.diag.message_primary, "canceling statement due to statement timeout")
                self.assertIn("query_timeout is 300ms", caught.exception.diag.message_hint)
                wait_until(self.nothing_is_open, message="the server has ended it")
                proxy.reload(query_timeout=None)
                self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))
                self.assertEqual(proxy.metric("pgsteer_query_timeouts_total"), 1)

    def test_a_cancelled_query_fails_its_transaction(self):
        proxy = self.start()
        client = self.client(proxy)
        client.execute("BEGIN")
        client.execute("INSERT INTO thing VALUES (1)")
        proxy.reload(query_timeout="300ms")
        with self.assertRaises(psycopg.errors.QueryCanceled):
            client.execute("SELECT pg_sleep(60)")
        self.assertEqual(client.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        proxy.reload(query_timeout=None)
        client.execute("ROLLBACK")
        self.assertEqual(client.execute("SELECT count(*) FROM thing").fetchone(), (0,))

    def test_time_between_queries_does_not_count(self):
        proxy = self.start(query_timeout="2s")
        client = self.client(proxy)
        client.execute("BEGIN")
        for _ in range(11):  # together longer than the limit
            client.execute("SELECT pg_sleep(0.2)")
        client.execute("COMMIT")

    def test_a_pipeline_is_in_step_after_the_cancel(self):
        proxy = self.start(query_timeout="1s")
        with raw.logged_in(proxy.port) as wire:
            wire.send(raw.parse("SELECT pg_sleep(60)"), raw.bind(), raw.execute(), raw.parse("SELECT 2"), raw.bind(),
                      raw.execute(), raw.SYNC, raw.parse("SELECT 3"), raw.bind(), raw.execute(), raw.SYNC)
            first, second = wire.answer(), wire.answer()
            self.assertEqual(first.sqlstates, ["57014"])
            self.assertEqual(second.rows, [[b"3"]])

    def test_the_clients_own_cancel_keeps_its_words(self):
        proxy = self.start(query_timeout="1h")
        client = self.client(proxy)
        client.pgconn.send_query(b"SELECT pg_sleep(60)")
        wait_until(lambda: not self.nothing_is_open(), message="it runs")
        client.cancel()
        while client.pgconn.is_busy():
            select.select([client.fileno()], [], [], scaled(5))
            client.pgconn.consume_input()
        message = client.pgconn.get_result().error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY)
        self.assertEqual(message, b"canceling statement due to user request")

    def test_idle_in_transaction_is_rolled_back(self):
        proxy = self.start(idle_in_transaction_timeout="300ms", pool_size=1)
        other = self.client(proxy)
        client = self.wire(proxy, "BEGIN", "INSERT INTO thing VALUES (1)")
        said = self.assert_ended(client, "25P03")
        self.assertEqual(said["M"], "terminating connection due to idle-in-transaction timeout")
        self.assertIn("idle_in_transaction_timeout is 300ms", said["H"])
        # The backend is free again, and clean.
        self.assertEqual(other.execute("SELECT count(*) FROM thing").fetchone(), (0,))
        self.assertEqual(proxy.metric("pgsteer_backend_connects_total"), 1)
        self.assertTrue(proxy.wait_log("exceeded a time limit.*limit=idle_in_transaction_timeout"))

    def test_a_failed_transaction_is_idle_too(self):
        proxy = self.start(idle_in_transaction_timeout="300ms")
        self.assert_ended(self.wire(proxy, "BEGIN", "SELECT 1/0"), "25P03")

    def test_a_busy_transaction_is_not_idle(self):
        proxy = self.start(idle_in_transaction_timeout="300ms")
        client = self.wire(proxy, "BEGIN", "SELECT pg_sleep(1)", "COMMIT")
        self.assertEqual(client.answers(3).tags, ["BEGIN", "SELECT 1", "COMMIT"])

    def test_a_long_transaction_ends_running_or_idle(self):
        for runs in (False, True):
            with self.subTest(runs=runs):
                proxy = self.start(transaction_timeout="500ms", pool_size=1)
                client = self.wire(proxy, "BEGIN", "INSERT INTO thing VALUES (1)", *(["SELECT pg_sleep(60)"] if runs else []))
                self.assert_ended(client, "25P04")
                self.assertEqual(self.client(proxy).execute("SELECT count(*) FROM thing").fetchone(), (0,))
                wait_until(self.nothing_is_open, message="the server has rolled back")

    def test_transactions_one_after_the_other_do_not_add_up(self):
        proxy = self.start(transaction_timeout="2s", pool_mode="session")
        client = self.wire(proxy, *["BEGIN", "SELECT pg_sleep(0.25)", "COMMIT"] * 9)
        self.assertEqual(client.answers(27).tags, ["BEGIN", "SELECT 1", "COMMIT"] * 9)

    def test_idle_clients_are_disconnected_pinned_or_not(self):
        proxy = self.start(client_idle_timeout="1s")
        for client in (self.wire(proxy), self.wire(proxy, "LISTEN channel"), self.wire(proxy, database="pgsteer")):
            self.assert_ended(client, "57P05")
        in_transaction = self.wire(proxy, "BEGIN", "SELECT pg_sleep(1.5)", "COMMIT")
        self.assertEqual(in_transaction.answers(3).tags, ["BEGIN", "SELECT 1", "COMMIT"])

    def test_who_does_not_log_in_is_disconnected(self):
        proxy = self.start(login_timeout="300ms")
        with raw.RawClient(proxy.port) as wire:
            self.assertTrue(wire.is_closed(timeout=10))
        with raw.RawClient(proxy.port) as wire:
            wire.send(raw.startup(user="app", database="app"))
            wire.read_frame()
            self.assertTrue(wire.is_closed(timeout=10))

    def test_a_reload_changes_the_limits_of_what_runs(self):
        proxy = self.start()
        client = self.wire(proxy, "BEGIN")
        self.assertEqual(client.answer().status, "T")
        proxy.reload(idle_in_transaction_timeout="200ms")
        self.assert_ended(client, "25P03")


if __name__ == "__main__":
    unittest.main()
