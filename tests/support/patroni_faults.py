"""What happens to a cluster that Patroni keeps, under load of clients that read what they have written."""

import collections
import json
import signal
import time

from tests.support.patroni import PatroniCluster
from tests.support.patroni_load import PatroniLoad
from tests.support.proxy import Proxy
from tests.support.template import DATABASE, PASSWORD, USER
from tests.support.waiting import wait_until

TABLE = "CREATE TABLE ledger (client int, number int)"


class World:
    """Three members, pgsteer in front of them, ten clients. `named`: the member, or all, that DATABASE_URL has."""

    def __init__(self, tls=False, named="one"):
        self.cluster, self.proxy, self.load = PatroniCluster(tls=tls), None, None
        try:
            self.cluster.leader().ask(f"SET ROLE {USER}; {TABLE}")
            settings = {"patroni_ca_file": self.cluster.authority.certificate} if tls else {}
            self.proxy = Proxy(self._url(named), patroni=[member.api for member in self.cluster.members], **settings)
            self.wait_replicas(2)
            self.load = PatroniLoad(self.proxy.connect)
            self.load.wait_progress()
        except BaseException:
            self.stop()
            raise

    def _url(self, named):
        if named == "one":
            return self.cluster.members[0].url()
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.cluster.members)
        return f"postgresql://{USER}:{PASSWORD.replace(' ', '%20')}@{hosts}/{DATABASE}"

    def servers(self):
        return json.loads(self.proxy.get("/status")[1])["servers"]

    def wait_replicas(self, count):
        """As many answer reads that must see what was written."""
        wait_until(lambda: sum(bool(s["role"] == "replica" and s["replayed_lsn"]) for s in self.servers()) >= count,
                   60, f"{count} replicas: {self.servers}", interval=0.1)

    def other(self):
        """A member that runs and does not lead."""
        leader = self.cluster.leader()
        return next(m for m in self.cluster.members if m.process.poll() is None and m is not leader)

    def wait_leader(self, unlike):
        wait_until(lambda: self.cluster.leader() not in (None, unlike), 90, "another leads", interval=0.1)

    def stop(self):
        if self.load is not None:
            self.load.stopping.set()
        if self.proxy is not None:
            self.proxy.stop()
        self.cluster.stop()


def switchover(w):
    leader, candidate = w.cluster.leader(), w.other()
    w.cluster.control("switchover", "shop", "--leader", leader.name, "--candidate", candidate.name, "--force")
    wait_until(lambda: w.cluster.leader() is candidate, 60, "the candidate leads", interval=0.1)


def restart(w):
    w.cluster.control("restart", "shop", w.cluster.leader().name, "--force")


def postgres_dies(w):
    leader = w.cluster.leader()
    before = leader.postmaster()
    leader.signal_postgres(signal.SIGKILL)
    wait_until(lambda: leader.postmaster() not in (None, before), 60, "Patroni starts it again")


def leader_dies(w):
    leader = w.cluster.leader()
    leader.kill_patroni()
    leader.signal_postgres(signal.SIGKILL)
    w.wait_leader(leader)
    w.load.wait_progress()
    leader.start()


def patroni_dies(w):
    leader = w.cluster.leader()
    leader.kill_patroni()
    w.wait_leader(leader)
    w.load.wait_progress()
    leader.start()


def patroni_is_away_in_a_pause(w):
    leader = w.cluster.leader()
    w.cluster.control("pause", "shop", "--wait")
    leader.kill_patroni()
    wait_until(lambda: leader.name not in w.cluster.says(), 60, "Patroni names it no longer", interval=0.2)
    time.sleep(6)  # pgsteer has looked since
    w.load.wait_progress()
    leader.start()
    wait_until(lambda: w.cluster.leader() is leader, 60, "it leads again", interval=0.2)
    w.cluster.control("resume", "shop", "--wait")


def leader_hangs(w):
    leader = w.cluster.leader()
    leader.signal_patroni(signal.SIGSTOP)
    leader.signal_postgres(signal.SIGSTOP)
    w.wait_leader(leader)
    w.load.wait_progress()
    leader.signal_postgres(signal.SIGCONT)  # a primary of the old timeline, for a moment
    w.load.wait_progress()
    leader.signal_patroni(signal.SIGCONT)


def reinit(w):
    w.cluster.control("reinit", "shop", w.other().name, "--force", "--wait")


def replay_pauses(w):
    replica = w.other()
    replica.ask("SELECT pg_wal_replay_pause()")
    w.load.wait_progress(600)
    replica.ask("SELECT pg_wal_replay_resume()")


def replica_hangs(w):
    replica = w.other()
    replica.signal_postgres(signal.SIGSTOP)
    w.load.wait_progress(600)
    replica.signal_postgres(signal.SIGCONT)


def member_joins(w):
    w.cluster.add()
    w.cluster.wait_steady()
    w.wait_replicas(3)


def member_leaves(w):
    leader = w.cluster.leader()
    leaving = next(m for m in reversed(w.cluster.members) if m is not leader)  # the first is in DATABASE_URL
    leaving.stop()
    wait_until(lambda: leaving.name not in w.cluster.says(), 60, "it has left", interval=0.2)
    wait_until(lambda: f"127.0.0.1:{leaving.port}" not in {s["name"] for s in w.servers()}, 60, "pgsteer knows")


# In this order on one cluster.
SCENARIOS = {
    "`patronictl switchover`": switchover,
    "and back": switchover,
    "`patronictl restart` of the leader": restart,
    "the leader's postgres is killed, Patroni starts it again": postgres_dies,
    "the leader dies, postgres and Patroni": leader_dies,
    "the leader's Patroni dies, its postgres goes on": patroni_dies,
    "the same under `patronictl pause`": patroni_is_away_in_a_pause,
    "the leader hangs (SIGSTOP), then goes on": leader_hangs,
    "`patronictl reinit` of a replica": reinit,
    "a replica's replay is paused for a while": replay_pauses,
    "a replica hangs (SIGSTOP) for a while": replica_hangs,
    "a member joins": member_joins,
    "a member leaves": member_leaves,
    "`patronictl switchover` at the end": switchover,
}
# What the leader had not sent yet is lost, whatever a proxy does.
CRASHES = {leader_dies, patroni_dies, leader_hangs}

Outcome = collections.namedtuple("Outcome", "scenario met lost stale is_wrong")


def run(wanted="", tell=print, **settings):
    """All scenarios with `wanted` in their names, one after another: an Outcome of each, and the rows found twice."""
    w = World(**settings)
    try:
        spans = []
        for name, do in SCENARIOS.items():
            if wanted not in name:
                continue
            begun = time.monotonic()
            do(w)
            w.cluster.wait_steady()
            w.wait_replicas(2)
            w.load.wait_progress()
            spans.append((name, begun, time.monotonic()))
            tell(name, w.load.between(*spans[-1][1:]))
        w.load.stop()
        lost, doubled, stale = w.load.judge(w.cluster.leader().ask("SELECT client, number FROM ledger"))
        return [_outcome(w.load, span, lost, stale) for span in spans], doubled
    finally:
        w.stop()


def _outcome(load, span, lost, stale):
    name, begun, ended = span
    met = load.between(begun, ended)
    lost, stale = (sum(begun <= at <= ended for at in each) for each in (lost, stale))
    known = {"08006 write", "08006 read", "08007 write"}
    return Outcome(name, met, lost, stale,
                   bool(stale or set(met.errors) - known or (lost and SCENARIOS[name] not in CRASHES)))
