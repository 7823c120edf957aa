"""TLS on either side, with every check a URL can ask for."""

import os
import ssl
import struct
import tempfile
import threading
import unittest

import psycopg

from tests.support import certificates, raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, authority, stranger, certificate, key
    directory = tempfile.TemporaryDirectory(prefix="pgsteer-certificates-")
    unittest.addModuleCleanup(directory.cleanup)
    os.chmod(directory.name, 0o755)
    authority = certificates.Authority(directory.name)
    stranger = certificates.Authority(directory.name, "stranger")
    certificate, key = authority.issue("proxy")
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    for server in servers.servers():
        certificates.for_server(authority, server)
        server.restart()
    servers.wait_for_replay()


def start(test, url=None, replica_url=None, **settings):
    proxy = Proxy(url or servers.primary.url(), replica_url, **settings)
    test.addCleanup(proxy.stop)
    return proxy


class Clients(unittest.TestCase):
    def setUp(self):
        self.proxy = start(self, tls_cert_file=certificate, tls_key_file=key)

    def connect(self, **options):
        return self.proxy.connect(**options)

    def test_each_sslmode(self):
        for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
            with self.subTest(mode), self.connect(sslmode=mode, sslrootcert=authority.certificate) as client:
                self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))
                self.assertEqual(client.pgconn.ssl_in_use, mode not in ("disable", "allow"))

    def test_the_certificate_is_checked_by_the_client(self):
        with self.assertRaises(psycopg.OperationalError):
            self.connect(sslmode="verify-ca", sslrootcert=stranger.certificate)
        with self.connect(sslmode="require") as client:
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))

    def test_scram_with_channel_binding(self):
        with self.connect(sslmode="require", channel_binding="require") as client:
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))

    def test_large_results_and_copy(self):
        with self.connect(sslmode="require") as client:
            rows = client.execute("SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g").fetchall()
            self.assertEqual((len(rows), rows[-1][0], len(rows[-1][1])), (20000, 20000, 500))
            client.execute("CREATE TABLE copied (a int, b text)")
            with client.cursor() as cursor:
                with cursor.copy("COPY copied FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            self.assertEqual(client.execute("SELECT count(*), txid_current() > 0 FROM copied").fetchone(), (20000, True))

    def test_required(self):
        strict = start(self, tls="require", tls_cert_file=certificate, tls_key_file=key)
        with strict.connect(sslmode="require") as client:
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))
        with self.assertRaises(psycopg.OperationalError) as caught:
            strict.connect(sslmode="disable")
        self.assertRegex(str(caught.exception), "(?i)ssl|tls")

    def test_bytes_before_the_handshake_end_the_connection(self):
        with raw.RawClient(self.proxy.port) as client:
            client.send(struct.pack("!ii", 8, raw.SSL_REQUEST), raw.startup(user="app", database="app"))
            answer = client.socket.recv(1)
            if answer == b"S":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(authority.certificate)
                with self.assertRaises((ssl.SSLError, ConnectionError, EOFError, OSError)):
                    context.wrap_socket(client.socket, server_hostname="localhost")
            else:
                self.assertIn(answer, (b"", b"E"))

    def direct(self, protocols):
        """A client that begins with TLS, as libpq 17 does with sslnegotiation=direct."""
        client = raw.RawClient(self.proxy.port)
        self.addCleanup(client.close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(authority.certificate)
        if protocols:
            context.set_alpn_protocols(protocols)
        client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
        return client

    def test_direct_tls_agrees_on_the_protocol(self):
        client = self.direct(["http/1.1", "postgresql"])
        self.assertEqual(client.socket.selected_alpn_protocol(), "postgresql")
        self.assertEqual(client.login().status, "I")
        self.assertEqual(client.query("SELECT 1").values, ["1"])

    def test_direct_tls_of_something_else_is_closed(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.direct(["http/1.1"]).read_bytes(1)
        try:
            self.assertTrue(self.direct([]).is_closed())
        except (ssl.SSLError, ConnectionError):
            pass  # as good an end

    def test_gss_inside_tls_is_refused(self):
        with raw.RawClient(self.proxy.port) as client:
            self.assertEqual(client.request_ssl(), b"S")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(authority.certificate)
            client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
            client.send(struct.pack("!ii", 8, raw.GSSENC_REQUEST))
            first = client.socket.recv(1)
            self.assertIn(first, (b"N", b"E", b""))

    def test_a_new_certificate_after_reload_and_a_broken_one(self):
        new_certificate, new_key = stranger.issue("renewed")
        self.proxy.reload(tls_cert_file=new_certificate, tls_key_file=new_key)
        with self.connect(sslmode="verify-full", sslrootcert=stranger.certificate) as client:
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))
        self.proxy.reload(tls_cert_file=certificate, expect="ERROR")  # the key is another's
        with self.connect(sslmode="verify-full", sslrootcert=stranger.certificate) as client:
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))

    def test_a_cancel_over_tls(self):
        with self.connect(sslmode="require") as client:
            def cancel_what_runs():
                wait_until(lambda: any(server.ask("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                                                  " AND state = 'active'") for server in servers.servers()), message="it runs")
                client.cancel()
            canceller = threading.Thread(target=cancel_what_runs)
            canceller.start()
            with self.assertRaises(psycopg.errors.QueryCanceled):
                client.execute("SELECT pg_sleep(60)")
            canceller.join()


class Backends(unittest.TestCase):
    def uses_tls(self, proxy, **client):
        return proxy.ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", **client)[0][0]

    def test_each_sslmode(self):
        for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
            with self.subTest(mode):
                options = {"sslmode": mode, "sslrootcert": authority.certificate}
                proxy = start(self, servers.primary.url(**options), servers.replica.url(**options))
                self.assertEqual(self.uses_tls(proxy), mode not in ("disable", "allow"))
                self.assertEqual(proxy.ask("SELECT 1"), [(1,)])

    def test_a_server_that_insists_on_tls(self):
        login = {"user": "tls_only", "password": "tls pass"}
        proxy = start(self, servers.primary.url(**login, sslmode="require"))
        self.assertTrue(self.uses_tls(proxy, **login))

    def test_large_results_both_ways(self):
        proxy = start(self, servers.primary.url(sslmode="require"), servers.replica.url(sslmode="require"))
        self.assertEqual(proxy.ask("SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 20000)"),
                         [(20_000_000,)])
        rows = proxy.ask("SELECT g, repeat('y', 1000) FROM generate_series(1, 20000) g")
        self.assertEqual((len(rows), rows[-1]), (20000, (20000, "y" * 1000)))
        self.assertEqual(proxy.ask("SELECT length(%s), txid_current() > 0", ("z" * 5_000_000,)), [(5_000_000, True)])

    def test_a_server_whose_certificate_is_a_strangers(self):
        url = servers.primary.url(sslmode="verify-ca", sslrootcert=stranger.certificate)
        proxy = start(self, url, acquire_timeout="500ms")
        with self.assertRaises(psycopg.OperationalError):
            proxy.ask("SELECT 1")
        proxy.wait_log("(?i)certificate")


if __name__ == "__main__":
    unittest.main()
