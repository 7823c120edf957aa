"""A read waits up to consistency_wait for a replica to show what its session has seen."""

import threading
import time
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import scaled, wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


class Waiting(unittest.TestCase):
    def start(self, **settings):
        self.proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(self.proxy.stop)
        self.client = self.connect()
        wait_until(lambda: self.read(self.client, 0)[1] == "replica1", message="reads run on the replica")

    def connect(self):
        client = raw.logged_in(self.proxy.port)
        self.addCleanup(client.close)
        return client

    def run_one(self, client, sql):
        answer = client.query(sql, timeout=30)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def read(self, client, number):
        Waiting.marks = getattr(Waiting, "marks", 0) + 1
        mark = f"mark {Waiting.marks} "
        found = self.run_one(client, f"SELECT count(*) FROM thing WHERE id = {number} /* {mark} */")
        return found[0], next(iter(servers.ran(mark)))

    def write_unseen(self, client, number):
        """The replica stops; the client writes and knows how far that is."""
        servers.wait_for_replay()
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(servers.replica.ask, "SELECT pg_wal_replay_resume()")
        self.run_one(client, f"INSERT INTO thing VALUES ({number})")
        self.assertEqual(self.read(client, number), ("1", "primary"))  # and brings the position

    def in_background(self, action):
        results = []
        thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
        thread.start()
        self.addCleanup(thread.join, scaled(30))
        return thread, results

    def test_a_read_waits_and_runs_on_the_replica(self):
        self.start(consistency_wait="30s")
        self.write_unseen(self.client, 1)
        thread, results = self.in_background(lambda: self.read(self.client, 1))
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 1, message="the read waits")
        self.assertIn("a replica that is behind", self.proxy.get("/clients")[1])
        servers.replica.ask("SELECT pg_wal_replay_resume()")
        thread.join(scaled(20))
        self.assertEqual(results, [("1", "replica1")])
        self.assertEqual(self.proxy.metric("pgsteer_consistency_waits_total"), 1)
        self.assertEqual(self.proxy.metric("pgsteer_consistency_wait_timeouts_total"), 0)
        self.assertEqual(self.proxy.metric("pgsteer_clients_waiting"), 0)

    def test_after_the_wait_it_goes_to_the_primary(self):
        self.start(consistency_wait="300ms")
        self.write_unseen(self.client, 2)
        begun = time.monotonic()
        self.assertEqual(self.read(self.client, 2), ("1", "primary"))
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(self.proxy.metric("pgsteer_consistency_wait_timeouts_total"), 1)

    def test_a_session_has_a_wait_of_its_own(self):
        self.start()
        self.assertEqual(self.run_one(self.client, "SHOW pgsteer.consistency_wait"), ["0"])
        self.run_one(self.client, "SET pgsteer.consistency_wait = '30s'")
        self.assertEqual(self.client.query("SET pgsteer.consistency_wait = '2min'").sqlstates, ["22023"])
        self.assertEqual(self.run_one(self.client, "SHOW pgsteer.consistency_wait"), ["30s"])
        self.write_unseen(self.client, 3)
        thread, results = self.in_background(lambda: self.read(self.client, 3))
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 1, message="the read waits")
        servers.replica.ask("SELECT pg_wal_replay_resume()")
        thread.join(scaled(20))
        self.assertEqual(results, [("1", "replica1")])

    def test_many_wait_and_all_are_woken(self):
        self.start(consistency_wait="30s")
        clients = [self.connect() for _ in range(20)]
        self.write_unseen(self.client, 4)
        for client in clients:
            self.run_one(client, "INSERT INTO thing VALUES (5)")
            self.read(client, 4)
        waiting = [self.in_background(lambda c=client: self.read(c, 4)) for client in clients]
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 20, message="all wait")
        servers.replica.ask("SELECT pg_wal_replay_resume()")
        for thread, results in waiting:
            thread.join(scaled(20))
            self.assertEqual(results, [("1", "replica1")])

    def test_a_waiting_read_can_be_cancelled(self):
        self.start(consistency_wait="30s")
        self.write_unseen(self.client, 6)
        self.client.send(raw.query("SELECT count(*) FROM thing"))
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 1, message="the read waits")
        self.client.cancel(self.proxy.port)
        self.assertEqual(self.client.answer().sqlstates, ["57014"])
        self.assertEqual(self.proxy.metric("pgsteer_clients_waiting"), 0)

    def test_a_client_that_leaves_waits_no_longer(self):
        self.start(consistency_wait="30s")
        self.write_unseen(self.client, 7)
        self.client.send(raw.query("SELECT count(*) FROM thing"))
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 1, message="the read waits")
        self.client.close()
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 0, message="it is gone")

    def test_a_replica_that_dies_is_not_waited_for(self):
        self.start(consistency_wait="30s", health_interval="200ms")
        self.write_unseen(self.client, 8)
        thread, results = self.in_background(lambda: self.read(self.client, 8))
        wait_until(lambda: self.proxy.metric("pgsteer_clients_waiting") == 1, message="the read waits")
        servers.replica.kill()
        self.addCleanup(servers.heal)
        thread.join(scaled(20))
        self.assertEqual(results, [("1", "primary")])


if __name__ == "__main__":
    unittest.main()
