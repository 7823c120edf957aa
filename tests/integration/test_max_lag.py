"""A replica further behind than max_lag gets no reads, however little its reader asks of it."""

import json
import time
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import USER
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


class Lag(unittest.TestCase):
    def start(self, **settings):
        settings.setdefault("consistency", "eventual")
        settings.setdefault("health_interval", "200ms")
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        lag = f'pgsteer_server_replay_lag_seconds{{server="{self.replica_name()}",role="replica"}}'
        wait_until(lambda: proxy.metrics().get(lag) == 0, message="the replica is known to lack nothing")
        return proxy

    def replica_name(self):
        return f"127.0.0.1:{servers.replica.port}"

    def client(self, proxy, **login):
        client = raw.logged_in(proxy.port, **login)
        self.addCleanup(client.close)
        return client

    def run_one(self, client, sql):
        answer = client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def reads_on(self, client):
        """The name of the server that runs this client's next read."""
        mark = f"which server {time.monotonic_ns()}"
        self.run_one(client, f"SELECT count(*) FROM thing /* {mark} */")
        return next(iter(servers.ran(mark)))

    def stop_replay(self):
        servers.wait_for_replay()
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(self.resume_replay)

    def resume_replay(self):
        servers.replica.ask("SELECT pg_wal_replay_resume()")
        servers.wait_for_replay()

    def test_paused_replay_takes_a_replica_out_loudly_and_in_again(self):
        proxy = self.start(max_lag="500ms")
        client = self.client(proxy)
        wait_until(lambda: self.reads_on(client) == "replica1", message="reads run on the replica")
        self.stop_replay()
        servers.primary.ask("INSERT INTO thing VALUES (1)")
        proxy.wait_log("Replica lags too far behind and gets no reads")
        self.assertEqual(self.reads_on(client), "primary")
        self.assertEqual(proxy.metric("pgsteer_server_lagging", server=self.replica_name()), 1)
        self.assertEqual(proxy.metric("pgsteer_server_lag_outages_total", server=self.replica_name()), 1)
        self.assertGreater(proxy.metric("pgsteer_server_replay_lag_seconds", server=self.replica_name()), 0.5)
        self.assertGreater(proxy.metric("pgsteer_units_total", target="primary", reason="replica_lag"), 0)
        plan = client.query("EXPLAIN ROUTE SELECT 1").rows[0]
        self.assertEqual(plan[:2], [b"primary", b"every replica lags more than max_lag"])
        status = json.loads(proxy.get("/status")[1])
        replica = status["servers"][1]
        self.assertTrue(replica["lagging"])
        self.assertGreater(replica["lag_ms"], 500)
        self.assertTrue(any("lags too far behind" in event["text"] for event in status["events"]))
        self.resume_replay()
        proxy.wait_log("Replica has caught up and gets reads again")
        self.assertEqual(self.reads_on(client), "replica1")
        self.assertEqual(proxy.metric("pgsteer_server_lagging", server=self.replica_name()), 0)

    def test_an_idle_primary_has_no_lag(self):
        proxy = self.start(max_lag="200ms")
        client = self.client(proxy)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            self.assertEqual(self.reads_on(client), "replica1")
        self.assertEqual(proxy.metric("pgsteer_server_lag_outages_total", server=self.replica_name()), 0)

    def test_a_busy_primary_whose_replica_keeps_up_loses_no_reads(self):
        proxy = self.start(max_lag="3s")
        client = self.client(proxy)
        until = time.monotonic() + 2
        with servers.primary.connect() as writer, writer.cursor() as cursor:
            writer.autocommit = True
            while time.monotonic() < until:
                cursor.execute("INSERT INTO thing VALUES (2)")
                self.assertEqual(self.reads_on(client), "replica1")
        self.assertEqual(proxy.metric("pgsteer_server_lag_outages_total", server=self.replica_name()), 0)

    def test_delayed_replay_counts_as_lag(self):
        proxy = self.start(max_lag="500ms")
        client = self.client(proxy)
        servers.replica.configure(recovery_min_apply_delay="3s")
        servers.replica.reload()
        self.addCleanup(self.end_delay)
        wait_until(lambda: servers.replica.value("SHOW recovery_min_apply_delay") == "3s", message="it delays")
        servers.primary.ask("INSERT INTO thing VALUES (3)")
        wait_until(lambda: self.reads_on(client) == "primary", message="the replica is too far behind")
        wait_until(lambda: self.reads_on(client) == "replica1", message="it has replayed what there is")

    def end_delay(self):
        servers.replica.configure(recovery_min_apply_delay="0")
        servers.replica.reload()
        servers.wait_for_replay()

    def test_a_session_has_a_limit_of_its_own(self):
        proxy = self.start()
        client, other = self.client(proxy), self.client(proxy)
        self.assertEqual(self.run_one(client, "SHOW pgsteer.max_lag"), ["0"])
        self.run_one(client, "SET pgsteer.max_lag = '300ms'")
        self.assertEqual(self.run_one(client, "SHOW pgsteer.max_lag"), ["300ms"])
        self.stop_replay()
        servers.primary.ask("INSERT INTO thing VALUES (4)")
        wait_until(lambda: self.reads_on(client) == "primary", message="too far behind for this one")
        self.assertEqual(self.reads_on(other), "replica1")
        late = self.client(proxy, options="-c pgsteer.max_lag=300ms")
        self.assertEqual(self.reads_on(late), "primary")
        self.run_one(client, "RESET pgsteer.max_lag")
        self.assertEqual(self.reads_on(client), "replica1")

    def test_a_user_has_a_limit(self):
        proxy = self.start(max_lag="1h", routing_users=[f"{USER} max_lag=300ms"])
        client = self.client(proxy)
        self.assertEqual(self.run_one(client, "SHOW pgsteer.max_lag"), ["300ms"])
        self.stop_replay()
        servers.primary.ask("INSERT INTO thing VALUES (5)")
        proxy.wait_log("Replica lags too far behind.*max_lag_ms=300")
        self.assertEqual(self.reads_on(client), "primary")

    def test_it_counts_beside_the_level(self):
        proxy = self.start(max_lag="300ms", consistency="session")
        client = self.client(proxy)
        wait_until(lambda: self.reads_on(client) == "replica1", message="reads run on the replica")
        self.stop_replay()
        servers.primary.ask("INSERT INTO thing VALUES (6)")
        wait_until(lambda: self.reads_on(client) == "primary", message="too far behind, though nothing of its own")

    def test_a_replica_that_was_behind_before_the_proxy_began_gets_no_reads(self):
        self.stop_replay()
        servers.primary.ask("INSERT INTO thing VALUES (7)")
        wait_until(lambda: servers.replica.ask("SELECT 1 WHERE now() - pg_last_xact_replay_timestamp() > '400ms'"),
                   message="what it has replayed is older than the limit")
        proxy = Proxy(servers.primary.url(), servers.replica.url(), consistency="eventual", max_lag="300ms")
        self.addCleanup(proxy.stop)
        client = self.client(proxy)
        for _ in range(3):
            self.assertEqual(self.reads_on(client), "primary")
        self.resume_replay()
        wait_until(lambda: self.reads_on(client) == "replica1", message="it has caught up")

    def test_nothing_grows_old_while_the_primary_is_away(self):
        proxy = self.start(max_lag="300ms")
        client = self.client(proxy)
        self.assertEqual(self.reads_on(client), "replica1")
        servers.primary.stop()
        self.addCleanup(servers.heal)
        proxy.wait_log("No primary")
        until = time.monotonic() + 1
        while time.monotonic() < until:
            self.assertEqual(self.reads_on(client), "replica1")

    def test_wrong_values_are_refused(self):
        client = self.client(self.start())
        for wrong in ("5", "soon", "1ms", "25h", "-1s"):
            answer = client.query(f"SET pgsteer.max_lag = '{wrong}'")
            self.assertEqual(answer.sqlstates, ["22023"], wrong)
        self.assertEqual(self.run_one(client, "SHOW pgsteer.max_lag"), ["0"])


if __name__ == "__main__":
    unittest.main()
