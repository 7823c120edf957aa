"""tests/transcripts/*.txt: whatever a server answers to them, it answers past the proxy."""

import glob
import unittest

from tests.support.cluster import Cluster
from tests.support.disturber import Disturber
from tests.support.proxy import ROOT, Proxy
from tests.support.transcript import Transcript


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())


class Transcripts(unittest.TestCase):
    maxDiff = 4000

    def replay(self, is_disturbed=False, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        if "pool_size" in settings:
            proxy.fill_pools(settings["pool_size"])
        paths = sorted(glob.glob(f"{ROOT}/tests/transcripts/*.txt"))
        self.assertTrue(paths)
        for path in paths:
            transcript = Transcript(path)
            with self.subTest(transcript.name):
                heard = []
                servers.run(*transcript.setup)
                heard.append(transcript.play(servers.primary.port))
                servers.run(*transcript.setup)
                if is_disturbed:
                    other = Disturber(proxy.port)
                    heard.append(transcript.play(proxy.port, other.stir))
                    other.finish()
                    self.assertGreater(other.answered, 0)
                else:
                    heard.append(transcript.play(proxy.port))
                self.assertTrue(heard[0], "a transcript listens at least once")
                self.assertEqual(heard[1], heard[0])
        self.assertEqual(proxy.metric("pgsteer_ledger_mismatches_total"), 0)

    def test_on_one_backend_shared_by_all(self):
        self.replay(pool_size=1)

    def test_with_another_client_between_any_two_messages(self):
        """Whatever it leaves on the one connection there is, nobody sees; nor is it kept from being served."""
        self.replay(is_disturbed=True, pool_size=1, acquire_timeout="60s")

    def test_on_another_backend_each_time(self):
        self.replay(pool_size=3, backend_rotation="always")

    def test_in_session_mode(self):
        self.replay(pool_mode="session")


if __name__ == "__main__":
    unittest.main()
