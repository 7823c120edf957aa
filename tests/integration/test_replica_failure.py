"""A replica that dies under load and comes back: clients see nothing of it."""

import json
import threading
import time
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=2)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing SELECT generate_series(1, 1000)",
                "CREATE TABLE gate ()")


def read_simple(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM thing /* load */")
        assert cursor.fetchone() == (1000,)


def read_extended(connection):
    assert connection.execute("SELECT count(*) FROM thing WHERE id > %s /* load */", (500,)).fetchone() == (500,)


class ReplicaFailure(unittest.TestCase):
    def setUp(self):
        self.addCleanup(servers.heal)

    def start(self, replica_url):
        proxy = Proxy(servers.primary.url(), replica_url, reconnect_delay="100ms", health_interval="200ms",
                      failed_probe_interval="1s")
        self.addCleanup(proxy.stop)
        return proxy

    def reads_on(self, *names):
        ran = servers.ran("/* load */")
        return sum(ran.get(name, 0) for name in names)

    def outlive(self, proxy, take_down, connect, work):
        """Runs reads while the first replica goes and comes back."""
        with Load(connect, work, clients=6) as load:
            load.wait_progress()
            take_down()
            load.wait_progress(200)
            wait_until(lambda: proxy.health()[1]["db_replica"] == "disconnected", message="seen as down")
            servers.heal()
            wait_until(lambda: proxy.health()[0] == 200, message="seen as up again")
            before = self.reads_on("replica1")
            load.wait_progress(100)
            # A session may stay with the replica it has read from: a new one shows that reads are back.
            wait_until(lambda: proxy.ask("SELECT 1 /* load */") and self.reads_on("replica1") > before,
                       message="reads are back on the replica")
        self.assertEqual(load.errors, [])

    def test_killed_under_simple_reads(self):
        proxy = self.start(servers.replica.url())
        self.outlive(proxy, servers.replica.kill, proxy.connect2, read_simple)

    def test_killed_under_extended_reads(self):
        proxy = self.start(servers.replica.url())
        self.outlive(proxy, servers.replica.kill, proxy.connect, read_extended)

    def test_killed_under_prepared_reads(self):
        proxy = self.start(servers.replica.url())
        self.outlive(proxy, servers.replica.kill, lambda: proxy.connect(prepare_threshold=0), read_extended)

    def test_shut_down_by_its_administrator(self):
        proxy = self.start(servers.replica.url())
        self.outlive(proxy, servers.replica.stop, proxy.connect2, read_simple)

    def test_the_other_replica_takes_over(self):
        proxy = self.start(servers.replica_url())
        before = self.reads_on("primary")
        self.outlive(proxy, servers.replica.kill, proxy.connect2, read_simple)
        # One read on the primary tells a session that changes replicas how fresh the other must be.
        self.assertLess(self.reads_on("primary") - before, 30)

    def wait_active_on(self, server, text):
        wait_until(lambda: server.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                                        " AND query LIKE %s AND application_name <> 'test'", (f"%{text}%",)),
                   message=f"{text} runs on {server.name}")

    def test_a_read_not_begun_to_be_answered_is_run_elsewhere(self):
        proxy = self.start(servers.replica.url())
        wait_until(lambda: proxy.health()[0] == 200)
        rows = []
        reader = threading.Thread(target=lambda: rows.extend(proxy.ask("SELECT 7, count(*) FROM gate /* slow read */")))
        with servers.gate("gate"):
            reader.start()
            self.wait_active_on(servers.replica, "slow read")
            servers.replica.kill()
            self.wait_active_on(servers.primary, "slow read")
        reader.join()
        self.assertEqual(rows, [(7, 0)])
        self.assertEqual(servers.ran("/* slow read */"), {"replica1": 1, "primary": 1})

    def test_a_read_half_answered_fails_with_a_cause(self):
        proxy = self.start(servers.replica.url())
        wait_until(lambda: proxy.health()[0] == 200)
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000) /* long */"))
            for _ in range(2000):
                self.assertIn(client.read_frame().type, "TD")
            servers.replica.kill()
            answer = client.answer()
            self.assertEqual(answer.sqlstates, ["08006"])
            self.assertTrue(answer.errors[0]["M"])
            if not answer.closed:
                self.assertEqual(client.query("SELECT 1").values, ["1"])
        self.assertNotIn("primary", servers.ran("/* long */"))

    def test_a_read_only_block_fails_and_stays_failed_until_it_ends(self):
        proxy = self.start(servers.replica.url())
        wait_until(lambda: proxy.health()[0] == 200)
        with proxy.connect(autocommit=False) as client:
            client.read_only = True
            client.execute("SELECT 1")
            servers.replica.kill()
            with self.assertRaises(psycopg.Error) as caught:
                client.execute("SELECT 2")
            if not client.closed:
                self.assertIn(caught.exception.sqlstate, ("08006", "57P01", "57P02", "25P02"))
                with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                    client.execute("SELECT 3")
                client.rollback()
                self.assertEqual(client.execute("SELECT 4").fetchone(), (4,))


class Breaker(unittest.TestCase):
    def test_one_connection_that_breaks_counts_once_however_many_reads_run_beside_it(self):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), health_interval="200ms", consistency="eventual", pool_size=8)
        self.addCleanup(proxy.stop)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy at first")
        answers = []
        readers = [threading.Thread(target=lambda at=at: answers.append(proxy.ask(f"SELECT {at} + count(*) FROM gate /* beside {at} end */")))
                   for at in range(6)]
        with servers.gate("gate"):
            for reader in readers:
                reader.start()
            for at in range(6):
                wait_until(lambda at=at: servers.replica.statements(f"/* beside {at} end */"), message="it runs there")
            servers.replica.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%/* beside 0 end */%%'"
                                " AND pid <> pg_backend_pid()")
            wait_until(lambda: len(servers.statements("/* beside 0 end */")) == 2, message="it runs elsewhere")
        for reader in readers:
            reader.join()
        self.assertEqual(sorted(answers), [[(at,)] for at in range(6)])
        self.assertEqual(proxy.metric("pgsteer_backend_losses_total"), 1)
        self.assertEqual(proxy.metric("pgsteer_server_breaker_openings_total", role="replica"), 0)

    def test_a_replica_that_keeps_failing_rests_and_is_tried_again(self):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), health_interval="200ms", consistency="eventual")
        self.addCleanup(proxy.stop)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy at first")
        readers = []
        with servers.gate("gate"):
            for number in range(3):
                wait_until(lambda: proxy.metric("pgsteer_server_up", role="replica") == 1, message="the probe works")
                reader = threading.Thread(target=proxy.ask, args=(f"SELECT count(*) FROM gate /* fails {number} */",))
                reader.start()
                readers.append(reader)
                wait_until(lambda: servers.replica.statements(f"/* fails {number} */"), message="it runs there")
                begun = time.monotonic()
                servers.replica.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s"
                                    " AND pid <> pg_backend_pid()", (f"%/* fails {number} */",))
                wait_until(lambda: proxy.metric("pgsteer_backend_losses_total") == number + 1, message="it was lost")
            proxy.wait_log("WARN Replica gets no reads: it keeps failing.*for_ms=1000")
        self.assertEqual(proxy.metric("pgsteer_server_breaker_openings_total", role="replica"), 1)
        self.assertEqual(proxy.metric("pgsteer_server_breaker", role="replica", state="open"), 1)
        status = json.loads(proxy.get("/status")[1])
        self.assertEqual(status["servers"][1]["breaker"], "open")
        proxy.ask("SELECT 1 /* meanwhile */")
        if time.monotonic() - begun < 1:  # else it may have been the trial
            self.assertEqual(servers.ran("/* meanwhile */"), {"primary": 1})
        wait_until(lambda: proxy.ask("SELECT 1 /* again */") and servers.replica.statements("/* again */"),
                   message="it is read from again")
        proxy.wait_log("INFO Replica on trial")
        proxy.wait_log("INFO Replica serves reads again")
        self.assertEqual(proxy.metric("pgsteer_server_breaker", role="replica", state="closed"), 1)
        for reader in readers:
            reader.join()


if __name__ == "__main__":
    unittest.main()
