"""What pools do while nobody asks: connections are kept open, asked whether they live, and closed."""

import ctypes
import os
import signal
import socket
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


def sockets(process):
    """The TCP connections of another process."""
    pidfd = os.pidfd_open(process.pid)
    try:
        for fd in os.listdir(f"/proc/{process.pid}/fd"):
            own = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, int(fd), 0)  # pidfd_getfd
            if own < 0:
                continue
            try:
                connection = socket.socket(fileno=own)
            except OSError:
                os.close(own)
                continue
            with connection:
                try:
                    if connection.family == socket.AF_INET:
                        yield connection, connection.getpeername()[1], connection.getsockname()[1]
                except OSError:
                    pass  # it listens
    finally:
        os.close(pidfd)


class Upkeep(unittest.TestCase):
    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def test_connections_are_kept_open_before_anybody_asks(self):
        self.start(min_pool_size=3, server_idle_timeout="1s", server_lifetime="2s")

        def pids(server):  # the monitor and the catalog have one each, too
            return set(servers.primary.backends() if server == "primary" else servers.replica.backends())
        for server in ("primary", "replica"):
            wait_until(lambda s=server: len(pids(s)) >= 4, message=f"three and the monitor's on the {server}")

    def test_an_idle_connection_that_died_is_found_before_a_query_is_sent_on_it(self):
        proxy = self.start(pool_size=2, server_check_delay="1s")
        with raw.logged_in(proxy.port) as one, raw.logged_in(proxy.port) as other:
            for client in (one, other):
                self.assertEqual(client.query("BEGIN; INSERT INTO thing VALUES (1)").errors, [])
            dead, alive = (client.query("SELECT pg_backend_pid()").values[0] for client in (one, other))
            for client in (one, other):
                self.assertEqual(client.query("COMMIT").errors, [])
            os.kill(int(dead), signal.SIGSTOP)
            self.addCleanup(self.resume, int(dead))
            proxy.wait_log("WARN Idle server connection does not answer")
            for _ in range(3):
                for client in (one, other):
                    self.assertEqual(client.query("INSERT INTO thing VALUES (2)").errors, [])
            # It may be asked itself just now, and a new one serve in its place.
            self.assertNotEqual(other.query("SELECT pg_backend_pid(), txid_current()").values[0], dead)
            self.assertIn(int(alive), servers.primary.backends())

    def resume(self, pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def test_administrators_are_let_in_where_clients_are_not(self):
        proxy = self.start(max_clients=1, reserved_clients=1)
        with raw.logged_in(proxy.port):
            with raw.RawClient(proxy.port) as second:
                self.assertEqual(second.login().sqlstates, ["53300"])
            with raw.logged_in(proxy.port, database="pgsteer") as console:
                self.assertEqual(console.query("SHOW CLIENTS").errors, [])
                with raw.RawClient(proxy.port) as another:
                    self.assertEqual(another.login(database="pgsteer").sqlstates, ["53300"])

    def test_the_tcp_timeouts_hold_for_clients_and_servers(self):
        proxy = self.start(tcp_keepalives_idle="7s", tcp_keepalives_interval="3s", tcp_keepalives_count=2,
                           tcp_user_timeout="77s")
        with raw.logged_in(proxy.port) as client:
            self.assertEqual(client.query("DELETE FROM thing").errors, [])
            seen = set()
            for connection, peer, own in sockets(proxy.process):
                side = "client" if own == proxy.port else "server" if peer == servers.primary.port else None
                tcp = socket.IPPROTO_TCP
                set_here = [connection.getsockopt(tcp, option) for option in (
                    socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)]
                if side and connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) and set_here == [7, 3, 2, 77000]:
                    seen.add(side)
                if side == "client":
                    self.assertEqual(connection.getsockopt(tcp, socket.TCP_NODELAY), 1)
            self.assertEqual(seen, {"client", "server"})


if __name__ == "__main__":
    unittest.main()
