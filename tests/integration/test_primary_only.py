"""One variable: everything goes to the primary and nothing else changes."""

import unittest

from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=0)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE account (id int PRIMARY KEY, balance int)", "INSERT INTO account VALUES (1, 100)")


class PrimaryOnly(unittest.TestCase):
    replica_variable = {}

    def setUp(self):
        self.proxy = Proxy(servers.primary.url(), environment=self.replica_variable)
        self.addCleanup(self.proxy.stop)

    def test_reads_and_writes(self):
        with self.proxy.connect() as client:
            client.execute("UPDATE account SET balance = balance + 1 WHERE id = %s", (1,))
            self.assertEqual(client.execute("SELECT id FROM account").fetchall(), [(1,)])
            self.assertEqual(client.execute("SELECT id FROM account WHERE id = %s", (1,)).fetchall(), [(1,)])

    def test_transactions(self):
        with self.proxy.connect(autocommit=False) as client:
            client.execute("INSERT INTO account VALUES (2, 5)")
            client.rollback()
            client.execute("INSERT INTO account VALUES (3, 5)")
            client.execute("DELETE FROM account WHERE id = 3")
            client.commit()
            self.assertEqual(client.execute("SELECT id FROM account").fetchall(), [(1,)])
            client.rollback()
            client.execute("BEGIN READ ONLY")
            self.assertEqual(client.execute("SELECT count(*) FROM account").fetchone(), (1,))
            client.commit()

    def test_health_has_no_replica(self):
        wait_until(lambda: self.proxy.health()[0] == 200, message="healthy")
        status, body = self.proxy.health()
        self.assertEqual((status, body["status"], body["db_primary"], body["db_replica"]),
                         (200, "healthy", "connected", None))
        self.assertEqual(self.proxy.get("/readyz")[0], 200)

    def test_the_log_speaks_of_no_replica(self):
        self.proxy.wait_log(r" INFO Database connection established .*\b127\.0\.0\.1:%d\b" % servers.primary.port)
        self.assertEqual(self.proxy.log_lines("replica configured"), [])


class EmptyReplicaVariable(PrimaryOnly):
    replica_variable = {"DATABASE_REPLICA_URL": ""}


class DefaultAddresses(unittest.TestCase):
    def test_keyword_form_works_as_the_url_does(self):
        keywords = f"host=127.0.0.1 port={servers.primary.port} user=app password='s3cret pass' dbname=app"
        proxy = Proxy(keywords)
        self.addCleanup(proxy.stop)
        self.assertEqual(proxy.ask("SELECT current_user::text"), [("app",)])

    def test_several_hosts_find_the_one_that_works(self):
        url = servers.primary.url().replace(f"127.0.0.1:{servers.primary.port}",
                                            f"127.0.0.1:{free_port()},127.0.0.1:{servers.primary.port}")
        proxy = Proxy(url + "?target_session_attrs=read-write")
        self.addCleanup(proxy.stop)
        self.assertEqual(proxy.ask("SELECT current_user::text"), [("app",)])

    def test_a_unix_socket_is_served_too(self):
        proxy = Proxy(servers.primary.url())
        self.addCleanup(proxy.stop)
        socket_proxy = Proxy(servers.primary.url(), listen=f"127.0.0.1:{free_port()},{proxy.directory}:{proxy.port}")
        self.addCleanup(socket_proxy.stop)
        self.assertEqual(socket_proxy.ask("SELECT current_user::text", host=proxy.directory, port=proxy.port),
                         [("app",)])


if __name__ == "__main__":
    unittest.main()
