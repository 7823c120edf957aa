"""A thousand generated statements give past pgsteer what they give on a server: see tests/generated."""

import unittest

from tests.generated.compare import Difference, Field, run


class Generated(unittest.TestCase):
    def field(self, count, **settings):
        field = Field(count, **settings)
        self.addCleanup(field.stop)
        return field

    def test_one_session(self):
        field = self.field(1)
        self.assertEqual(run(field, seed=1, statements=1000), 1000)
        self.assertGreater(field.on_replica(), 50, field.kept())
        self.assertNotIn("replica_down", [reason for _, reason in field.kept()], "it was up all the time")

    def test_three_sessions(self):
        field = self.field(3)
        self.assertEqual(run(field, seed=2, statements=400, count=3), 400)
        self.assertGreater(field.on_replica(), 20, field.kept())

    def test_it_can_fail(self):
        field = self.field(1, consistency="eventual")
        field.servers.replica.ask("SELECT pg_wal_replay_pause()")
        with self.assertRaises(Difference):
            run(field, seed=1, statements=2000)


if __name__ == "__main__":
    unittest.main()
