"""Pools are exact under load, first come first served, and an empty one says why."""

import os
import re
import socket
import struct
import threading
import time
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load, in_threads
from tests.support.proxy import Proxy
from tests.support.template import USER
from tests.support.waiting import scaled, wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE arrival (place serial, client int)", "CREATE TABLE thing (id int)")


class Pool(unittest.TestCase):
    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), settings.pop("replica_url", None), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def hold_all(self, proxy, count):
        """`count` clients that each hold a backend of the primary in a transaction."""
        holders = [proxy.connect(autocommit=False) for _ in range(count)]
        for holder in holders:
            self.addCleanup(holder.close)
            holder.execute("SELECT 1")
        return holders

    def test_never_more_backends_than_the_pool_size(self):
        proxy = self.start(replica_url=servers.replica.url(), pool_size=7)
        stop, seen = threading.Event(), {"primary": set(), "replica1": set()}

        def watch():
            while not stop.is_set():
                for server in servers.servers():
                    seen[server.name].add(len(server.backends()))

        def work(connection):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*), pg_sleep(0.002) FROM thing")
                cursor.execute("BEGIN")
                cursor.execute("DELETE FROM thing WHERE id = 0")
                cursor.execute("COMMIT")

        watcher = threading.Thread(target=watch, daemon=True)
        with Load(proxy.connect2, work, clients=50) as load:
            load.wait_progress(50)
            watcher.start()
            load.wait_progress(500)
            stop.set()
            watcher.join()
        self.assertEqual(load.errors, [])
        # Control connections are the proxy's, not the pool's: the monitor's, and on the primary the catalog's.
        control = {"primary": 2, "replica1": 1}
        for name, counts in seen.items():
            self.assertLessEqual(max(counts), 7 + control[name], name)
            self.assertGreaterEqual(max(counts), 7, name)

    def test_the_default_is_ten(self):
        proxy = self.start()
        self.hold_all(proxy, 10)
        proxy.reload(acquire_timeout="500ms")
        with self.assertRaises(psycopg.OperationalError):
            proxy.ask("DELETE FROM thing")

    def test_an_empty_pool_says_how_many_are_busy_and_since_when(self):
        proxy = self.start(pool_size=2)
        self.hold_all(proxy, 2)
        proxy.reload(acquire_timeout="500ms")
        time.sleep(1.1)  # what the oldest transaction's age must show
        client = proxy.connect()
        self.addCleanup(client.close)
        begun = time.monotonic()
        with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
            client.execute("DELETE FROM thing")
        took = time.monotonic() - begun
        self.assertGreaterEqual(took, 0.4)
        self.assertLess(took, scaled(2))
        diagnosis = caught.exception.diag
        said = " ".join(filter(None, (diagnosis.message_primary, diagnosis.message_detail, diagnosis.message_hint)))
        self.assertEqual(diagnosis.sqlstate, "53300")
        self.assertRegex(said, r"\b2\b.*busy|busy.*\b2\b")
        self.assertRegex(said, r"oldest")
        age = re.search(r"oldest\D*(\d+(?:\.\d+)?) ?(ms|s)\b", said)
        self.assertIsNotNone(age, said)
        seconds = float(age[1]) / (1000 if age[2] == "ms" else 1)
        self.assertGreaterEqual(seconds, 1)
        self.assertLess(seconds, scaled(20))
        self.assertTrue(diagnosis.message_hint)
        self.assertEqual(client.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)

    def test_a_client_that_gave_up_leaves_no_place_behind(self):
        proxy = self.start(pool_size=1, acquire_timeout="20s")
        holder, = self.hold_all(proxy, 1)
        gone = proxy.connect2()
        threading.Thread(target=lambda: in_threads([lambda: gone.cursor().execute("DELETE FROM thing")]),
                         daemon=True).start()
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == 1, message="one waits")
        with socket.socket(fileno=os.dup(gone.fileno())) as its_socket:
            its_socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == 0, message="it left the queue")
        holder.rollback()
        self.assertEqual(proxy.ask("DELETE FROM thing RETURNING id"), [])

    def test_first_come_first_served(self):
        proxy = self.start(pool_size=1, acquire_timeout="20s")
        holder, = self.hold_all(proxy, 1)
        clients = [proxy.connect() for _ in range(12)]
        threads = []
        for number, client in enumerate(clients):
            self.addCleanup(client.close)
            thread = threading.Thread(target=client.execute,
                                      args=(f"INSERT INTO arrival (client) VALUES ({number})",))
            thread.start()
            threads.append(thread)
            wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == number + 1, message="next in line")
        holder.rollback()
        for thread in threads:
            thread.join(timeout=scaled(20))
        order = [client for client, in servers.primary.ask("SELECT client FROM arrival ORDER BY place")]
        self.assertEqual(order, list(range(12)))

    def test_fifty_clients_all_get_their_turn(self):
        proxy = self.start(pool_size=3, acquire_timeout="20s")
        results = in_threads([lambda n=n: proxy.ask("SELECT %s::int, pg_sleep(0.01), txid_current() > 0", (n,))
                              for n in range(50)])
        self.assertEqual([rows[0][0] for rows in results], list(range(50)))

    def test_too_many_clients(self):
        proxy = self.start(max_clients=3)
        clients = [proxy.connect() for _ in range(3)]
        with self.assertRaises(psycopg.OperationalError) as caught:
            proxy.connect()
        self.assertRegex(str(caught.exception), "too many|max_clients")
        clients.pop().close()
        wait_until(lambda: _can_connect(proxy), message="a free place is given away")
        for client in clients:
            client.close()


def _can_connect(proxy):
    try:
        proxy.connect().close()
        return True
    except psycopg.OperationalError:
        return False


class Homes(unittest.TestCase):
    """With room for all, the process id a client was told is the one that runs its statements."""

    def test_the_process_id_agrees_while_there_is_room(self):
        proxy = Proxy(servers.primary.url(), pool_size=3)
        self.addCleanup(proxy.stop)
        proxy.fill_pools(3)  # a login does not wait long for a connection of its own

        def agree():
            clients = [raw.logged_in(proxy.port) for _ in range(4)]
            try:
                told = [struct.unpack("!i", client.key[:4])[0] for client in clients]
                self.assertEqual(len(set(told)), 4)
                ran = [[client.query("SELECT pg_backend_pid()").values[0] for client in clients] for _ in range(3)]
                self.assertLessEqual({row[3] for row in ran}, {row[at] for row in ran for at in range(3)})
                return all(row[:3] == [str(pid) for pid in told[:3]] for row in ran)
            finally:
                for client in clients:
                    client.close()
        wait_until(agree, message="the process ids agree")

    def test_a_login_waits_for_no_connection_that_cannot_be_had(self):
        proxy = Proxy(servers.primary.url(), pool_size=2, acquire_timeout="30s")
        self.addCleanup(proxy.stop)
        proxy.ask("SELECT 1")
        with servers.primary.connect() as blocker, blocker.cursor() as cursor:
            cursor.execute(f"ALTER ROLE {USER} CONNECTION LIMIT 1")
            self.addCleanup(servers.primary.ask, f"ALTER ROLE {USER} CONNECTION LIMIT -1")
            with raw.logged_in(proxy.port) as one, raw.logged_in(proxy.port) as other:
                for client in (one, other):
                    self.assertEqual(client.query("SELECT 1").values, ["1"])


if __name__ == "__main__":
    unittest.main()
