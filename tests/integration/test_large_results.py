"""Large results both ways: whole, and with a reader that stops, which must not grow the proxy."""

import hashlib
import threading
import time
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

MIB = 1 << 20
# Sanitizers keep freed memory back; what counts is that nothing near the result's size is held.
BOUND = 40 * MIB


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=4)
    unittest.addModuleCleanup(proxy.stop)


class LargeResults(unittest.TestCase):
    def setUp(self):
        proxy.ask("SELECT 1")
        self.before = proxy.rss()

    def digest(self, port, sql):
        """A hash of all bytes a query is answered with, and their number."""
        with raw.logged_in(port) as client:
            client.send(raw.query(sql))
            digest, size, tail = hashlib.sha256(), 0, b""
            client.socket.settimeout(client.timeout)
            ready = raw.frame("Z", b"I")
            while not tail.endswith(ready):
                data = client.socket.recv(1 << 20)
                self.assertTrue(data, "closed")
                digest.update(data)
                size += len(data)
                tail = (tail + data)[-len(ready):]
            return digest.hexdigest(), size

    def test_a_hundred_megabytes_arrive_whole(self):
        sql = "SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 100000) g"
        got = self.digest(proxy.port, sql)
        self.assertGreater(got[1], 90 * MIB)
        self.assertEqual(got, self.digest(servers.primary.port, sql))
        self.assertLess(proxy.rss(), self.before + BOUND)

    def test_narrow_rows_arrive_whole(self):
        sql = "SELECT g FROM generate_series(1, 500000) g"
        self.assertEqual(self.digest(proxy.port, sql), self.digest(servers.primary.port, sql))

    def test_one_row_of_many_megabytes(self):
        sql = "SELECT repeat('0123456789abcdef', 4000000)"
        self.assertEqual(self.digest(proxy.port, sql), self.digest(servers.primary.port, sql))
        self.assertLess(proxy.rss(), self.before + BOUND)

    def wait_stalled(self, server, text):
        """Waits until the server itself waits for its reader to read on."""
        wait_until(lambda: server.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND"
                                        " wait_event = 'ClientWrite'", (f"%{text}%",)), 30,
                   "the server waits for its client")

    def test_a_reader_that_stops_stops_its_backend(self):
        sql = "SELECT repeat('x', 1000) FROM generate_series(1, 200000) /* stopped */"
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query(sql))
            self.wait_stalled(servers.replica, "/* stopped */")
            self.assertLess(proxy.rss(), self.before + BOUND)
            self.assertEqual(proxy.ask("SELECT 'others go on'"), [("others go on",)])
            count = 0
            while (frame := client.read_frame()).type != "Z":
                count += frame.type == "D"
            self.assertEqual(count, 200000)
            self.assertEqual(client.query("SELECT 1").values, ["1"])

    def test_a_stopped_reader_can_cancel(self):
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query("SELECT repeat('x', 1000) FROM generate_series(1, 10000000) /* endless */"))
            self.wait_stalled(servers.replica, "/* endless */")
            client.cancel(proxy.port)
            answer = client.read_until("ZE", timeout=30)
            self.assertEqual(answer.sqlstates, ["57014"])

    def test_large_parameters_to_a_server_that_does_not_read(self):
        # The server sleeps before it reads the second message: the proxy must not take all of it in.
        with raw.logged_in(proxy.port) as client:
            client.send(raw.parse("SELECT pg_sleep(2), txid_current() /* sleeps */"), raw.bind(), raw.execute(), raw.FLUSH)
            wait_until(lambda: servers.ran("/* sleeps */"), message="it sleeps")
            value = "z" * (60 * MIB)
            message = raw.parse("SELECT length($1)", "long") + raw.bind([value], "long") + raw.execute() + raw.SYNC
            sender = threading.Thread(target=client.send, args=(message,))
            sender.start()
            time.sleep(0.5)  # a bound is observed over time: there is no event to wait for
            self.assertLess(proxy.rss(), self.before + BOUND)
            answer = client.answer(timeout=30)
            sender.join()
            self.assertEqual(answer.rows[-1], [str(60 * MIB).encode()])


if __name__ == "__main__":
    unittest.main()
