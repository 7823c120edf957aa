"""Something happens to the servers under load, and every write is looked for afterwards."""

import collections
import json

from tests.support.cluster import Cluster
from tests.support.fault_load import FaultLoad
from tests.support.fault_proxy import FaultProxy
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


class Pgsteer:
    """What is tested: pgsteer in front of a primary and its replicas, [(server, port)], the primary first."""

    name, is_tested = "pgsteer", True

    def __init__(self, servers, url=None, hosts=None):
        self._ports = dict(servers)
        urls = [server.url(port=port) for server, port in servers]
        self.proxy = Proxy(url or urls[0], ",".join(urls[1:]), hosts=hosts)
        try:
            wait_until(lambda: self.proxy.health()[0] == 200, message="all connected")
        except BaseException:
            self.stop()
            raise

    def connect(self, writes):
        """A connection: pgsteer itself tells writes from reads."""
        return self.proxy.connect()

    def uses(self, server):
        """Whether all servers are connected and reads of this one count, by /status."""
        if self.proxy.health()[0] != 200:
            return False
        found = json.loads(self.proxy.get("/status")[1])["servers"]
        name = f"127.0.0.1:{self._ports[server]}"
        return any(each["name"] == name and each["replayed_lsn"] for each in found)

    def stop(self):
        self.proxy.stop()


class World:
    """A primary, two standbys and what is in front of them; a scenario may have relays between."""

    def __init__(self, scenario, subject=Pgsteer):
        # pg_rewind asks for the last two.
        self.servers = Cluster(replicas=2, log_statement="none", max_connections="100", full_page_writes="on",
                               wal_log_hints="on")
        self.primary, (self.standby, self.other) = self.servers.primary, self.servers.replicas
        self.subject, self.relays = None, {}
        try:
            self.servers.run("CREATE TABLE ledger (id text)")
            ports = [(server, self._port(server, server.name in scenario.relayed)) for server in self.servers.servers()]
            self.subject = subject(ports, **(scenario.names(self) if scenario.names else {}))
        except BaseException:
            self.stop()
            raise

    def _port(self, server, is_relayed):
        if not is_relayed:
            return server.port
        self.relays[server.name] = FaultProxy(server.port)
        return self.relays[server.name].port

    def stop(self):
        if self.subject is not None:
            self.subject.stop()
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
    load.expect(lambda: w.subject.uses(w.standby), "the replica is used again")
    return w.primary


def replica_refuses(w, load):
    w.relays[w.standby.name].refuse()
    load.wait_progress()
    w.relays[w.standby.name].heal()
    load.expect(lambda: w.subject.uses(w.standby), "the replica is used again")
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
    load.expect(lambda: w.subject.uses(w.primary), "the old primary is used as a replica")
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
    w.subject.proxy.write_hosts({"writer.test": ["127.0.0.3"]})
    wait_until(lambda: w.relays["old"].count() == 0, 60, "connections leave the old address")
    return w.primary


def two_addresses_of_the_primary(w):
    port = free_port()
    for name, address in (("old", "127.0.0.2"), ("new", "127.0.0.3")):
        w.relays[name] = FaultProxy(w.primary.port, address, port)
    return {"url": w.primary.url(host="writer.test", port=port), "hosts": {"writer.test": ["127.0.0.2"]}}


class Scenario:
    """What is done, and to which servers through a relay of the test's own; `names`: a primary by name.

    `not_of_peers` says why other proxies cannot take part.
    """

    def __init__(self, do, *relayed, names=None, not_of_peers=None):
        self.do, self.relayed, self.names, self.not_of_peers = do, relayed, names, not_of_peers


SCENARIOS = {
    "a replica dies": Scenario(replica_dies),
    "a replica hangs (SIGSTOP)": Scenario(replica_hangs),
    "a replica is cut off for a while: accepts and hangs": Scenario(replica_cut_off, "replica1"),
    "a replica refuses connections for a while": Scenario(replica_refuses, "replica1"),
    "a replica's replay is paused for a while": Scenario(replay_pauses),
    "the primary restarts": Scenario(primary_restarts),
    "the primary's name moves to another address": Scenario(
        primary_moves, names=two_addresses_of_the_primary,
        not_of_peers="takes no part: connections that are open stay at the old address while it answers"),
    "planned switchover: the primary is stopped, a standby promoted": Scenario(switchover),
    "the same, and the old primary rejoins after pg_rewind": Scenario(switchover_and_back),
    "the primary crashes, a standby is promoted": Scenario(primary_crashes),
    "the primary hangs (SIGSTOP), a standby is promoted": Scenario(primary_hangs),
    "the primary refuses connections, a standby is promoted": Scenario(primary_refuses, "primary"),
    "the primary is cut off both ways, a standby is promoted": Scenario(primary_cut_off, "primary"),
    "nothing from the primary arrives, a standby is promoted": Scenario(primary_unheard, "primary"),
    "nothing arrives at the primary, a standby is promoted": Scenario(primary_deaf, "primary"),
}

Outcome = collections.namedtuple("Outcome", "write_gap read_gap slowest errors failures written lost doubled")


def run(scenario, subject=Pgsteer):
    """Starts a primary, two standbys and a proxy, does it to them under load, and says what came of it."""
    w = World(SCENARIOS[scenario], subject)
    try:
        load = FaultLoad(w.subject.connect, subject.is_tested)
        load.wait_progress()
        final = SCENARIOS[scenario].do(w, load)
        load.watch_aftermath()
        load.wait_progress(1500)
        load.stop()
        found = collections.Counter(row[0] for row in final.ask("SELECT id FROM ledger"))
    finally:
        w.stop()
    lost = sum(not found[key] for key in load.written)
    doubled = sum(count > 1 for count in found.values())
    return Outcome(load.gap(load.write_times), load.gap(load.read_times), load.slowest, dict(load.errors),
                   load.failures, len(load.written), lost, doubled)
