"""Something happens to the servers under load, and every write is looked for afterwards."""

import collections
import json
import threading
import time

import psycopg

from tests.support.cluster import Cluster
from tests.support.fault_proxy import FaultProxy
from tests.support.ports import free_port
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


class World:
    """A primary, two standbys and the proxy in front of them; a scenario may have relays between."""

    def __init__(self, scenario):
        # pg_rewind asks for the last two.
        self.servers = Cluster(replicas=2, log_statement="none", max_connections="100", full_page_writes="on",
                               wal_log_hints="on")
        self.primary, (self.standby, self.other) = self.servers.primary, self.servers.replicas
        self.proxy, self.relays = None, {}
        try:
            self.servers.run("CREATE TABLE ledger (id text)")
            urls = [self._url(server, server.name in scenario.relayed) for server in self.servers.servers()]
            names = scenario.names(self) if scenario.names else {}
            self.proxy = Proxy(names.get("url", urls[0]), ",".join(urls[1:]), hosts=names.get("hosts"))
            wait_until(lambda: self.proxy.health()[0] == 200, message="all connected")
        except BaseException:
            self.stop()
            raise

    def _url(self, server, is_relayed):
        if not is_relayed:
            return server.url()
        self.relays[server.name] = FaultProxy(server.port)
        return server.url(port=self.relays[server.name].port)

    def replayed(self, server):
        """The position on which reads of the server count, by /status; None: they do not."""
        port = self.relays[server.name].port if server.name in self.relays else server.port
        found = json.loads(self.proxy.get("/status")[1])["servers"]
        return next(each for each in found if each["name"] == f"127.0.0.1:{port}")["replayed_lsn"]

    def stop(self):
        if self.proxy is not None:
            self.proxy.stop()
        for relay in self.relays.values():
            relay.stop()
        self.servers.stop()


def replica_dies(w, load):
    w.standby.kill()
    return w.primary


def replica_hangs(w, load):
    w.standby.freeze()
    return w.primary


def replica_cut_off(w, load):
    w.relays[w.standby.name].partition()
    load.wait_progress()
    w.relays[w.standby.name].heal()
    wait_until(lambda: w.proxy.health()[0] == 200, 60, "the replica is back")
    return w.primary


def replica_refuses(w, load):
    w.relays[w.standby.name].refuse()
    load.wait_progress()
    w.relays[w.standby.name].heal()
    wait_until(lambda: w.proxy.health()[0] == 200, 60, "the replica is back")
    return w.primary


def replay_pauses(w, load):
    w.standby.ask("SELECT pg_wal_replay_pause()")
    load.wait_progress()
    w.standby.ask("SELECT pg_wal_replay_resume()")
    return w.primary


def primary_restarts(w, load):
    w.primary.restart()
    return w.primary


def switchover(w, load):
    w.primary.stop()
    w.standby.promote()
    return w.standby


def switchover_and_back(w, load):
    w.primary.stop()
    w.standby.promote()
    load.wait_progress()
    w.primary.rewind(w.standby)
    w.primary.follow(w.standby)
    w.primary.start()
    w.primary.wait_ready()
    wait_until(lambda: w.replayed(w.primary), 60, "the old primary is a replica")
    return w.standby


def primary_crashes(w, load):
    w.primary.kill()
    w.standby.promote()
    return w.standby


def primary_hangs(w, load):
    w.primary.freeze()
    w.standby.promote()
    return w.standby


def primary_cut_off(w, load):
    w.relays[w.primary.name].partition()
    w.standby.promote()
    return w.standby


def primary_unheard(w, load):
    w.relays[w.primary.name].lose("to_client")
    w.standby.promote()
    return w.standby


def primary_deaf(w, load):
    w.relays[w.primary.name].lose("to_server")
    w.standby.promote()
    return w.standby


def primary_refuses(w, load):
    w.relays[w.primary.name].refuse()
    w.standby.promote()
    return w.standby


def primary_moves(w, load):
    w.proxy.write_hosts({"writer.test": ["127.0.0.3"]})
    wait_until(lambda: w.relays["old"].count() == 0, 60, "connections leave the old address")
    return w.primary


def two_addresses_of_the_primary(w):
    port = free_port()
    for name, address in (("old", "127.0.0.2"), ("new", "127.0.0.3")):
        w.relays[name] = FaultProxy(w.primary.port, address, port)
    return {"url": w.primary.url(host="writer.test", port=port), "hosts": {"writer.test": ["127.0.0.2"]}}


class Scenario:
    """What is done, and to which servers through a relay of the test's own; `names`: a primary by name."""

    def __init__(self, do, *relayed, names=None):
        self.do, self.relayed, self.names = do, relayed, names


SCENARIOS = {
    "a replica dies": Scenario(replica_dies),
    "a replica hangs (SIGSTOP)": Scenario(replica_hangs),
    "a replica is cut off for a while: accepts and hangs": Scenario(replica_cut_off, "replica1"),
    "a replica refuses connections for a while": Scenario(replica_refuses, "replica1"),
    "a replica's replay is paused for a while": Scenario(replay_pauses),
    "the primary restarts": Scenario(primary_restarts),
    "the primary's name moves to another address": Scenario(primary_moves, names=two_addresses_of_the_primary),
    "planned switchover: the primary is stopped, a standby promoted": Scenario(switchover),
    "the same, and the old primary rejoins after pg_rewind": Scenario(switchover_and_back),
    "the primary crashes, a standby is promoted": Scenario(primary_crashes),
    "the primary hangs (SIGSTOP), a standby is promoted": Scenario(primary_hangs),
    "the primary refuses connections, a standby is promoted": Scenario(primary_refuses, "primary"),
    "the primary is cut off both ways, a standby is promoted": Scenario(primary_cut_off, "primary"),
    "nothing from the primary arrives, a standby is promoted": Scenario(primary_unheard, "primary"),
    "nothing arrives at the primary, a standby is promoted": Scenario(primary_deaf, "primary"),
}

Outcome = collections.namedtuple("Outcome", "write_gap read_gap slowest errors written lost doubled")


def run(scenario):
    """Starts a primary, two standbys and a proxy, does it to them under load, and says what came of it."""
    w = World(SCENARIOS[scenario])
    try:
        load = FaultLoad(w.proxy)
        load.wait_progress()
        final = SCENARIOS[scenario].do(w, load)
        load.wait_progress(1500)
        load.stop()
        found = collections.Counter(row[0] for row in final.ask("SELECT id FROM ledger"))
    finally:
        w.stop()
    lost = sum(not found[key] for key in load.written)
    doubled = sum(count > 1 for count in found.values())
    return Outcome(_longest_gap(load.write_times), _longest_gap(load.read_times), load.slowest, dict(load.errors),
                   len(load.written), lost, doubled)
