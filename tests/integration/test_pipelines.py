"""Pipelines from a seed are answered past pgsteer as by a server: see tests/generated/pipelines.py. For more of them:
PIPELINES=1000 python3 -m unittest tests.integration.test_pipelines"""

import os
import unittest

from tests.generated.pipelines import SETUP, compare
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy


def setUpModule():
    global servers
    servers = Cluster(replicas=1, log_statement="none")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(*SETUP)


class Pipelines(unittest.TestCase):
    def check(self, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), replica_warmup="0s", **settings)
        self.addCleanup(proxy.stop)
        for seed in range(int(os.environ.get("PIPELINES", "60"))):
            with self.subTest(seed=seed):
                compare(servers, proxy, seed)
        self.assertEqual(proxy.metric("pgsteer_ledger_mismatches_total"), 0)
        self.assertGreater(proxy.metric("pgsteer_units_total", target="replica"), 20)

    def test_on_another_backend_each_time(self):
        self.check(pool_size=3, backend_rotation="always")

    def test_on_as_few_as_there_are_clients(self):
        self.check(pool_size=2)


if __name__ == "__main__":
    unittest.main()
