"""Something happens to the servers under load, and every write is looked for afterwards."""

import collections
import threading
import time

import psycopg

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import scaled, wait_until

CLIENTS = 50
PAUSE = 0.02  # of each client between two statements


class FaultLoad:
    """Half of the clients insert rows with ids of their own, the others read, until stopped."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.written, self.write_times, self.read_times = [], [], []
        self.errors = collections.Counter()
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        client, count, writes = self.proxy.connect(), 0, number % 2 == 1
        while not self.stopping.wait(PAUSE):
            count += 1
            begun = time.monotonic()
            try:
                self._write(client, f"{number}-{count}") if writes else self._read(client)
            except psycopg.Error as error:
                with self.lock:
                    self.errors[f"{error.sqlstate} {'write' if writes else 'read'}"] += 1
                if client.closed:
                    client = self.proxy.connect()
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - begun)
        client.close()

    def _write(self, client, key):
        client.execute("INSERT INTO ledger VALUES (%s)", (key,))
        with self.lock:
            self.written.append(key)
            self.write_times.append(time.monotonic())

    def _read(self, client):
        client.execute("SELECT count(*) FROM ledger WHERE id = '0'")
        with self.lock:
            self.read_times.append(time.monotonic())

    def wait_progress(self, count=500):
        goals = len(self.write_times) + count, len(self.read_times) + count
        wait_until(lambda: len(self.write_times) > goals[0] and len(self.read_times) > goals[1], 60,
                   f"more is written and read; errors: {self.errors}")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=scaled(60))
            assert not thread.is_alive(), "a client hangs"


def _longest_gap(times):
    return max((after - before for before, after in zip(times, times[1:])), default=0)


def replica_dies(servers):
    servers.replicas[0].kill()
    return servers.primary


def replica_hangs(servers):
    servers.replicas[0].freeze()
    return servers.primary


def primary_restarts(servers):
    servers.primary.restart()
    return servers.primary


def switchover(servers):
    servers.primary.stop()
    servers.replicas[0].promote()
    return servers.replicas[0]


def primary_crashes(servers):
    servers.primary.kill()
    servers.replicas[0].promote()
    return servers.replicas[0]


def primary_hangs(servers):
    servers.primary.freeze()
    servers.replicas[0].promote()
    return servers.replicas[0]


SCENARIOS = {
    "a replica dies": replica_dies,
    "a replica hangs (SIGSTOP)": replica_hangs,
    "the primary restarts": primary_restarts,
    "planned switchover: the primary is stopped, a standby promoted": switchover,
    "the primary crashes, a standby is promoted": primary_crashes,
    "the primary hangs (SIGSTOP), a standby is promoted": primary_hangs,
}

Outcome = collections.namedtuple("Outcome", "write_gap read_gap slowest errors written lost doubled")


def run(scenario):
    """Starts a primary, two standbys and a proxy, does it to them under load, and says what came of it."""
    servers = Cluster(replicas=2, log_statement="none", max_connections="100")
    try:
        servers.run("CREATE TABLE ledger (id text)")
        proxy = Proxy(servers.primary.url(), servers.replica_url(), failover_wait="30s")
        try:
            wait_until(lambda: proxy.health()[0] == 200, message="all connected")
            load = FaultLoad(proxy)
            load.wait_progress()
            final = SCENARIOS[scenario](servers)
            load.wait_progress(1500)
            load.stop()
        finally:
            proxy.stop()
        found = collections.Counter(row[0] for row in final.ask("SELECT id FROM ledger"))
    finally:
        servers.stop()
    lost = sum(not found[key] for key in load.written)
    doubled = sum(count > 1 for count in found.values())
    return Outcome(_longest_gap(load.write_times), _longest_gap(load.read_times), load.slowest, dict(load.errors),
                   len(load.written), lost, doubled)
