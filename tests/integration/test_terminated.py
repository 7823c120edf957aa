"""pg_terminate_backend() ends the client that it means, as on a server; a server that stops ends nobody."""

import signal
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

WORDS = "terminating connection due to administrator command"


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


def terminate(pid):
    assert servers.primary.value("SELECT pg_terminate_backend(%s)", (pid,))


class Terminated(unittest.TestCase):
    def start(self, replica=None, **settings):
        proxy = Proxy(servers.primary.url(), replica, **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def client(self, proxy):
        client = raw.logged_in(proxy.port)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def pid(client):
        return int.from_bytes(client.key[:4], "big")

    def ends(self, client):
        answer = client.read_until("Z")
        self.assertTrue(answer.closed)
        self.assertEqual([(e["V"], e["C"], e["M"]) for e in answer.errors], [("FATAL", "57P01", WORDS)])

    def test_one_that_runs_a_statement(self):
        proxy = self.start()
        client, other = self.client(proxy), self.client(proxy)
        client.send(raw.query("SELECT txid_current(), pg_sleep(60)"))
        pid = wait_until(lambda: servers.primary.ask(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%' AND pid <> pg_backend_pid()"
            " AND state = 'active'"), message="it runs")[0][0]
        terminate(pid)
        self.ends(client)
        self.assertEqual(other.query("SELECT 1").values, ["1"])

    def test_several_that_run_statements(self):
        proxy = self.start()
        clients, idle = [self.client(proxy) for _ in range(3)], self.client(proxy)
        for client in clients:
            client.send(raw.query("SELECT txid_current(), pg_sleep(61)"))
        pids = wait_until(lambda: (rows := servers.primary.ask(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(61)%%' AND pid <> pg_backend_pid()"
            " AND state = 'active'")) and len(rows) == 3 and rows, message="they run")
        for (pid,) in pids:
            terminate(pid)
        for client in clients:
            self.ends(client)
        self.assertEqual(idle.query("SELECT pg_backend_pid()").values, [str(self.pid(idle))], "its own connection stays")

    def test_one_that_is_idle(self):
        proxy = self.start()
        client, other = self.client(proxy), self.client(proxy)
        self.assertEqual(client.query("SELECT pg_backend_pid(), txid_current() > 0").values[0], str(self.pid(client)))
        terminate(self.pid(client))
        self.ends(client)
        self.assertEqual(other.query("SELECT pg_backend_pid(), txid_current() > 0").values[0], str(self.pid(other)))

    def elsewhere(self, begin):
        """A client whose statement runs on another connection than the one it was told, and somebody to end it."""
        proxy = self.start(backend_rotation="always", pool_size=4)
        proxy.fill_pools(4)
        client, other = self.client(proxy), self.client(proxy)

        def is_elsewhere():
            client.query("ROLLBACK")
            return client.query(f"BEGIN; {begin}; SELECT pg_backend_pid()").values[-1] != str(self.pid(client))
        wait_until(is_elsewhere, message="it runs on another connection")
        return client, other

    def test_one_whose_block_is_on_another_connection(self):
        client, other = self.elsewhere("SELECT 1")
        self.assertEqual(other.query(f"SELECT pg_terminate_backend({self.pid(client)})").values, ["t"])
        self.ends(client)
        self.assertEqual(other.query("SELECT 1").values, ["1"])

    def test_one_that_sends_rows_on_another_connection(self):
        client, other = self.elsewhere("SELECT 1")
        client.send(raw.query("COPY thing FROM STDIN"))
        client.read_until("G")
        self.assertEqual(other.query(f"SELECT pg_terminate_backend({self.pid(client)})").values, ["t"])
        self.ends(client)
        self.assertEqual(other.query("SELECT count(*) FROM thing").values, ["0"])

    def test_one_that_writes_on_another_connection(self):
        client, other = self.elsewhere("SELECT txid_current()")
        client.send(raw.query("INSERT INTO thing SELECT 1 FROM pg_sleep(60); COMMIT"))
        wait_until(lambda: servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT%' AND state = 'active'"),
                   message="it runs")
        self.assertEqual(other.query(f"SELECT pg_terminate_backend({self.pid(client)})").values, ["t"])
        self.ends(client)
        wait_until(lambda: not servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT%' AND state = 'active'"),
                   message="what it ran is cancelled")
        self.assertEqual(other.query("SELECT count(*) FROM thing").values, ["0"])

    def test_one_that_reads_on_a_replica_reads_nothing_more(self):
        servers.wait_for_replay()
        proxy = self.start(servers.replica.url(), pool_mode="session", pool_size=30)
        reader, other = self.client(proxy), self.client(proxy)

        def leaves():
            mark = f"/* leaves {self.id()} */"
            self.assertEqual(reader.query(f"SELECT count(*) FROM thing {mark}").values, ["0"])
            return servers.replica.name in servers.ran(mark)
        wait_until(leaves, message="reads leave")
        for _ in range(20):
            client = self.client(proxy)
            self.assertEqual(client.query("SELECT count(*) FROM thing").values, ["0"])
            self.assertEqual(other.query(f"SELECT pg_terminate_backend({self.pid(client)})").values, ["t"])
            client.send(raw.query("SELECT count(*) FROM thing"))
            self.ends(client)

    def test_one_that_has_sent_more_meets_the_end_of_the_connection_and_no_reset(self):
        # A reset may cost a client the words that came before it, and reads otherwise in a driver.
        proxy = self.start()
        other = self.client(proxy)
        for _ in range(3):
            client = self.client(proxy)
            self.assertEqual(client.query("SELECT 1").values, ["1"])
            self.assertEqual(other.query(f"SELECT pg_terminate_backend({self.pid(client)})").values, ["t"])
            client.send(raw.query("SELECT 2"))
            self.assertEqual(client.read_frame().type, "E")
            self.assertEqual(client.socket.recv(1), b"")

    def test_one_whose_answer_and_end_come_together(self):
        proxy = self.start()
        wait_until(lambda: proxy.health()[0] == 200, message="connected")
        client = self.client(proxy)
        client.send(raw.query("SELECT pg_sleep(0.3)"))
        state = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query = 'SELECT pg_sleep(0.3)' AND state = %s"
        wait_until(lambda: servers.primary.ask(state, (self.pid(client), "active")), message="it runs")
        proxy.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: servers.primary.ask(state, (self.pid(client), "idle")), message="it is over")
            terminate(self.pid(client))
            wait_until(lambda: not servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (self.pid(client),)),
                       message="the process is gone")
        finally:
            proxy.process.send_signal(signal.SIGCONT)
        answer = client.read_until("Z")
        self.assertEqual((len(answer.values), answer.errors), (1, []))
        self.ends(client)

    def held_in_question(self, statement, **settings):
        """A client that has its answer, while its server connection cannot say what the statement left."""
        holder = servers.primary.connect()
        holder.autocommit = False
        # From the one is read what a session has left, from the other the catalog.
        holder.cursor().execute("LOCK TABLE pg_catalog.pg_depend, pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE")
        proxy = self.start(reconnect_delay="100ms", **settings)
        self.addCleanup(holder.close)
        client = self.client(proxy)
        self.assertEqual(client.query(statement).errors, [])
        wait_until(lambda: servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'relation'",
                                               (self.pid(client),)), message="it is asked, and cannot answer")
        return proxy, client

    def test_one_whose_write_may_have_left_something(self):
        proxy, client = self.held_in_question("SELECT txid_current()")
        other = self.client(proxy)
        terminate(self.pid(client))
        self.ends(client)
        self.assertEqual(other.query("SELECT pg_backend_pid()").values, [str(self.pid(other))])

    def test_one_that_has_set_something(self):
        client = self.held_in_question("SELECT set_config('work_mem', '5MB', false)")[1]
        terminate(self.pid(client))
        self.ends(client)

    def test_a_server_that_restarts_after_a_write_that_may_have_left_something(self):
        proxy, client = self.held_in_question("SELECT txid_current()")
        servers.primary.restart()
        servers.primary.wait_ready()
        wait_until(lambda: proxy.health()[0] == 200, message="it is found again")
        answer = client.query("SELECT 2")
        self.assertEqual(answer.values, ["2"], answer.errors)

    def test_one_that_asks_again_at_once(self):
        proxy = self.start()
        for _ in range(10):
            client = self.client(proxy)
            terminate(self.pid(client))
            wait_until(lambda c=client: not servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s",
                                                                (self.pid(c),)), message="the process is gone")
            client.send(raw.query("SELECT 1"))
            self.ends(client)

    def test_one_that_is_idle_in_a_transaction(self):
        proxy = self.start()
        client = self.client(proxy)
        client.query("BEGIN")
        client.query("INSERT INTO thing VALUES (1)")
        terminate(self.pid(client))
        self.ends(client)

    def test_one_of_session_mode_whose_read_runs_on_a_replica(self):
        proxy = self.start(servers.replica.url(), pool_mode="session", consistency="eventual")
        wait_until(lambda: proxy.health()[0] == 200, message="both are connected")
        client = self.client(proxy)
        client.send(raw.query("SELECT pg_sleep(60)"))
        wait_until(lambda: servers.replica.ask("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                                               " AND state = 'active'"), message="it runs on the replica")
        terminate(self.pid(client))
        self.ends(client)
        wait_until(lambda: not servers.replica.ask("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                                                   " AND state = 'active'"), message="the replica is spared the rest")

    def test_a_server_that_restarts_ends_no_idle_client(self):
        proxy = self.start(reconnect_delay="100ms")
        client = self.client(proxy)
        self.assertEqual(client.query("SELECT 1").values, ["1"])
        servers.primary.restart()
        servers.primary.wait_ready()
        wait_until(lambda: proxy.health()[0] == 200, message="it is found again")
        answer = client.query("SELECT 2")
        self.assertEqual(answer.values, ["2"], answer.errors)


if __name__ == "__main__":
    unittest.main()
