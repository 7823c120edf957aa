"""Custom settings that no text of a session sets by name: a function does, by its own name or by one it is given."""

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
        "CREATE FUNCTION log_in(who text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.who', who, false); END $$",
        "CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('app.who', true); END $$",
        "CREATE FUNCTION make_setting(key text, value text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.' || key, value, false); END $$",
        "CREATE FUNCTION assign(name text, value text) RETURNS void LANGUAGE sql AS 'SELECT set_config(name, value, false)'")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(3)


class CustomNames(unittest.TestCase):
    def setUp(self):
        self.one, self.other = (raw.logged_in(proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def test_that_a_function_names(self):
        third = raw.logged_in(proxy.port)
        self.addCleanup(third.close)
        self.one.query("SELECT log_in('one')")
        self.assertEqual(self.other.query("SELECT who()").values, [None])
        self.other.query("SELECT log_in('other')")
        for _ in range(4):
            self.assertEqual(self.one.query("SELECT who()").values, ["one"])
            self.assertEqual(self.other.query("SELECT who()").values, ["other"])
            self.assertEqual(third.query("SELECT who()").values, [None])

    def test_that_a_function_made_just_now_names(self):
        self.one.query("CREATE FUNCTION fresh() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.fresh', 'one', false); END $$")
        self.addCleanup(servers.run, "DROP FUNCTION fresh()")
        self.one.query("SELECT fresh()")
        for _ in range(4):
            self.assertEqual(self.other.query("SELECT current_setting('app.fresh', true)").values, [None])
            self.assertEqual(self.one.query("SELECT current_setting('app.fresh', true)").values, ["one"])

    def test_that_a_value_names(self):
        self.one.query("SELECT assign('app.by_text', 'one')")
        self.one.ask(raw.parse("SELECT assign($1, $2)"), raw.bind(["app.by_value", "two"]), raw.execute(), raw.SYNC)
        self.one.ask(raw.parse("SELECT set_config($1, $2, false)"), raw.bind(["app.by_call", "three"]), raw.execute(), raw.SYNC)
        asked = "SELECT current_setting('app.by_text', true), current_setting('app.by_value', true), current_setting('app.by_call', true)"
        for _ in range(4):
            self.assertEqual(self.one.query(asked).rows, [[b"one", b"two", b"three"]])
            self.assertEqual(self.other.query(asked).rows, [[None] * 3])

    def test_that_are_made_as_the_statement_runs(self):
        for sql in ("SELECT set_config('app.' || 'made', 'one', false)",
                    "SELECT set_config(key, value, false) FROM json_each_text('{\"app.made\": \"one\"}')",
                    "SELECT make_setting('made', 'one')", "DO $$ BEGIN PERFORM set_config(concat('app', '.made'), 'one', false); END $$"):
            with self.subTest(sql), raw.logged_in(proxy.port) as one:
                self.assertEqual(one.query(sql).errors, [])
                for _ in range(3):
                    self.assertEqual(self.other.query("SELECT current_setting('app.made', true)").values, [None])
                    self.assertEqual(one.query("SELECT current_setting('app.made', true)").values, ["one"])
                self.assertIn("settings named at run time", proxy.get("/clients")[1])
        wait_until(lambda: "settings named at run time" not in proxy.get("/clients")[1], message="those that made some have left")
        with raw.logged_in(proxy.port) as one:
            one.query("BEGIN; SELECT set_config('app.' || 'local', 'one', true); COMMIT")
            wait_until(lambda: "settings named at run time" not in proxy.get("/clients")[1], message="the others have gone")

    def test_that_a_block_has_set_for_itself(self):
        for n, how in enumerate(("BEGIN; SET LOCAL app.mine{} = '5'; COMMIT", "BEGIN|SET LOCAL app.mine{} = '5'|SELECT 1|COMMIT",
                                 "BEGIN READ ONLY|SET LOCAL app.mine{} = '5'|SELECT 1|COMMIT", "BEGIN|SET LOCAL app.mine{} = '5'|ROLLBACK")):
            asked = f"SELECT current_setting('app.mine{n}', true)"
            with self.subTest(how):
                for sql in how.format(n).split("|"):
                    self.assertEqual(self.one.query(sql).errors, [])
                for _ in range(4):
                    self.assertEqual(self.other.query(asked).values, [None])
                self.other.query("BEGIN READ ONLY")
                self.assertEqual(self.other.query(asked).values, [None])
                self.other.query("COMMIT")
                if "READ ONLY" not in how:
                    self.assertEqual([self.one.query(asked).values for _ in range(4)], [[""]] * 4)


if __name__ == "__main__":
    unittest.main()
