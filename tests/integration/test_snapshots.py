"""A read-only block on a replica meets what only the primary can do, and its snapshot cannot move there."""

import itertools
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

UNFIT = "SELECT last_value FROM numbers"  # right on the primary alone, and no error anywhere


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing SELECT generate_series(1, 5)", "CREATE SEQUENCE numbers")


class Snapshots(unittest.TestCase):
    marks = itertools.count()

    def setUp(self):
        self.proxy = Proxy(servers.primary.url(), servers.replica.url(), reconnect_delay="100ms")
        self.addCleanup(self.proxy.stop)
        self.client = self.connect()
        wait_until(lambda: self.where("SELECT count(*) FROM thing") == ["replica1"], message="reads leave the primary")

    def connect(self):
        client = raw.logged_in(self.proxy.port)
        self.addCleanup(client.close)
        return client

    def run_all(self, *statements, client=None):
        for sql in statements:
            answer = (client or self.client).query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def where(self, sql, client=None):
        mark = f"/* snapshot {next(self.marks)} end */"
        self.run_all(f"{sql} {mark}", client=client)
        return sorted(servers.ran(mark))

    def begin_on_replica(self, begin):
        """After what ran on the primary, that may take a moment."""
        def tries():
            self.run_all(begin)
            if self.where("SELECT count(*) FROM thing") == ["replica1"]:
                return True
            self.run_all("COMMIT")
            return False
        wait_until(tries, message="the block reads on the replica")

    def assert_fails(self, answer):
        self.assertEqual(answer.sqlstates, ["40001"])
        self.assertIn("sequence", answer.errors[0]["D"])
        self.assertEqual(answer.status, "E")
        self.assertEqual(self.client.query("SELECT 1").sqlstates, ["25P02"])
        self.assertEqual(self.run_all("ROLLBACK").status, "I")

    def test_the_transaction_fails_and_the_next_one_runs_on_the_primary(self):
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        self.begin_on_replica(begin)
        self.assert_fails(self.client.query(UNFIT))
        for client in (self.client, self.connect()):
            self.run_all(begin, client=client)
            self.assertEqual(self.where("SELECT count(*) FROM thing", client), ["primary"])
            self.run_all(UNFIT, "COMMIT", client=client)
        # Others do not share its fate.
        self.begin_on_replica("BEGIN READ ONLY")
        self.run_all("COMMIT")
        self.assertIn("those like it go there", self.proxy.log())

    def test_a_default_of_the_session_counts(self):
        self.run_all("SET default_transaction_isolation = 'repeatable read'")
        self.begin_on_replica("BEGIN READ ONLY")
        self.assert_fails(self.client.query(UNFIT))
        self.run_all("BEGIN READ ONLY", "SELECT 1", UNFIT, "COMMIT")

    def test_an_open_cursor(self):
        cursor = "DECLARE c CURSOR FOR SELECT id FROM thing ORDER BY id"
        self.begin_on_replica("BEGIN READ ONLY")
        self.assertEqual(self.where(cursor), ["replica1"])
        self.run_all("FETCH 2 FROM c")
        self.assert_fails(self.client.query(UNFIT))
        self.begin_on_replica("BEGIN READ ONLY")
        self.assertEqual(self.where(cursor), ["primary"])
        self.run_all("FETCH 2 FROM c", UNFIT, "FETCH 2 FROM c", "COMMIT")

    def test_extended_protocol(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.client.send(raw.parse("SELECT 2") + raw.bind([]) + raw.execute() + raw.parse(UNFIT) + raw.bind([]) + raw.execute()
                         + raw.SYNC)
        self.assert_fails(self.client.read_until("Z"))

    def test_a_batch_in_parts(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.client.send(raw.parse(UNFIT) + raw.describe("S") + raw.FLUSH)
        self.assertEqual(self.client.read_until("E").sqlstates, ["40001"])
        self.client.send(raw.bind([]) + raw.execute() + raw.SYNC)
        self.assertEqual(self.client.read_until("Z").status, "E")
        self.run_all("ROLLBACK")

    def test_a_batch_in_parts_moves_where_there_is_no_snapshot(self):
        self.begin_on_replica("BEGIN READ ONLY")
        self.client.send(raw.parse(UNFIT) + raw.describe("S") + raw.FLUSH)
        self.assertEqual(self.client.read_until("T").errors, [])
        self.client.send(raw.bind([]) + raw.execute() + raw.SYNC)
        self.assertEqual(self.client.read_until("Z").values, ["1"])
        self.assertEqual(self.where("SELECT count(*) FROM thing"), ["primary"])
        self.run_all("COMMIT")

    def run_behind_a_flush(self, first, second):
        """Where the second one ran, of one unit; or the answer that ended the session."""
        mark = f"/* snapshot {next(self.marks)} end */"
        self.client.send(*first, raw.FLUSH)
        self.client.read_until("C" if raw.execute() in first else "T")
        self.client.send(*second(mark), raw.SYNC)
        answer = self.client.answer()
        return answer if answer.closed or answer.errors else sorted(servers.ran(mark))

    def test_what_follows_a_flush_is_not_known_before(self):
        whole = [raw.parse("SELECT id FROM thing"), raw.bind([]), raw.execute()]
        unfit = lambda mark: [raw.parse(f"{UNFIT} {mark}"), raw.bind([]), raw.execute()]  # noqa: E731
        self.begin_on_replica("BEGIN READ ONLY")
        self.assertEqual(self.run_behind_a_flush(whole, unfit), ["primary"])
        self.run_all("COMMIT")

    def test_a_statement_that_is_described_first_stays(self):
        for begin in ("BEGIN READ ONLY", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            self.begin_on_replica(begin)
            mark = f"/* snapshot {next(self.marks)} end */"
            self.client.send(raw.parse(f"SELECT id FROM thing {mark}", "first"), raw.describe("S", "first"), raw.FLUSH)
            self.client.read_until("T")
            self.client.send(raw.bind([], "first"), raw.execute(), raw.SYNC)
            self.assertEqual(len(self.client.answer().rows), 5)
            self.assertEqual(sorted(servers.ran(mark)), ["replica1"])
            self.run_all("COMMIT", "DEALLOCATE first")

    def test_a_snapshot_cannot_move_behind_a_flush(self):
        whole = [raw.parse("SELECT id FROM thing"), raw.bind([]), raw.execute()]
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        answer = self.run_behind_a_flush(whole, lambda mark: [raw.parse(f"{UNFIT} {mark}"), raw.bind([]), raw.execute()])
        self.assertEqual((answer.closed, answer.sqlstates), (True, ["40001"]))

    def test_a_savepoint_may_not_take_back_what_names_mean(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.run_all("SAVEPOINT s", "SELECT set_config('app.x', 'y', true)", "ROLLBACK TO s")
        self.assertEqual(self.client.query("SELECT set_config('search_path', 'pg_catalog', true)").sqlstates, ["40001"])
        self.run_all("ROLLBACK")

    def test_a_savepoint_may_not_follow_what_names_mean(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.run_all("SELECT set_config('search_path', 'pg_catalog', true)")
        self.assertEqual(self.client.query("SAVEPOINT s").sqlstates, ["40001"])
        self.run_all("ROLLBACK")

    def test_settings_count_behind_a_flush(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        whole = [raw.parse("SELECT id FROM thing"), raw.bind([]), raw.execute()]
        answer = self.run_behind_a_flush(whole, lambda mark: [raw.parse(f"SELECT current_setting('app.x', true) {mark}")])
        self.assertEqual((answer.closed, answer.sqlstates), (True, ["40001"]))

    def test_an_unknown_name_behind_a_flush_is_the_servers_to_refuse(self):
        self.begin_on_replica("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        whole = [raw.parse("SELECT id FROM thing"), raw.bind([]), raw.execute()]
        answer = self.run_behind_a_flush(whole, lambda mark: [raw.bind([], "nobody"), raw.execute()])
        self.assertEqual((answer.closed, answer.sqlstates), (False, ["26000"]))
        self.run_all("ROLLBACK")


if __name__ == "__main__":
    unittest.main()
