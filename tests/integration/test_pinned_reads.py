"""A pinned session's reads that have nothing to do with what pins it run on a replica; the others stay."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(
        "CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)", "CREATE TABLE parent (id int)",
        "CREATE FUNCTION things() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM thing'",
        "CREATE VIEW named AS SELECT oid::regclass AS name FROM pg_class",
        "CREATE VIEW seen AS SELECT relname FROM pg_class WHERE pg_table_is_visible(oid)",
        "CREATE VIEW indexed AS SELECT indexdef FROM pg_indexes", "CREATE VIEW things_seen AS SELECT id FROM thing")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)


class PinnedReads(unittest.TestCase):
    def setUp(self):
        servers.heal()
        self.one, self.other = (raw.logged_in(proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)
        self.mark = 0

    def run_one(self, *statements):
        for sql in statements:
            answer = self.one.query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def target(self, sql, client=None):
        """Where it runs, by the servers' own logs. A first read catches up with what was written."""
        client = client or self.one
        servers.wait_for_replay()
        self.mark += 1
        marker = f"/* {self.id()} {self.mark} */"
        answer = client.query(f"{sql} {marker}")
        self.assertEqual(answer.errors, [], sql)
        self.answer = answer
        return list(servers.ran(marker))

    def reads_leave(self):
        wait_until(lambda: self.target("SELECT count(*) FROM parent") == [servers.replica.name], message="reads leave the pinned backend")

    def start_on_the_replica(self, sql):
        """Sends a long read until one runs there; the question that counts it there."""
        marker = f"/* {self.id()} */"
        running = ("SELECT count(*) FROM pg_stat_activity"
                   f" WHERE state = 'active' AND query LIKE '%{marker}%' AND pid <> pg_backend_pid()")

        def runs():
            self.reads_leave()
            self.one.send(raw.query(f"{sql} {marker}"))
            on_primary = lambda: servers.primary.value(running) == 1
            if wait_until(lambda: servers.replica.value(running) == 1 or on_primary(), message="the read runs") and not on_primary():
                return True
            self.one.answer(timeout=60)
            return False

        wait_until(runs, timeout=60, message="the read runs on the replica")
        return running

    def stays(self, sql):
        for _ in range(3):
            self.assertEqual(self.target(sql), [servers.primary.name], sql)

    def test_beside_a_temporary_table(self):
        self.run_one("CREATE TEMP TABLE mine (a int)", "INSERT INTO mine VALUES (7)")
        self.reads_leave()
        for sql in ("SELECT a FROM mine", 'SELECT a FROM "mine"', "SELECT a FROM MINE", "SELECT 'mine'::regclass",
                    "SELECT to_regclass('mi' || 'ne')", "SELECT pg_table_is_visible(oid) FROM pg_class LIMIT 1",
                    "SELECT * FROM thing, mine"):
            self.stays(sql)
        self.reads_leave()
        self.assertEqual(self.target("SELECT things()"), [servers.replica.name])
        self.assertEqual(self.run_one("SELECT a FROM mine").values, ["7"])
        self.assertEqual(self.other.query("SELECT a FROM mine").sqlstates, ["42P01"])

    def test_questions_about_names_that_the_session_does_not_hide(self):
        self.run_one("CREATE TEMP TABLE mine (a int PRIMARY KEY)", "INSERT INTO mine VALUES (7)")
        self.reads_leave()
        oids = {name: self.run_one(f"SELECT oid FROM pg_class WHERE relname = '{name}'").values[0]
                for name in ("mine", "thing")}
        for sql in ("SELECT 'thing'::regclass", "SELECT count(*) FROM thing WHERE 'mine' <> 'thing'",
                    "SELECT pg_get_viewdef('named')", f"SELECT oid::regclass FROM pg_class WHERE oid = '{oids['thing']}'",
                    f"SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = '{oids['thing']}'",
                    "SELECT oid FROM pg_class c WHERE c.relname ~ '^(thing)$' AND pg_table_is_visible(c.oid)"):
            self.assertEqual(self.target(sql), [servers.replica.name], sql)
        for sql in ("SELECT oid::regclass FROM pg_class", "SELECT name FROM named", "SELECT relname FROM seen",
                    "SELECT indexdef FROM indexed", "SELECT indexdef FROM pg_indexes",
                    "SELECT table_name FROM information_schema.tables", "SELECT oid::regclass FROM pg_class WHERE relkind = 'r'",
                    f"SELECT oid::regclass FROM pg_class WHERE oid = '{oids['mine']}'",
                    f"SELECT {oids['mine']}::regclass", "SELECT pg_get_indexdef('mine_pkey'::regclass)",
                    "SELECT oid FROM pg_class c WHERE c.relname ~ '^(mine)$' AND pg_table_is_visible(c.oid)"):
            self.stays(sql)

    def test_questions_about_names_that_the_session_hides(self):
        self.run_one("CREATE TEMP TABLE thing (a int)")
        self.reads_leave()
        oid = self.run_one("SELECT oid FROM pg_class WHERE relname = 'thing' AND relpersistence = 'p'").values[0]
        for sql in ("SELECT 'public.thing'::regclass", f"SELECT {oid}::regclass",
                    f"SELECT pg_table_is_visible(oid) FROM pg_class WHERE oid = '{oid}'", "SELECT pg_get_viewdef('things_seen')"):
            self.stays(sql)

    def test_a_name_that_shadows_a_table(self):
        self.run_one("CREATE TEMP TABLE thing AS SELECT 5 AS id FROM generate_series(1, 5)")
        self.reads_leave()
        self.stays("SELECT count(*) FROM thing")
        self.assertEqual(self.answer.values, ["5"])
        self.stays("SELECT things()")
        self.assertEqual(self.answer.values, ["5"])

    def test_a_new_name_is_known(self):
        self.run_one("CREATE TEMP TABLE mine (a int)")
        self.reads_leave()
        self.run_one("ALTER TABLE mine RENAME TO thing")
        self.stays("SELECT count(*) FROM thing")
        self.assertEqual(self.answer.values, ["0"])
        self.reads_leave()
        self.run_one("DO $$ BEGIN CREATE TEMP TABLE parent AS SELECT 1; END $$")
        self.stays("SELECT count(*) FROM parent")
        self.assertEqual(self.answer.values, ["1"])

    def test_a_temporary_child_of_a_table(self):
        self.run_one("CREATE TEMP TABLE mine () INHERITS (parent)", "INSERT INTO mine VALUES (1), (2)")
        self.stays("SELECT count(*) FROM parent")
        self.assertEqual(self.answer.values, ["2"])
        self.run_one("ALTER TABLE mine NO INHERIT parent")
        self.reads_leave()
        self.assertEqual(self.answer.values, ["0"])

    def test_prepared_statements(self):
        self.run_one("CREATE TEMP TABLE mine AS SELECT 3 AS a")
        self.reads_leave()
        for name, sql in (("p", "SELECT a FROM mine"), ("q", "SELECT count(*) FROM parent")):
            self.assertEqual(self.one.ask(raw.parse(sql, name), raw.frame("S")).errors, [])
        for _ in range(4):
            self.assertEqual(self.one.ask(raw.bind(statement="p"), raw.execute(), raw.frame("S")).values, ["3"])
            self.assertEqual(self.one.ask(raw.bind(statement="q"), raw.execute(), raw.frame("S")).values, ["0"])

    def test_other_pins(self):
        for pin, end in (("SELECT pg_advisory_lock(3)", "SELECT pg_advisory_unlock(3)"),
                         ("PREPARE stays AS SELECT 1", "DEALLOCATE stays"),
                         ("DECLARE held CURSOR WITH HOLD FOR SELECT 1", "CLOSE held")):
            with self.subTest(pin):
                self.run_one(pin)
                self.reads_leave()
                self.run_one(end)

    def test_a_notification_is_seen_with_what_was_written_before_it(self):
        self.run_one("LISTEN news")
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(servers.replica.ask, "SELECT pg_wal_replay_resume()")
        self.assertEqual(self.other.query("INSERT INTO thing VALUES (9); NOTIFY news").errors, [])
        self.one.read_until("A")
        self.assertEqual(self.run_one("SELECT count(*) FROM thing WHERE id = 9").values, ["1"])
        servers.primary.ask("DELETE FROM thing WHERE id = 9")

    def test_the_seed_of_random_and_a_library_keep_all_reads(self):
        self.run_one("SELECT setseed(0.5)")
        self.stays("SELECT count(*) FROM parent")

    def test_the_replica_dies_and_the_session_lives(self):
        self.run_one("CREATE TEMP TABLE mine AS SELECT 3 AS a")
        self.reads_leave()
        servers.replica.kill()
        for _ in range(5):
            self.assertEqual(self.run_one("SELECT count(*) FROM parent").values, ["0"])
        self.assertEqual(self.run_one("SELECT a FROM mine").values, ["3"])
        servers.heal()
        self.reads_leave()

    def test_a_client_that_leaves_during_a_read_leaves_nothing_behind(self):
        self.run_one("CREATE TEMP TABLE mine AS SELECT 3 AS a")
        running = self.start_on_the_replica("SELECT count(*) FROM generate_series(1, 15000000)")
        self.one.close()
        wait_until(lambda: servers.replica.value(running) == 0, timeout=60, message="the read is over")
        wait_until(lambda: proxy.metric("pgsteer_clients_pinned") == 0, message="no client is pinned")
        self.assertEqual(self.other.query("SELECT a FROM mine").sqlstates, ["42P01"])

    def test_no_answer_overtakes_a_notification(self):
        self.reads_leave()
        self.run_one("LISTEN news")
        self.assertEqual(self.target("SELECT count(*) FROM parent"), [servers.primary.name])
        self.other.query("NOTIFY news, 'first'")
        self.assertIn("A", self.run_one("SELECT count(*) FROM parent").types)
        self.run_one("UNLISTEN news")
        self.reads_leave()

    def test_the_replica_stops_in_the_middle_of_an_answer(self):
        self.run_one("CREATE TEMP TABLE mine AS SELECT 3 AS a")
        self.reads_leave()
        self.one.send(raw.query("SELECT repeat('x', 20000), (SELECT count(*) FROM generate_series(1, 100000 + n)) FROM generate_series(1, 3000) n"))
        self.one.read_until("D")
        servers.replica.stop()
        answer = self.one.answer(timeout=60)
        self.assertEqual(answer.sqlstates, ["08006"])
        self.assertEqual(self.run_one("SELECT a FROM mine").values, ["3"])

    def test_its_own_backend_dies_during_a_read(self):
        pid = self.run_one("CREATE TEMP TABLE mine AS SELECT pg_backend_pid() AS a", "SELECT a FROM mine").values[0]
        self.reads_leave()
        marker = f"/* {self.id()} */"
        self.one.send(raw.query(f"SELECT count(*) FROM generate_series(1, 30000000) {marker}"))
        servers.primary.ask("SELECT pg_terminate_backend(%s)", (int(pid),))
        answer = self.one.answer()
        self.assertEqual(answer.sqlstates, ["57P01"], "as from a server that ended the session")
        self.assertTrue(answer.closed or self.one.is_closed())


if __name__ == "__main__":
    unittest.main()
