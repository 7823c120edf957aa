"""pgbench through the proxy in all three protocol modes: 20 clients on 10 backends, no error, exact books."""

import re
import subprocess
import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until
from tests.support.template import PG_BIN
from tests.support.waiting import scaled

CLIENTS, TRANSACTIONS = 20, 60


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    proxy = Proxy(servers.primary.url(user="quiet", password="quiet pass"), servers.replica.url(user="quiet", password="quiet pass"),
                  acquire_timeout="30s")
    unittest.addModuleCleanup(proxy.stop)
    pgbench("-i", "-s", "1", "-q")
    servers.wait_for_replay()
    # New tables are read on the replica once the proxy's view of the catalog has them.
    wait_until(read_leaves_the_primary, message="reads of the new tables reach the replica")


def read_leaves_the_primary():
    before = calls(servers.replica, "SELECT count(*) FROM pgbench_branches%")
    proxy.ask("SELECT count(*) FROM pgbench_branches", user="quiet", password="quiet pass")
    return calls(servers.replica, "SELECT count(*) FROM pgbench_branches%") > before


def pgbench(*arguments):
    """Runs pgbench past the proxy; its output."""
    done = subprocess.run([f"{PG_BIN}/pgbench", *arguments, proxy.url(user="quiet", password="quiet pass")],
                          capture_output=True, text=True, timeout=scaled(100), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def calls(server, pattern):
    return int(server.value("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE %s"
                            " AND userid = 'quiet'::regrole", (pattern,)))


class Pgbench(unittest.TestCase):
    def run_mode(self, mode, *script):
        # A thread for each client: pgbench prepares with blocking calls, and would wait for a backend that
        # another client of the same thread holds.
        output = pgbench("-M", mode, "-n", "-c", str(CLIENTS), "-j", str(CLIENTS), "-t", str(TRANSACTIONS), *script)
        self.assertEqual(re.search(r"actually processed: (\d+)/\d+", output)[1], str(CLIENTS * TRANSACTIONS))
        self.assertRegex(output, r"number of failed transactions: 0 ")
        self.assertLessEqual(len(servers.primary.backends("quiet")), 10 + 2)  # the monitor and the catalog have one each

    def test_tpcb_like(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                before = servers.primary.value("SELECT count(*) FROM pgbench_history")
                self.run_mode(mode, "-b", "tpcb-like")
                self.assertEqual(servers.primary.value("SELECT count(*) FROM pgbench_history") - before,
                                 CLIENTS * TRANSACTIONS)
                self.assertEqual(servers.primary.ask(
                    "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history),"
                    " (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history)"),
                    [(True, True)])

    def test_select_only(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                before = {server.name: calls(server, "SELECT abalance%") for server in servers.servers()}
                self.run_mode(mode, "-S")
                ran = {server.name: calls(server, "SELECT abalance%") - before[server.name] for server in servers.servers()}
                self.assertEqual(ran, {"primary": 0, "replica1": CLIENTS * TRANSACTIONS})

    def test_a_connection_for_each_transaction(self):
        output = pgbench("-M", "simple", "-n", "-S", "-C", "-c", "4", "-t", "10")
        self.assertIn("actually processed: 40/40", output)


if __name__ == "__main__":
    unittest.main()
