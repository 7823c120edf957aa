"""tests/transcripts/*.txt: whatever a server answers to them, it answers past the proxy."""

import glob
import itertools
import random
import time
import unittest

from tests.support.cluster import Cluster
from tests.support.disturber import Disturber
from tests.support.proxy import ROOT, Proxy
from tests.support.transcript import Transcript


_PAUSE = .02  # longer than pgsteer waits for the rest of a batch before it sends what there is
_PAUSES = 4  # a transcript


def setUpModule():
    global servers, direct
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    direct = {}


def set_up(transcript):
    if transcript.setup:
        servers.run(*transcript.setup)


def heard_directly(transcript):
    """What the server itself says: once, whatever the proxy is set to."""
    if transcript.name not in direct:
        set_up(transcript)
        direct[transcript.name] = transcript.play(servers.primary.port)
    return direct[transcript.name]


def pauses(transcript):
    """Called before each step: the client is slow inside some of its batches, always the same ones."""
    inside, calls = transcript.inside_batches(), itertools.count()
    chosen = set(random.Random(transcript.name).sample(inside, min(_PAUSES, len(inside))))
    return lambda: time.sleep(_PAUSE) if next(calls) in chosen else None


class Transcripts(unittest.TestCase):
    maxDiff = 4000

    def replay(self, is_disturbed=False, is_slow=False, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        if "pool_size" in settings:
            proxy.fill_pools(settings["pool_size"])
        paths = sorted(glob.glob(f"{ROOT}/tests/transcripts/*.txt"))
        self.assertTrue(paths)
        for path in paths:
            transcript = Transcript(path)
            with self.subTest(transcript.name):
                expected = heard_directly(transcript)
                set_up(transcript)
                if is_disturbed:
                    other = Disturber(proxy.port)
                    heard = transcript.play(proxy.port, other.stir)
                    other.finish()
                    self.assertGreater(other.answered, 0)
                else:
                    heard = transcript.play(proxy.port, pauses(transcript) if is_slow else lambda: None)
                self.assertTrue(expected, "a transcript listens at least once")
                self.assertEqual(heard, expected)
        self.assertEqual(proxy.metric("pgsteer_ledger_mismatches_total"), 0)

    def test_on_one_backend_shared_by_all(self):
        self.replay(pool_size=1)

    def test_with_another_client_between_any_two_messages(self):
        """Whatever it leaves on the one connection there is, nobody sees; nor is it kept from being served."""
        self.replay(is_disturbed=True, pool_size=1, acquire_timeout="60s")

    def test_on_another_backend_each_time(self):
        self.replay(pool_size=3, backend_rotation="always")

    def test_of_clients_that_pause_inside_a_batch(self):
        self.replay(is_slow=True, pool_size=2, backend_rotation="always")

    def test_in_session_mode(self):
        self.replay(pool_mode="session")


if __name__ == "__main__":
    unittest.main()
