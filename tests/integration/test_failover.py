"""A promotion is found by the proxy itself: writes go on there, the old primary is kept out."""

import json
import shutil
import threading
import time
import unittest

import psycopg

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import template
from tests.support.waiting import scaled, wait_until


class Failover(unittest.TestCase):
    def setUp(self):
        self.servers = Cluster(replicas=2)
        self.addCleanup(self.servers.stop)
        self.servers.run("CREATE TABLE ledger (id int)")
        self.old, (self.new, self.other) = self.servers.primary, self.servers.replicas
        self.proxy = Proxy(self.old.url(), self.servers.replica_url(), reconnect_delay="200ms",
                           reconnect_delay_max="500ms")
        self.addCleanup(self.proxy.stop)
        wait_until(lambda: self.proxy.health()[0] == 200, message="all connected")
        self.failures = []

    def server(self, server):
        """What /status says of one server."""
        found = json.loads(self.proxy.get("/status")[1])["servers"]
        return next(each for each in found if each["name"] == f"127.0.0.1:{server.port}")

    def write(self, number):
        """Whether an INSERT was acknowledged."""
        try:
            self.proxy.ask("INSERT INTO ledger VALUES (%s)", (number,))
            return True
        except psycopg.Error:
            return False

    def fail_over(self):
        """The primary dies and a standby is promoted; returns when the proxy has taken it."""
        self.old.kill()
        self.new.promote()
        self.proxy.wait_log("WARN Primary changed")

    def follow_the_new_primary(self, server):
        server.configure(primary_conninfo=f"host=127.0.0.1 port={self.new.port} user=replicator"
                                          f" application_name={server.name}")
        server.reload()

    def make_standby(self, server):
        """The old primary, rebuilt as a standby of the new one."""
        server.stop()
        shutil.rmtree(server.data)
        shutil.copytree(template(), server.data)
        server.follow(self.new)
        server.start()
        server.wait_ready()

    def test_writes_go_on_at_the_promoted_server(self):
        self.assertTrue(self.write(1))
        self.servers.wait_for_replay()
        self.old.kill()
        self.new.promote()
        promoted = time.monotonic()
        wait_until(lambda: self.write(2), 20, "a write works")
        self.assertLess(time.monotonic() - promoted, scaled(4))
        self.assertEqual(self.new.value("SELECT array_agg(DISTINCT id ORDER BY id) FROM ledger"), [1, 2])
        lines = self.proxy.log_lines("WARN Primary changed")
        self.assertEqual(len(lines), 1)
        self.assertIn(f"from=127.0.0.1:{self.old.port} to=127.0.0.1:{self.new.port}", lines[0])
        self.assertEqual(self.proxy.metric("pgsteer_failovers_total"), 1)

    def test_the_promotion_is_noticed_within_a_second(self):
        self.old.kill()
        self.new.promote()
        promoted = time.monotonic()
        self.proxy.wait_log("WARN Primary changed")
        self.assertLess(time.monotonic() - promoted, scaled(1))

    def test_the_admin_port_shows_the_new_roles(self):
        self.fail_over()
        status, health = self.proxy.health()
        self.assertEqual((status, health["db_primary"], health["db_replica"]), (503, "connected", "disconnected"))
        self.assertEqual(self.proxy.get("/readyz")[0], 200)
        new, old = self.server(self.new), self.server(self.old)
        self.assertEqual((new["role"], new["timeline"], new["excluded"]), ("primary", 2, False))
        self.assertEqual((old["role"], old["excluded"]), ("replica", True))
        self.assertEqual(self.proxy.metric("pgsteer_server_timeline", server=new["name"]), 2)

    def test_a_standby_counts_again_when_it_follows_the_new_timeline(self):
        self.old.stop()  # both standbys have all of its WAL: with more than the promoted one, none could follow it
        self.new.promote()
        self.proxy.wait_log("WARN Primary changed")
        self.assertIsNone(self.server(self.other)["replayed_lsn"])
        self.follow_the_new_primary(self.other)
        wait_until(lambda: self.server(self.other)["replayed_lsn"], message="its position counts")
        self.assertEqual(self.server(self.other)["timeline"], 2)
        wait_until(lambda: self.server(self.other)["lag_bytes"] == 0, message="it has caught up")

    def test_the_old_primary_is_fenced_and_welcome_as_a_standby(self):
        self.fail_over()
        self.old.start()
        self.old.wait_ready()
        error = self.proxy.wait_log("ERROR Two servers say they are the primary")[0]
        self.assertIn(f"server=127.0.0.1:{self.old.port} timeline=1", error)
        for _ in range(20):
            self.proxy.ask("SELECT count(*) FROM ledger /* fenced? */")
            self.assertTrue(self.write(3))
        self.assertEqual(self.old.statements("/* fenced? */"), [])
        self.assertEqual(self.old.value("SELECT count(*) FROM ledger"), 0)
        self.assertEqual(self.proxy.health()[0], 503)
        self.make_standby(self.old)
        self.follow_the_new_primary(self.other)
        wait_until(lambda: self.server(self.old)["replayed_lsn"], 30, "the old primary is a replica")
        self.assertFalse(self.server(self.old)["excluded"])
        wait_until(lambda: self.proxy.health()[0] == 200, message="all connected")
        self.assertEqual(self.proxy.metric("pgsteer_failovers_total"), 1)

    def test_of_two_primaries_the_higher_timeline_wins(self):
        self.new.promote()
        promoted = time.monotonic()
        self.proxy.wait_log("ERROR Two servers say they are the primary")
        self.assertLess(time.monotonic() - promoted, scaled(2))
        wait_until(lambda: self.write(4), message="a write works")
        self.assertEqual(self.new.value("SELECT count(*) FROM ledger WHERE id = 4"), 1)
        self.assertEqual(self.old.value("SELECT count(*) FROM ledger WHERE id = 4"), 0)

    def test_what_hangs_on_the_old_primary_ends_with_the_failover(self):
        proxy = Proxy(self.old.url(), self.servers.replica_url(), reconnect_delay="200ms", pool_size=2)  # the third waits
        self.addCleanup(proxy.stop)
        with proxy.connect() as running, proxy.connect() as opened, proxy.connect() as waiting:
            opened.execute("BEGIN")
            opened.execute("INSERT INTO ledger VALUES (10)")
            hung = threading.Thread(target=self.fails, args=(running, "INSERT INTO ledger SELECT 11 FROM pg_sleep(60)"))
            hung.start()
            wait_until(lambda: self.old.statements("pg_sleep"), message="the statement runs")
            self.old.freeze()
            self.new.promote()
            waiting.execute("INSERT INTO ledger VALUES (12)")
            hung.join(timeout=scaled(20))
            self.assertFalse(hung.is_alive())
            self.assertEqual(self.failures, ["08006"])
            self.fails(opened, "SELECT 1")
            self.assertEqual(self.failures, ["08006", "08006"])
            opened.execute("ROLLBACK")
            opened.execute("INSERT INTO ledger VALUES (13)")
        self.assertEqual(self.new.value("SELECT array_agg(id ORDER BY id) FROM ledger"), [12, 13])

    def fails(self, client, sql):
        try:
            client.execute(sql)
        except psycopg.Error as error:
            self.failures.append(error.sqlstate)

    def test_a_proxy_that_starts_after_the_failover_finds_the_primary(self):
        self.fail_over()
        late = Proxy(self.old.url(), self.servers.replica_url(), reconnect_delay="200ms")
        self.addCleanup(late.stop)
        late.wait_log("WARN Primary changed")
        late.ask("INSERT INTO ledger VALUES (5)")
        self.assertEqual(self.new.value("SELECT count(*) FROM ledger WHERE id = 5"), 1)

    def test_a_reload_keeps_the_primary_that_was_found(self):
        self.fail_over()
        self.proxy.reload(pool_size=3)
        self.assertTrue(self.write(6))
        self.assertEqual(self.new.value("SELECT count(*) FROM ledger WHERE id = 6"), 1)


if __name__ == "__main__":
    unittest.main()
