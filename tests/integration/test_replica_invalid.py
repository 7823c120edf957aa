"""A replica that cannot be reached at start: reads go to the primary, operators are told, it heals by itself."""

import unittest

from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)")


class InvalidReplica(unittest.TestCase):
    def start(self, replica_url, **settings):
        proxy = Proxy(servers.primary.url(), replica_url, **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def assert_reads_work(self, proxy, mark):
        with proxy.connect() as client:
            for _ in range(3):
                self.assertEqual(client.execute(f"SELECT id FROM thing -- {mark}").fetchall(), [(1,)])
            client.execute(f"DELETE FROM thing WHERE id = 0 -- {mark}")
        self.assertEqual(servers.ran(mark), {"primary": 4})

    def assert_unhealthy(self, proxy):
        def told():
            status, body = proxy.health()
            return status, body["status"], body["db_primary"], body["db_replica"]
        wait_until(lambda: told() == (503, "unhealthy", "connected", "disconnected"), message=f"not {told()}")
        self.assertEqual(proxy.get("/livez")[0], 200)
        self.assertEqual(proxy.get("/readyz")[0], 200)

    def test_nothing_listens(self):
        port = free_port()
        proxy = self.start(servers.replica.url(port=port))
        self.assert_reads_work(proxy, "bad port")
        self.assert_unhealthy(proxy)
        line, = proxy.wait_log(r"WARN Connection attempt 1 failed: connection refused\. Retrying in 2s")[:1]
        self.assertIn(f"127.0.0.1:{port}", line)
        proxy.wait_log("INFO Database replica configured - read queries will be routed to replica")

    def test_the_host_name_is_unknown(self):
        proxy = self.start(servers.replica.url(host="replica.invalid"))
        self.assert_reads_work(proxy, "bad host name")
        self.assert_unhealthy(proxy)
        proxy.wait_log(r"WARN Connection attempt 1 failed: .*Retrying in 2s.*replica\.invalid")

    def test_the_password_is_wrong(self):
        proxy = self.start(servers.replica.url(password="wrong secret"))
        self.assert_reads_work(proxy, "bad password")
        self.assert_unhealthy(proxy)
        proxy.wait_log(r"WARN Connection attempt 1 failed: .*authentication failed.*Retrying in 2s")
        self.assertNotIn("wrong secret", proxy.log())

    def test_it_is_read_as_another_user(self):
        servers.primary.ask("CREATE ROLE reader LOGIN PASSWORD 'r'")
        self.addCleanup(servers.primary.ask, "DROP ROLE reader")
        servers.wait_for_replay()
        proxy = self.start(servers.replica.url(user="reader", password="r"))
        line, = proxy.wait_log(r"WARN Replica is read as another user than the primary")[:1]
        self.assertIn("user=reader", line)
        same = self.start(servers.replica.url())
        same.wait_log("Database replica configured")
        self.assertEqual(same.log_lines("another user"), [])

    def test_the_attempts_end_and_a_query_begins_them_anew(self):
        servers.replica.stop()
        self.addCleanup(servers.heal)
        proxy = self.start(servers.replica.url(), reconnect_delay="20ms")
        self.assert_reads_work(proxy, "attempts")
        for attempt in (1, 2, 3, 4):
            proxy.wait_log(rf"WARN Connection attempt {attempt} failed: connection refused\. Retrying in ")
        line, = proxy.wait_log("ERROR Failed to establish connection after 5 attempts")[:1]
        self.assertIn(f"127.0.0.1:{servers.replica.port}", line)
        servers.heal()
        def read_runs_on_replica():
            proxy.ask("SELECT id FROM thing -- healed")
            return "replica1" in servers.ran("-- healed")
        wait_until(read_runs_on_replica, message="reads reach the replica that came late")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy again")


if __name__ == "__main__":
    unittest.main()
