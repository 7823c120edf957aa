"""A session has seen WAL of the old primary which the new one never had: that is counted, and it goes on."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


class Promotion(unittest.TestCase):
    def setUp(self):
        self.servers = Cluster(replicas=2)
        self.addCleanup(lambda: self.servers.stop())
        self.servers.run("CREATE TABLE thing (id int)")
        self.proxy = Proxy(self.servers.primary.url(), self.servers.replica_url(), health_interval="200ms",
                           failover_wait="30s")
        self.addCleanup(self.proxy.stop)
        wait_until(lambda: self.proxy.health()[0] == 200, message="all are up")

    def client(self):
        client = raw.logged_in(self.proxy.port)
        self.addCleanup(client.close)
        return client

    def run_one(self, client, sql):
        answer = client.query(sql, timeout=60)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def count(self, client, number):
        return self.run_one(client, f"SELECT count(*) FROM thing WHERE id = {number} /* number {number} */")[0]

    def write_and_sample(self, client, number):
        """Until the session's floor is known: its read after the write has brought it."""
        self.run_one(client, f"INSERT INTO thing VALUES ({number})")
        self.assertEqual(self.count(client, number), "1")

    def lose_the_primary(self):
        self.servers.primary.kill()
        first, second = self.servers.replicas
        first.promote()
        second.configure(primary_conninfo=f"host=127.0.0.1 port={first.port} user=replicator application_name=replica2")
        second.reload()
        self.proxy.wait_log("Primary changed", timeout=30)

    def stop_streaming(self):
        """The one to be promoted last: it has at least what the other has."""
        for left, replica in ((1, self.servers.replicas[1]), (0, self.servers.replicas[0])):
            replica.ask("ALTER SYSTEM SET primary_conninfo = ''")
            replica.ask("SELECT pg_reload_conf()")
            wait_until(lambda n=left: self.servers.primary.value("SELECT count(*) FROM pg_stat_replication") == n,
                       message=f"{replica.name} streams no more")
        for replica in self.servers.replicas:
            replica.ask("ALTER SYSTEM RESET primary_conninfo")  # at the next reload

    def test_a_position_beyond_the_switch_is_a_lost_write(self):
        safe, loser, reader = self.client(), self.client(), self.client()
        self.write_and_sample(safe, 1)
        token = self.run_one(safe, "SHOW pgsteer.token")[0]
        self.servers.run("INSERT INTO thing VALUES (0)")  # so that all of that is flushed and replayed
        self.stop_streaming()
        self.write_and_sample(loser, 2)
        lost_token = self.run_one(loser, "SHOW pgsteer.token")[0]
        self.lose_the_primary()
        self.assertEqual(self.count(safe, 1), "1")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 0)
        self.assertEqual(self.count(loser, 2), "0", "PostgreSQL has lost it")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 1)
        self.proxy.wait_log("The new primary lacks WAL that sessions have seen")
        self.assertEqual(self.count(loser, 1), "1")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 1, "counted once")
        self.run_one(reader, f"SET pgsteer.token = '{token}'")
        self.assertEqual(self.count(reader, 1), "1")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 1)
        self.run_one(reader, f"SET pgsteer.token = '{lost_token}'")
        self.assertEqual(self.count(reader, 1), "1")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 2, "a token can be lost as well")
        self.write_and_sample(loser, 3)
        wait_until(lambda: self.count(loser, 3) == "1" and "replica2" in self.servers.ran("number 3"),
                   30, "it reads on the replica of the new timeline")

    def test_a_token_of_the_new_timeline(self):
        client, reader = self.client(), self.client()
        self.write_and_sample(client, 4)
        self.servers.run("INSERT INTO thing VALUES (0)")
        self.lose_the_primary()
        self.write_and_sample(client, 5)
        token = self.run_one(client, "SHOW pgsteer.token")[0]
        self.assertIn("-00000002-", token)
        self.run_one(reader, f"SET pgsteer.token = '{token}'")
        self.assertEqual(self.count(reader, 5), "1")
        self.assertEqual(self.proxy.metric("pgsteer_lost_writes_total"), 0)


if __name__ == "__main__":
    unittest.main()
