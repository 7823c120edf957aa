"""pg_terminate_backend() ends the client that it means, as on a server; a server that stops ends nobody."""

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

    def test_one_that_is_idle(self):
        proxy = self.start()
        client, other = self.client(proxy), self.client(proxy)
        self.assertEqual(client.query("SELECT pg_backend_pid(), txid_current() > 0").values[0], str(self.pid(client)))
        terminate(self.pid(client))
        self.ends(client)
        self.assertEqual(other.query("SELECT pg_backend_pid(), txid_current() > 0").values[0], str(self.pid(other)))

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
