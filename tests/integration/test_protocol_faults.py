"""Broken and hostile clients: each gets an SQLSTATE or a clean close, the proxy lives, others notice nothing."""

import os
import socket
import struct
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import shown
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3)
    unittest.addModuleCleanup(proxy.stop)


class Faults(unittest.TestCase):
    """A bystander with an open transaction and a value of its own watches over each test."""

    def setUp(self):
        self.bystander = raw.logged_in(proxy.port)
        self.addCleanup(self.bystander.close)
        self.bystander.query("SET application_name = 'bystander'")
        self.bystander.query("BEGIN")
        self.bystander.query("INSERT INTO thing VALUES (2)")

    def tearDown(self):
        self.assertTrue(proxy.is_running(), proxy.log()[-2000:])
        self.assertEqual(self.bystander.query("SELECT count(*) FROM thing").values, ["2"])
        self.assertEqual(self.bystander.query("ROLLBACK").status, "I")
        self.assertEqual(self.bystander.query("SHOW application_name").values, ["bystander"])
        with raw.logged_in(proxy.port) as client:
            self.assertEqual(client.query("SELECT id FROM thing").values, ["1"])
            self.assertEqual(client.query("DELETE FROM thing WHERE id = 0").tags, ["DELETE 0"])

    def assert_ended(self, client, sqlstates=("08P01",)):
        """The connection ends, silently or with a FATAL error of one of `sqlstates`."""
        answer = client.read_until("")
        self.assertTrue(answer.closed)
        self.assertLessEqual(set(answer.sqlstates), set(sqlstates), answer.errors)
        for error in answer.errors:
            self.assertIn(error["S"], ("FATAL", "ERROR"))


class BeforeLogin(Faults):
    def sent(self, *parts):
        client = raw.RawClient(proxy.port)
        self.addCleanup(client.close)
        client.send(*parts)
        return client

    def test_broken_startup_packets(self):
        for packet in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", struct.pack("!i", 0), struct.pack("!i", 3),
                       struct.pack("!i", 4), struct.pack("!i", 7) + b"abc", struct.pack("!i", -1), struct.pack("!i", -2**31),
                       struct.pack("!i", 2**31 - 1), b"\xff" * 64, os.urandom(64), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                       raw.startup(user="x" * 11000), struct.pack("!ii", 8, 3 << 16),
                       struct.pack("!ii", 14, 3 << 16) + b"user\0x", struct.pack("!ii", 12, 3 << 16) + b"user",
                       struct.pack("!ii", 9, 3 << 16) + b"\0", raw.startup(user=""), raw.startup(database="x")):
            with self.subTest(packet[:40]):
                client = self.sent(packet)
                client.socket.shutdown(socket.SHUT_WR)
                self.assert_ended(client, ("08P01", "28000", "0A000", "3D000", "28P01"))

    def test_a_startup_packet_of_eleven_kilobytes_is_refused_at_once(self):
        client = self.sent(raw.startup(user="app", application_name="y" * 11000))
        self.assert_ended(client)

    def test_duplicate_keys_and_embedded_zeros(self):
        body = struct.pack("!i", 3 << 16) + b"user\0app\0user\0nobody\0database\0app\0\0"
        client = self.sent(struct.pack("!i", len(body) + 4) + body)
        self.assertIn(client.read_frame().type, "RE")
        body = struct.pack("!i", 3 << 16) + b"user\0app\0\0database\0app\0\0"
        self.assertTrue(self.sent(struct.pack("!i", len(body) + 4) + body).read_until("RE").frames or True)

    def test_encryption_requests_round_and_round(self):
        ssl, gss = struct.pack("!ii", 8, raw.SSL_REQUEST), struct.pack("!ii", 8, raw.GSSENC_REQUEST)
        client = self.sent(ssl)
        self.assertEqual(client.read_bytes(1), b"N")
        client.send(gss)
        self.assertEqual(client.read_bytes(1), b"N")
        client.send(ssl)
        self.assert_ended(client, ("08P01", "0A000"))

    def test_a_startup_byte_by_byte(self):
        client = self.sent()
        for byte in raw.startup(user="app", database="app"):
            client.send(bytes([byte]))
        self.assertEqual(client.read_frame().type, "R")

    def test_messages_before_authentication(self):
        for message in (raw.query("SELECT 1"), raw.parse("SELECT 1") + raw.SYNC, raw.TERMINATE, raw.SYNC,
                        raw.frame("d", b"x"), raw.frame("F", b"")):
            with self.subTest(message):
                client = self.sent(raw.startup(user="app", database="app"))
                self.assertEqual(client.read_frame().type, "R")
                client.send(message)
                self.assert_ended(client, ("08P01", "28P01"))

    def test_broken_scram_messages(self):
        sasl = raw.text("SCRAM-SHA-256")
        first = b"n,,n=,r=abcdefghijkl"
        for body in (b"", b"\0", raw.text("PLAIN") + struct.pack("!i", -1), sasl, sasl + struct.pack("!i", 2**31 - 1),
                     sasl + struct.pack("!i", -5) + first, sasl + struct.pack("!i", 1000) + first,
                     sasl + struct.pack("!i", 3) + b"n,,", sasl + struct.pack("!i", 9) + b"n,,n=,r=\xff",
                     sasl + struct.pack("!i", len(b"y,,n=,r=abc")) + b"y,,n=,r=abc\0extra",
                     sasl + struct.pack("!i", len(b"p=tls-unique,,n=,r=abc")) + b"p=tls-unique,,n=,r=abc",
                     raw.text("SCRAM-SHA-256-PLUS") + struct.pack("!i", len(first)) + first,
                     sasl + struct.pack("!i", 60000) + b"n,,n=,r=" + b"a" * 59992):
            with self.subTest(body[:60]):
                client = self.sent(raw.startup(user="app", database="app"))
                self.assertEqual(client.read_frame().type, "R")
                client.send(raw.frame("p", body))
                # A nonce of any length is allowed; then the exchange goes on, and ends without a proof.
                answer = client.read_until("RE")
                if answer.types == "R":
                    client.send(raw.frame("p", b"c=biws,r=wrong,p=AAAA"))
                    answer = client.read_until("E")
                self.assertLessEqual(set(answer.sqlstates), {"08P01", "28P01", "28000", "0A000"})
                self.assertTrue(answer.closed or client.is_closed())

    def test_an_oversized_authentication_message(self):
        client = self.sent(raw.startup(user="app", database="app"))
        client.read_frame()
        try:
            client.send(b"p" + struct.pack("!i", 70000), b"x" * 69996)
        except ConnectionError:
            pass
        self.assert_ended(client, ("08P01", "28P01"))


class AfterLogin(Faults):
    def setUp(self):
        super().setUp()
        self.client = raw.logged_in(proxy.port)
        self.addCleanup(self.client.close)

    def fresh(self):
        client = raw.logged_in(proxy.port)
        self.addCleanup(client.close)
        return client

    def test_broken_frames_end_the_connection(self):
        for bytes_ in (b"Q" + struct.pack("!i", 0), b"Q" + struct.pack("!i", 3), b"Q" + struct.pack("!i", -1),
                       b"Q" + struct.pack("!i", 2**31 - 1) + b"x" * 100, b"Q" + struct.pack("!i", -2**31),
                       raw.frame("z", b"what"), raw.frame("\x01"), b"\xff" * 10, raw.frame("p", b"late password\0"),
                       b"GET / HTTP/1.1\r\n\r\n", raw.frame("R", struct.pack("!i", 0))):
            with self.subTest(bytes_[:20]):
                client = self.fresh()
                client.send(bytes_)
                self.assert_ended(client)

    def test_malformed_bodies_get_an_error_or_a_close(self):
        count = struct.pack
        for frame in (raw.frame("Q"), raw.frame("Q", b"SELECT 1"), raw.frame("P", b"no end"), raw.frame("P", b"\0SELECT 1\0"),
                      raw.frame("P", b"\0SELECT 1\0" + count("!h", 5)), raw.frame("P", b"\0SELECT 1\0" + count("!h", -1)),
                      raw.frame("B", b"\0\0" + count("!hh", 0, 30000)), raw.frame("B", b"\0\0" + count("!hhi", 0, 1, 2**31 - 1)),
                      raw.frame("B", b"\0\0" + count("!h", 32767)), raw.frame("B", b"\0\0" + count("!hhi", 0, 1, -7)),
                      raw.frame("B"), raw.frame("D"), raw.frame("D", b"X\0"), raw.frame("D", b"S"), raw.frame("E"),
                      raw.frame("E", b"\0"), raw.frame("C", b"?x\0"), raw.frame("C"), raw.frame("F", b"\0"),
                      raw.frame("S", b"extra"), raw.frame("H", b"extra")):
            with self.subTest(frame):
                client = self.fresh()
                client.send(raw.parse("SELECT 1"), frame, raw.SYNC)
                answer = client.answer()
                if not answer.closed:
                    if "F" != frame[:1].decode() and frame[:1] not in b"SH":
                        self.assertTrue(answer.errors, answer.frames)
                    self.assertEqual(answer.status, "I")

    def test_what_a_block_was_doing_is_rolled_back(self):
        self.client.query("BEGIN")
        self.client.query("INSERT INTO thing VALUES (3)")
        self.client.send(b"Q" + struct.pack("!i", 1))
        self.assert_ended(self.client)
        wait_until(lambda: servers.primary.value("SELECT count(*) FROM pg_stat_activity WHERE state ="
                                                 " 'idle in transaction' AND usename = 'app'") == 1,
                   message="only the bystander's block is open")

    def test_resets_in_every_state_leave_nothing_dirty(self):
        linger = struct.pack("ii", 1, 0)
        for parts in ((raw.query("BEGIN"), raw.query("INSERT INTO thing VALUES (3)")),
                      (raw.query("COPY thing FROM STDIN"), raw.frame("d", b"3\n")),
                      (raw.parse("INSERT INTO thing VALUES (3)"), raw.bind(), raw.execute()),
                      (raw.parse("BEGIN"), raw.bind(), raw.execute(), raw.SYNC, raw.query("INSERT INTO thing VALUES (3)")),
                      (raw.query("SELECT repeat('x', 10000) FROM generate_series(1, 10000)"),),
                      (raw.query("SELECT pg_sleep(0.2), txid_current()"),), (raw.query("SELECT 1")[:7],)):
            with self.subTest(parts[0]):
                for _ in range(5):
                    client = raw.logged_in(proxy.port)
                    client.send(*parts)
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    client.close()
        wait_until(lambda: servers.primary.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND"
                                                 " state <> 'idle' AND application_name <> 'test'") == 1,
                   message="only the bystander's block is open")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM thing WHERE id = 3"), 0)

    def test_a_flood_of_sync(self):
        self.client.send(raw.SYNC * 20000)
        self.assertEqual(self.client.answers(20000, timeout=30).types, "Z" * 20000)

    def test_a_flood_of_flush_and_close(self):
        self.client.send(raw.FLUSH * 5000, raw.close("S", "x") * 5000, raw.SYNC)
        self.assertEqual(self.client.answer().types, "3" * 5000 + "Z")

    def same_as_direct(self, *parts, ready=1):
        with raw.logged_in(servers.primary.port) as direct:
            direct.send(*parts)
            expected = direct.answers(ready, timeout=30)
        self.client.send(*parts)
        self.assertEqual(shown(self.client.answers(ready, timeout=30).frames), shown(expected.frames))
        return expected

    def test_deep_and_long_statements(self):
        for sql in ("SELECT " + "(" * 20000 + "1" + ")" * 20000, "SELECT 1" + "+1" * 65536, "SELECT " + "-" * 2 + "x" * 100000,
                    "SELECT " + "NOT " * 20000 + "true", "SELECT " + "[" * 20000, "SELECT CASE " * 5000,
                    "SELECT " + "ARRAY[" * 5000 + "1" + "]" * 5000, "SELECT 'a'" + "::text" * 5000):
            with self.subTest(sql[:40]):
                self.same_as_direct(raw.query(sql))
                self.same_as_direct(raw.parse(sql), raw.bind(), raw.execute(), raw.SYNC)

    def test_invalid_utf8(self):
        for text in (b"SELECT '\xff\xfe'", b"SELECT '\xc3'", b"SELECT '\xed\xa0\x80'", b"SELECT \xf0\x9f\x92\xa9"):
            with self.subTest(text):
                self.same_as_direct(raw.frame("Q", text + b"\0"))
                self.same_as_direct(raw.frame("P", b"\0" + text + b"\0\0\0"), raw.bind(), raw.execute(), raw.SYNC)

    def test_unknown_portals_and_statements(self):
        self.same_as_direct(raw.execute("nothing"), raw.SYNC)
        self.same_as_direct(raw.bind(statement="nothing"), raw.execute(), raw.SYNC)
        self.same_as_direct(raw.describe("P", "nothing"), raw.SYNC)

    def test_copy_garbage(self):
        self.same_as_direct(raw.query("COPY thing FROM STDIN"), raw.frame("d", b"garbage\xff\n"), raw.frame("c"))
        self.same_as_direct(raw.query("COPY thing FROM STDIN BINARY"), raw.frame("d", os.urandom(100)), raw.frame("c"))
        self.client.send(raw.query("COPY thing FROM STDIN"))
        self.client.read_until("G")
        self.client.send(raw.frame("Q", b"not now\0"))
        answer = self.client.read_until("Z")
        self.assertTrue(answer.closed or answer.errors)

    def test_protocol_errors_are_counted(self):
        before = proxy.metric("pgsteer_protocol_errors_total")
        client = self.fresh()
        client.send(b"Q" + struct.pack("!i", 2))
        self.assert_ended(client)
        wait_until(lambda: proxy.metric("pgsteer_protocol_errors_total") == before + 1, message="counted")

    def test_a_thousand_connections_come_and_go(self):
        before = proxy.rss()
        for _ in range(10):
            sockets = [socket.create_connection(("127.0.0.1", proxy.port)) for _ in range(100)]
            for each in sockets:
                each.close()
        self.assertLess(proxy.rss(), before + (20 << 20))


if __name__ == "__main__":
    unittest.main()
