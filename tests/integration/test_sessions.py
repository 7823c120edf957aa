"""Sessions from a seed are answered past pgsteer as by a server: see tests/generated/sessions.py. For more of them:
SESSIONS=1000 python3 -m unittest tests.integration.test_sessions, and SESSIONS_SEED=7 for one."""

import os
import unittest

from tests.generated.sessions_replay import Stage
from tests.generated.sessions_sql import SETUP
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy


def setUpModule():
    global servers
    # Who waits for a lock waits for a client that waits for its turn.
    servers = Cluster(replicas=1, log_statement="none", max_prepared_transactions="10", lock_timeout="300ms")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(SETUP)


def seeds():
    if "SESSIONS_SEED" in os.environ:
        return [int(os.environ["SESSIONS_SEED"])]
    return range(int(os.environ.get("SESSIONS", "25")))


class Sessions(unittest.TestCase):
    def check(self, replica_url=None, are_at_once=True, **settings):
        proxy = Proxy(servers.primary.url(), replica_url, **settings)
        self.addCleanup(proxy.stop)
        stage = Stage(servers, proxy, are_at_once)
        self.addCleanup(stage.close)
        for seed in seeds():
            with self.subTest(seed=seed):
                stage.compare(seed)
        self.assertEqual(proxy.metric("pgsteer_ledger_mismatches_total"), 0)
        return proxy

    def test_one_after_another_on_one_backend(self):
        self.check(pool_size=1, are_at_once=False)

    def test_at_once_on_another_backend_each_time(self):
        self.check(pool_size=3, backend_rotation="always")

    def test_at_once_with_a_replica(self):
        # One session sees the other's writes at once on a server: `global` promises the same past pgsteer.
        proxy = self.check(servers.replica.url(), pool_size=3, backend_rotation="always", replica_warmup="0s", consistency="global", consistency_wait="1s")
        self.assertGreater(proxy.metric("pgsteer_units_total", target="replica"), 0)


if __name__ == "__main__":
    unittest.main()
