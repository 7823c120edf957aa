"""What sessions read is proven from a recorded history: the checker can fail, and the default level passes it."""

import unittest

from tests.support import history_run
from tests.support.history import Operation, check
from tests.support.waiting import scaled


def write(session, key, number, started, ended, outcome="ok"):
    return Operation(session, 0, "write", key, "a test", started, ended, outcome, number)


def read(session, key, seen, started, ended):
    return Operation(session, 0, "read", key, "a test", started, ended, "ok", seen=tuple(seen))


class Checker(unittest.TestCase):
    def violations(self, operations, survivors, **options):
        return [v.promise for v in check(operations, survivors, **options).violations]

    def test_a_session_must_see_what_it_wrote(self):
        done = [write("a", "k", 1, 0, 1), read("a", "k", [], 2, 3)]
        self.assertEqual(self.violations(done, {"k": [1]}), ["read-your-writes"])
        self.assertEqual(self.violations([write("a", "k", 1, 0, 1), read("b", "k", [], 2, 3)], {"k": [1]}), [])
        self.assertEqual(self.violations([write("a", "k", 1, 0, 1), read("a", "k", [1], 2, 3)], {"k": [1]}), [])

    def test_a_write_of_unknown_outcome_need_not_be_seen(self):
        self.assertEqual(self.violations([write("a", "k", 1, 0, 1, "unknown"), read("a", "k", [], 2, 3)], {"k": [1]}), [])

    def test_a_session_never_goes_back(self):
        done = [write("b", "k", 1, 0, 1), read("a", "k", [1], 2, 3), read("a", "k", [], 4, 5)]
        self.assertEqual(self.violations(done, {"k": [1]}), ["monotonic reads"])

    def test_a_commit_that_a_standby_shows_before_its_writer_is_told_need_not_be_seen_again(self):
        done = [write("b", "k", 1, 0, 6), read("a", "k", [1], 2, 3), read("a", "k", [], 4, 5)]
        self.assertEqual(self.violations(done, {"k": [1]}), [])

    def test_what_a_writer_had_seen_comes_with_its_write(self):
        done = [write("a", "k", 1, 0, 1), read("b", "k", [1], 2, 3), write("b", "l", 2, 4, 5),
                read("c", "l", [2], 6, 7), read("c", "k", [], 8, 9)]
        self.assertEqual(self.violations(done, {"k": [1], "l": [2]}), ["writes-follow-reads"])

    def test_all_writes_count_for_the_global_level(self):
        done = [write("a", "k", 1, 0, 1), read("b", "k", [], 2, 3)]
        self.assertEqual(self.violations(done, {"k": [1]}, is_global=True), ["global read-your-writes"])
        self.assertEqual(self.violations([write("a", "k", 1, 0, 2), read("b", "k", [], 1, 3)], {"k": [1]}, is_global=True), [])

    def test_lost_and_doubled_writes_are_found(self):
        verdict = check([write("a", "k", 1, 0, 1), write("a", "k", 2, 2, 3)], {"k": [2, 2]})
        self.assertEqual([w.number for w in verdict.lost], [1])
        self.assertEqual(verdict.doubled, [2])


class Histories(unittest.TestCase):
    def test_a_level_that_promises_nothing_is_caught(self):
        with history_run.Run("eventual", sessions=6, replicas=1) as run:
            run.delay(200)
            verdict = run.go(scaled(4), [history_run.quiet])
        self.assertGreater(verdict.reads, 20, run.errors)
        self.assertTrue(verdict.violations, verdict.summary())

    def test_the_default_level_keeps_its_promises(self):
        with history_run.Run("session", sessions=8) as run:
            verdict = run.go(15, history_run.REPLICA_FAULTS)
            on_replicas = run.proxy.metric("pgsteer_units_total", target="replica", reason="read")
        self.assertEqual([], [str(v) for v in verdict.violations[:3]], verdict.summary())
        self.assertEqual(([], []), (verdict.lost, verdict.doubled), verdict.summary())
        self.assertGreater(verdict.reads, 100, run.errors)
        self.assertGreater(on_replicas, 20, "replicas took part")


if __name__ == "__main__":
    unittest.main()
