"""Users of whom pgsteer knows a verifier alone: what a client's proof shows opens the servers' connections."""

import os
import tempfile
import unittest

from tests.support import certificates, raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

OTHER = {"user": "other", "password": "other pass"}
OLD = {"user": "old_style", "password": "md5 pass"}


def setUpModule():
    global servers, authority
    directory = tempfile.TemporaryDirectory(prefix="pgsteer-certificates-")
    unittest.addModuleCleanup(directory.cleanup)
    os.chmod(directory.name, 0o755)
    authority = certificates.Authority(directory.name)
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE mine (id int)", "INSERT INTO mine VALUES (1)", "GRANT SELECT ON mine TO PUBLIC")


def verifier(role):
    return servers.primary.value("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role,))


def start(test, *users, urls=None, **settings):
    primary, replica = urls or (servers.primary.url(), servers.replica.url())
    proxy = Proxy(primary, replica, users=[{"name": name, "password": secret} for name, secret in users],
                  consistency="eventual", **settings)
    test.addCleanup(proxy.stop)
    wait_until(lambda: proxy.health()[0] == 200, message="both servers are connected")
    return proxy


def sqlstates(port, **login):
    with raw.RawClient(port) as client:
        return client.login(**login).sqlstates


class Scram(unittest.TestCase):
    def serves(self, proxy, login):
        with proxy.connect(**login) as client:
            name = login["user"]
            self.assertEqual(client.execute("SELECT current_user::text, txid_current() > 0").fetchone(), (name, True))
            mark = f"/* as {name} {os.urandom(4).hex()} */"
            client.execute(f"SELECT id FROM mine {mark}")
            self.assertEqual(servers.ran(mark), {"replica1": 1})

    def test_a_verifier_serves_on_both_servers(self):
        proxy = start(self, ("other", verifier("other")))
        self.serves(proxy, OTHER)
        self.assertEqual(sqlstates(proxy.port, user="other", password="guess"), ["28P01"])
        self.serves(proxy, OTHER)
        self.assertNotIn("SCRAM-SHA-256$", proxy.log())

    def test_connections_are_opened_with_nobody_there_since(self):
        """What was proven is kept while a client is there, and proven anew by the next one."""
        proxy = start(self, ("other", verifier("other")), server_idle_timeout="1s")
        self.serves(proxy, OTHER)
        wait_until(lambda: servers.primary.backends("other") == [], message="its connections are closed")
        self.serves(proxy, OTHER)

    def test_over_tls_with_channel_binding(self):
        for server in servers.servers():
            certificates.for_server(authority, server)
            server.restart()
        servers.wait_for_replay()
        options = {"sslmode": "verify-full", "sslrootcert": authority.certificate, "channel_binding": "require"}
        urls = tuple(server.url(**options) for server in servers.servers())
        proxy = start(self, ("other", verifier("other")), urls=urls)
        self.serves(proxy, OTHER)
        self.assertEqual(servers.primary.ask("SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
                                             " WHERE a.usename = 'other'"), [(True,)])

    def test_a_verifier_that_the_server_no_longer_has(self):
        proxy = start(self, ("plain", verifier("other")))
        with raw.RawClient(proxy.port) as client:
            answer = client.login(user="plain", password="other pass")
        self.assertEqual(answer.sqlstates, ["28000"])  # plain is asked for its password in clear text
        proxy = start(self, ("quiet", verifier("other")))
        with raw.RawClient(proxy.port) as client:
            answer = client.login(user="quiet", password="other pass")
        self.assertEqual(answer.sqlstates, ["28P01"])
        self.assertIn("another salt", answer.errors[0]["M"])


class Md5(unittest.TestCase):
    def test_an_md5_verifier_serves_old_clients_and_servers(self):
        proxy = start(self, ("old_style", verifier("old_style")), auth="md5")
        with proxy.connect(**OLD) as client:
            self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("old_style",))
        self.assertEqual(sqlstates(proxy.port, user="old_style", password="guess"), ["28P01"])


if __name__ == "__main__":
    unittest.main()
