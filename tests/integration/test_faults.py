"""The short part of tests/faults: a replica that dies costs no error, a switchover none but for what was in flight."""

import unittest

from tests.support import faults
from tests.support.fault_load import CLIENTS


class Faults(unittest.TestCase):
    def test_a_replica_dies(self):
        outcome = faults.run("a replica dies")
        self.assertEqual((outcome.errors, outcome.lost, outcome.doubled), ({}, 0, 0))

    def test_a_planned_switchover(self):
        outcome = faults.run("planned switchover: the primary is stopped, a standby promoted")
        self.assertLessEqual(set(outcome.errors), {"08006 write", "08006 read"})
        self.assertLessEqual(sum(outcome.errors.values()), CLIENTS)
        self.assertEqual((outcome.lost, outcome.doubled), (0, 0))

    def test_a_replica_is_cut_off(self):
        outcome = faults.run("a replica is cut off for a while: accepts and hangs")
        self.assertEqual((outcome.errors, outcome.lost, outcome.doubled), ({}, 0, 0))

    def test_the_primary_is_cut_off(self):
        outcome = faults.run("the primary is cut off both ways, a standby is promoted")
        self.assertLessEqual(set(outcome.errors), {"08006 write", "08006 read"})
        self.assertLessEqual(sum(outcome.errors.values()), CLIENTS)
        self.assertEqual(outcome.doubled, 0)

    def test_the_old_primary_rejoins(self):
        outcome = faults.run("the same, and the old primary rejoins after pg_rewind")
        self.assertLessEqual(set(outcome.errors), {"08006 write", "08006 read"})
        self.assertLessEqual(sum(outcome.errors.values()), CLIENTS)
        self.assertEqual((outcome.lost, outcome.doubled), (0, 0))


if __name__ == "__main__":
    unittest.main()
