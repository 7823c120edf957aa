"""Which replica a read goes to: spread by work and weight, near ones first, the primary as told."""

import json
import threading
import time
import unittest

import psycopg

from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=2)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)", "CREATE TABLE gate ()")


class Balancing(unittest.TestCase):
    def start(self, *options, **settings):
        """A proxy whose replicas' URLs have these options, in order."""
        options = [*options, {}, {}]
        urls = ",".join(replica.url(**options[at]) for at, replica in enumerate(servers.replicas))
        proxy = Proxy(servers.primary.url(), urls, health_interval="200ms", reconnect_delay="100ms", failed_probe_interval="1s",
                      **{"replica_warmup": "0", **settings})
        self.addCleanup(proxy.stop)
        self.addCleanup(servers.heal)
        wait_until(lambda: proxy.health()[0] == 200, message="all connected")
        return proxy

    def spread(self, proxy, sessions, marker):
        """How many of these sessions each server answered a read of."""
        for _ in range(sessions):
            proxy.ask(f"SELECT count(*) FROM thing /* {marker} */")
        return servers.ran(f"/* {marker} */")

    def shares(self, proxy, servers_of, marker):
        """Each of them answers a fair part, if not of the first reads: one that is slow for a while gets less."""
        for _ in range(10):
            ran = self.spread(proxy, 30 * len(servers_of), marker)
            self.assertLessEqual(set(ran), set(servers_of))
            if set(ran) == set(servers_of) and min(ran.values()) > 12:
                return
        self.fail(f"not spread: {ran}")

    def test_sessions_are_spread_over_both(self):
        self.shares(self.start(), ("replica1", "replica2"), "spread")

    def test_weights(self):
        proxy = self.start({"pgsteer_weight": 9}, {"pgsteer_weight": 1})
        for turn in range(10):  # not of the first, perhaps: one that is slow for a while gets less
            ran = self.spread(proxy, 80, f"weights {turn} end")
            if ran.get("replica1", 0) > 55 and ran.get("replica2", 0) > 0:
                return
        self.fail(f"not by weight: {ran}")

    def test_round_robin(self):
        ran = self.spread(self.start(load_balancing="round_robin"), 20, "turns")
        self.assertEqual(ran, {"replica1": 10, "replica2": 10})

    def test_the_near_one_first_then_the_other(self):
        proxy = self.start({"pgsteer_zone": "a"}, {"pgsteer_zone": "b"}, zone="b")
        self.assertEqual(self.spread(proxy, 20, "near"), {"replica2": 20})
        servers.replicas[1].kill()
        wait_until(lambda: proxy.health()[0] == 503, message="seen as down")
        self.assertEqual(self.spread(proxy, 10, "far"), {"replica1": 10})

    def test_the_primary_takes_its_share(self):
        self.shares(self.start(reads_on_primary="share"), ("primary", "replica1", "replica2"), "share")

    def test_the_primary_is_spared(self):
        proxy = self.start(reads_on_primary="never")
        self.assertNotIn("primary", self.spread(proxy, 10, "spared"))
        proxy.reload(acquire_timeout="700ms")
        for replica in servers.replicas:
            replica.kill()
        wait_until(lambda: proxy.metric("pgsteer_server_up", role="replica") == 0, message="seen as down")
        with proxy.connect() as client:
            begun = time.monotonic()
            with self.assertRaises(psycopg.Error) as caught:
                client.execute("SELECT count(*) FROM thing")
            self.assertGreater(time.monotonic() - begun, 0.6)
            self.assertEqual(caught.exception.sqlstate, "57P03")
            self.assertIn("reads_on_primary", caught.exception.diag.message_detail)
            self.assertIn("0.7 s (acquire_timeout)", caught.exception.diag.message_hint)
            proxy.reload(acquire_timeout=None)
            client.execute("INSERT INTO thing VALUES (2)")

    def test_reads_that_spare_the_primary_wait_for_a_replica(self):
        proxy = self.start(reads_on_primary="never", acquire_timeout="30s")
        clients = [proxy.connect() for _ in range(3)]
        for replica in servers.replicas:
            replica.kill()
        wait_until(lambda: proxy.metric("pgsteer_server_up", role="replica") == 0, message="seen as down")
        answers = []
        readers = [threading.Thread(target=lambda c=c: answers.append(c.execute("SELECT 1 FROM thing /* waits */").rowcount))
                   for c in clients[:2]]
        for reader in readers:
            reader.start()
        given_up = threading.Thread(target=lambda: answers.append(self.cancelled(clients[2])))
        given_up.start()
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == 3, message="they wait")
        waiting = json.loads(proxy.get("/clients")[1])
        self.assertEqual([c["state"] for c in waiting["clients"]], ["waiting"] * 3)
        clients[2].cancel()
        given_up.join()
        self.assertEqual(answers, ["57014"])
        servers.heal()
        for reader in readers:
            reader.join()
        self.assertEqual(len(answers), 3)
        self.assertNotIn("primary", servers.ran("/* waits */"))
        for client in clients:
            client.close()

    def cancelled(self, client):
        try:
            client.execute("SELECT 1 FROM thing")
        except psycopg.Error as error:
            return error.sqlstate

    def test_a_busy_replica_gets_less(self):
        proxy = self.start(pool_size=5)
        sleepers = [threading.Thread(target=proxy.ask, args=("SELECT count(*) FROM gate /* sleeper */",)) for _ in range(4)]
        with servers.gate("gate"):
            for number, sleeper in enumerate(sleepers):  # two on each, by their work
                sleeper.start()
                wait_until(lambda: sum(servers.ran("/* sleeper */").values()) == number + 1, message="it sleeps")
            self.assertEqual(servers.ran("/* sleeper */"), {"replica1": 2, "replica2": 2})
        for sleeper in sleepers:
            sleeper.join()

    def test_sessions_leave_a_crowded_replica_for_one_that_comes_back(self):
        proxy = self.start(pool_size=10)
        servers.replicas[1].kill()
        wait_until(lambda: proxy.health()[0] == 503, message="seen as down")
        with Load(proxy.connect, lambda c: c.execute("SELECT count(*), pg_sleep(0.01) FROM thing /* moves */"), 8) as load:
            load.wait_progress()
            self.assertNotIn("replica2", servers.ran("/* moves */"))
            servers.heal()
            wait_until(lambda: servers.ran("/* moves */").get("replica2", 0) > 50, 20, "the other is read from, too")
        self.assertEqual(load.errors, [])


if __name__ == "__main__":
    unittest.main()
