"""A server connection that breaks behind the client's answer, while the proxy's own question is still open."""

import socket
import struct
import threading
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

MARK = b"cut behind this"


class Cutter:
    """A relay to a server; a connection on which MARK passes ends behind the next ReadyForQuery."""

    def __init__(self, port):
        self.cuts = 0
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            armed = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, armed), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client, armed), daemon=True).start()

    @staticmethod
    def _forward(client, server, armed):
        try:
            while data := client.recv(65536):
                if MARK in data:
                    armed.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _answer(self, server, client, armed):
        pending = b""
        try:
            while data := server.recv(65536):
                pending += data
                while len(pending) >= 5:
                    size = 1 + struct.unpack("!i", pending[1:5])[0]
                    if len(pending) < size:
                        break
                    # Asked before it is passed on: what is sent in answer to it may arm.
                    is_last = armed.is_set() and pending[:1] == b"Z"
                    client.sendall(pending[:size])
                    if is_last:
                        self.cuts += 1
                        raise OSError("as told")
                    pending = pending[size:]
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


class Answered(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = Cluster(replicas=1)
        cls.addClassCleanup(lambda: cls.servers.stop())
        cls.servers.run("CREATE TABLE thing (id int)")
        cls.cutter = Cutter(cls.servers.primary.port)
        cls.addClassCleanup(cls.cutter.close)
        cls.proxy = Proxy(cls.servers.primary.url(port=cls.cutter.port, sslmode="disable"), cls.servers.replica.url())
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        self.client = raw.logged_in(self.proxy.port)
        self.addCleanup(self.client.close)
        self.before = self.cutter.cuts

    def query(self, sql):
        answer = self.client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def go_on(self):
        """The client has had its answer: nothing else may come, and its session lives."""
        wait_until(lambda: self.cutter.cuts == self.before + 1, message="the connection has been cut")
        self.assertEqual(self.query("SELECT 7"), ["7"])
        self.query("INSERT INTO thing VALUES (1)")
        self.assertEqual(self.query("SELECT 8"), ["8"])

    def test_behind_a_read_that_brings_the_position(self):
        self.query("INSERT INTO thing VALUES (2)")
        self.assertEqual(self.query(f"SELECT 5 /* {MARK.decode()} */"), ["5"])
        self.go_on()

    def test_behind_a_token(self):
        token = self.query("SHOW pgsteer.token")[0]
        self.query(f"SET pgsteer.token = '{token}' /* {MARK.decode()} */")
        self.go_on()

    def test_behind_the_end_of_a_block(self):
        self.query("INSERT INTO thing VALUES (3)")
        self.query("BEGIN READ ONLY")
        self.assertEqual(self.query("SELECT 6"), ["6"])
        self.query(f"COMMIT /* {MARK.decode()} */")
        self.go_on()


if __name__ == "__main__":
    unittest.main()
