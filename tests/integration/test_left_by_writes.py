"""What triggers, defaults, rules and policies leave in a session that writes: its own, and nobody else's."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

_TRIGGER = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$"
_EXECUTE = "EXECUTE format('SET work_mem = %L', NEW.a || 'MB');"
_SET = "PERFORM set_config('work_mem', NEW.a || 'MB', false);"
# Name of what is written to, and the statement that sets work_mem to 7MB.
_WRITES = {
    "a trigger": "INSERT INTO triggered VALUES (7)",
    "a trigger's own writing": "INSERT INTO outermost VALUES (7)",
    "a function that a trigger calls": "INSERT INTO calling VALUES (7)",
    "a default": "INSERT INTO defaulted DEFAULT VALUES",
    "a rule": "INSERT INTO ruled VALUES (7)",
    "a foreign key": "UPDATE parent SET a = 7",
    "a partition": "INSERT INTO parted VALUES (7)",
    "a view": "INSERT INTO over_triggered VALUES (7)",
    "a policy": "INSERT INTO guarded VALUES (7)",
    "text made as it runs": "INSERT INTO dynamic VALUES (7)",
    "MERGE": "MERGE INTO triggered USING (VALUES (7)) v (x) ON false WHEN NOT MATCHED THEN INSERT VALUES (x)",
    "WITH": "WITH w AS (INSERT INTO triggered VALUES (7) RETURNING a) SELECT * FROM w",
    "pg_settings": "UPDATE pg_settings SET setting = '7168' WHERE name = 'work_mem'",
}


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    for name in ("triggered", "outermost", "calling", "child", "part", "dynamic", "locking", "quiet", "journal"):
        servers.run(f"CREATE TABLE {name} (a int)")
    servers.run(
        f"CREATE FUNCTION sets() {_TRIGGER.format(_SET)}",
        f"CREATE FUNCTION passes_on() {_TRIGGER.format('INSERT INTO triggered VALUES (NEW.a);')}",
        "CREATE FUNCTION helper(n int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('work_mem', n || 'MB', false); END $$",
        f"CREATE FUNCTION calls() {_TRIGGER.format('PERFORM helper(NEW.a);')}",
        f"CREATE FUNCTION executes() {_TRIGGER.format(_EXECUTE)}",
        f"CREATE FUNCTION locks() {_TRIGGER.format('PERFORM pg_advisory_lock(NEW.a);')}",
        f"CREATE FUNCTION notes() {_TRIGGER.format('NEW.a := NEW.a + 1; INSERT INTO journal VALUES (NEW.a);')}",
        *(f"CREATE TRIGGER t BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
          for table, function in (("triggered", "sets"), ("outermost", "passes_on"), ("calling", "calls"), ("child", "sets"),
                                  ("dynamic", "executes"), ("locking", "locks"), ("quiet", "notes"))),
        "CREATE TABLE defaulted (a text DEFAULT set_config('work_mem', '7MB', false))",
        "CREATE TABLE ruled (a int)", "CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO triggered VALUES (NEW.a)",
        "CREATE TABLE parent (a int PRIMARY KEY)",
        "ALTER TABLE child ADD FOREIGN KEY (a) REFERENCES parent ON UPDATE CASCADE",
        "CREATE TABLE parted (a int) PARTITION BY LIST (a)", "ALTER TABLE parted ATTACH PARTITION part DEFAULT",
        "CREATE TRIGGER t BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION sets()",
        "CREATE VIEW over_triggered AS SELECT a FROM triggered",
        "CREATE TABLE guarded (a int)", "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY", "ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON guarded WITH CHECK (set_config('work_mem', a || 'MB', false) IS NOT NULL)",
        "CREATE VIEW sets_when_read AS SELECT set_config('work_mem', '7MB', false)")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(3)


class LeftByWrites(unittest.TestCase):
    def setUp(self):
        self.one, self.other = (raw.logged_in(proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)
        servers.run("TRUNCATE parent, child", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1)")

    def sees(self, value, msg):
        """On every connection that there is, and the other client nothing of it."""
        for _ in range(4):
            self.assertEqual(self.one.query("SHOW work_mem").values, [value], msg)
            self.assertEqual(self.other.query("SHOW work_mem").values, ["4MB"], msg)

    def test_settings(self):
        for what, sql in _WRITES.items():
            with self.subTest(what):
                self.assertEqual(self.one.query(sql).errors, [])
                self.sees("7MB", what)
                self.one.query("RESET work_mem")
                self.one.send(raw.parse(sql), raw.bind(), raw.execute(), raw.SYNC)
                servers.run("UPDATE parent SET a = 1")
                self.assertEqual(self.one.answer().errors, [])
                self.one.query("BEGIN")
                self.one.query(sql)
                self.one.query("COMMIT")
                self.sees("7MB", what)
                self.one.query("RESET work_mem")
                servers.run("UPDATE parent SET a = 1")

    def test_settings_by_copy(self):
        self.one.send(raw.query("COPY triggered FROM STDIN"), raw.frame("d", b"7\n"), raw.frame("c"))
        self.assertEqual(self.one.answer().errors, [])
        self.sees("7MB", "COPY")

    def test_locks(self):
        for sql in ("INSERT INTO locking VALUES (31)", "COPY locking FROM STDIN"):
            with self.subTest(sql):
                self.one.send(raw.query(sql), *([raw.frame("d", b"31\n"), raw.frame("c")] if "COPY" in sql else []))
                self.assertEqual(self.one.answer().errors, [])
                self.assertEqual(self.other.query("SELECT pg_try_advisory_lock(31)").values, ["f"])
                self.assertEqual(self.one.query("SELECT pg_advisory_unlock(31)").values, ["t"])

    def test_locks_of_a_copy_that_fails(self):
        self.one.send(raw.query("COPY locking FROM STDIN"), raw.frame("d", b"32\n"), raw.frame("d", b"x\n"), raw.frame("c"))
        self.assertEqual(self.one.answer().sqlstates, ["22P02"])
        self.assertEqual(self.one.query("SELECT pg_advisory_unlock(32)").values, ["t"])

    def test_what_ddl_has_made_just_now(self):
        self.one.query("CREATE TABLE fresh (a int)")
        self.one.query("CREATE TRIGGER t BEFORE INSERT ON fresh FOR EACH ROW EXECUTE FUNCTION sets()")
        self.one.query("INSERT INTO fresh VALUES (7)")
        self.sees("7MB", "a trigger made just now")
        self.one.query("DROP TABLE fresh")

    def test_what_was_made_past_the_proxy(self):
        servers.run("CREATE TABLE elsewhere (a int)", "CREATE TRIGGER t BEFORE INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION sets()",
                    "CREATE VIEW elsewhere_read AS SELECT set_config('work_mem', '8MB', false)")
        self.addCleanup(servers.run, "DROP TABLE elsewhere", "DROP VIEW elsewhere_read")
        self.one.query("INSERT INTO elsewhere VALUES (7)")
        self.sees("7MB", "an unknown table")
        self.one.query("SELECT * FROM elsewhere_read")
        self.sees("8MB", "an unknown view")

    def test_a_trigger_that_leaves_nothing_costs_nothing(self):
        wait_until(lambda: self.probes_of("INSERT INTO quiet VALUES (1)") == 0, message="no question behind a harmless write")
        self.assertEqual(self.probes_of("INSERT INTO triggered VALUES (4)"), 1)

    def probes_of(self, sql):
        before = proxy.metric("pgsteer_state_probes_total")
        self.assertEqual(self.one.query(sql).errors, [])
        self.one.query("SELECT 1")
        return proxy.metric("pgsteer_state_probes_total") - before


if __name__ == "__main__":
    unittest.main()
