"""The short part of tests/faults: a replica that dies costs no error, a switchover none but for what was in flight."""

import unittest

from tests.support import faults


class Faults(unittest.TestCase):
    def test_a_replica_dies(self):
        outcome = faults.run("a replica dies")
        self.assertEqual((outcome.errors, outcome.lost, outcome.doubled), ({}, 0, 0))

    def test_a_planned_switchover(self):
        outcome = faults.run("planned switchover: the primary is stopped, a standby promoted")
        self.assertLessEqual(set(outcome.errors), {"08006 write", "08006 read"})
        self.assertLessEqual(sum(outcome.errors.values()), faults.CLIENTS)
        self.assertEqual((outcome.lost, outcome.doubled), (0, 0))


if __name__ == "__main__":
    unittest.main()
