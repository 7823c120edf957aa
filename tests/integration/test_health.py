"""The admin port in each state of the servers: exact answers, at once, whatever the pools do."""

import json
import re
import socket
import time
import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy, run
from tests.support.waiting import scaled, wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=2)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")


class Health(unittest.TestCase):
    def start(self, replica_url=None, **settings):
        proxy = Proxy(servers.primary.url(), replica_url, reconnect_delay="100ms", health_interval="200ms",
                      failed_probe_interval="1s", **settings)
        self.addCleanup(proxy.stop)
        self.addCleanup(servers.heal)
        return proxy

    def wait_health(self, proxy, status, primary, replica):
        version = re.search(r"\d+\.\d+\.\d+", run("--version").stdout)[0]
        expected = json.dumps({"status": "healthy" if status == 200 else "unhealthy", "version": version,
                               "db_primary": primary, "db_replica": replica}, separators=(",", ":"))
        wait_until(lambda: proxy.get("/health") == (status, expected), 10,
                   f"{status} {expected}, not {proxy.get('/health')}")

    def test_both_connected(self):
        self.wait_health(self.start(servers.replica.url()), 200, "connected", "connected")

    def test_no_replica(self):
        self.wait_health(self.start(), 200, "connected", None)

    def test_replica_down_and_up(self):
        proxy = self.start(servers.replica.url())
        servers.replica.kill()
        self.wait_health(proxy, 503, "connected", "disconnected")
        self.assertEqual((proxy.get("/livez")[0], proxy.get("/readyz")[0]), (200, 200))
        servers.heal()
        self.wait_health(proxy, 200, "connected", "connected")

    def test_one_of_two_replicas_down(self):
        proxy = self.start(servers.replica_url())
        self.wait_health(proxy, 200, "connected", "connected")
        servers.replicas[1].kill()
        self.wait_health(proxy, 503, "connected", "disconnected")

    def test_primary_down_and_up(self):
        proxy = self.start(servers.replica.url())
        self.wait_health(proxy, 200, "connected", "connected")
        servers.primary.kill()
        self.wait_health(proxy, 503, "disconnected", "connected")
        self.assertEqual((proxy.get("/livez")[0], proxy.get("/readyz")[0]), (200, 503))
        servers.heal()
        self.wait_health(proxy, 200, "connected", "connected")
        wait_until(lambda: proxy.get("/readyz")[0] == 200, message="ready")

    def test_both_down_from_the_start(self):
        servers.primary.kill()
        servers.replica.kill()
        proxy = self.start(servers.replica.url())
        self.wait_health(proxy, 503, "disconnected", "disconnected")
        servers.heal()
        self.wait_health(proxy, 200, "connected", "connected")
        self.assertEqual(proxy.ask("SELECT count(*) FROM thing"), [(0,)])

    def test_a_server_that_never_answers(self):
        proxy = self.start(servers.replica.url(), connect_timeout=f"{int(scaled(500))}ms")
        self.wait_health(proxy, 200, "connected", "connected")
        servers.replica.freeze()
        begun = time.monotonic()
        self.wait_health(proxy, 503, "connected", "disconnected")
        self.assertLess(time.monotonic() - begun, scaled(5))
        servers.replica.resume()
        self.wait_health(proxy, 200, "connected", "connected")

    def test_it_answers_while_all_pools_are_busy(self):
        proxy = self.start(pool_size=1)
        self.wait_health(proxy, 200, "connected", None)
        with proxy.connect(autocommit=False) as client:
            client.execute("SELECT 1")
            begun = time.monotonic()
            for path in ("/health", "/livez", "/readyz", "/metrics"):
                self.assertEqual(proxy.get(path)[0], 200, path)
            self.assertLess(time.monotonic() - begun, scaled(1))

    def test_clients_that_say_nothing_do_not_block_it(self):
        proxy = self.start()
        silent = [socket.create_connection(("127.0.0.1", proxy.admin_port)) for _ in range(50)]
        for each in silent:
            self.addCleanup(each.close)
        self.assertEqual(proxy.get("/livez")[0], 200)

    def test_unknown_paths_and_bad_requests(self):
        proxy = self.start()
        self.assertEqual(proxy.get("/nothing")[0], 404)
        with socket.create_connection(("127.0.0.1", proxy.admin_port), timeout=scaled(5)) as client:
            client.sendall(b"\x00\x01garbage\r\n\r\n")
            client.recv(1000)
        self.assertEqual(proxy.get("/livez")[0], 200)

    def test_metrics_tell_targets(self):
        proxy = self.start(servers.replica.url())
        self.wait_health(proxy, 200, "connected", "connected")
        before = (queries(proxy, "primary"), queries(proxy, "replica"))
        with proxy.connect() as client:
            for _ in range(3):
                client.execute("SELECT count(*) FROM thing")
            client.execute("DELETE FROM thing")
        after = (queries(proxy, "primary"), queries(proxy, "replica"))
        self.assertEqual((after[0] - before[0], after[1] - before[1]), (1, 3))

    def test_metrics_are_well_formed(self):
        proxy = self.start(servers.replica.url())
        proxy.ask("SELECT 1")
        status, text = proxy.get("/metrics")
        self.assertEqual(status, 200)
        sample = re.compile(r'^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (\+Inf|NaN|[0-9.e+-]+)$')
        typed = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name = line.split()[2]
                self.assertNotIn(name, typed, "one TYPE line a metric")
                typed.add(name)
            elif line and not line.startswith("#"):
                self.assertRegex(line, sample)
                name = re.match(r"[a-z_]+", line)[0]
                self.assertTrue({name, re.sub("_(bucket|sum|count)$", "", name)} & typed, name)
        for kind in ("pool", "wait", "seconds_bucket"):
            self.assertIn(kind, text)


def queries(proxy, target):
    return proxy.metric("pgsteer_units_total", target=target)


class Events(unittest.TestCase):
    def test_status_tells_what_happened_last(self):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), health_interval="200ms", log_level="error")
        self.addCleanup(proxy.stop)
        self.addCleanup(servers.heal)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy at first")
        servers.replica.kill()
        def texts():
            return [event["text"] for event in json.loads(proxy.get("/status")[1])["events"]]
        wait_until(lambda: any(text.startswith("Database connection lost") for text in texts()), message="told")
        self.assertIn(f"server=127.0.0.1:{servers.replica.port}", texts()[0])
        self.assertEqual(proxy.log_lines("Database connection lost"), [])


if __name__ == "__main__":
    unittest.main()
