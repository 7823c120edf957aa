"""Settings belong to the client that made them, on whatever backend it is served."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.proxy import Proxy


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.thing (id int)", "CREATE TABLE thing (name text)",
                "CREATE TABLE analysed (a int)", "GRANT ALL ON analysed TO analyst")


class Settings(unittest.TestCase):
    """Two clients on one backend of each server; subclasses vary that."""

    settings = {"pool_size": 1}

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy(servers.primary.url(), servers.replica.url(), **cls.settings)
        cls.addClassCleanup(cls.proxy.stop)
        cls.proxy.fill_pools(cls.settings["pool_size"])

    def setUp(self):
        self.one, self.other = (raw.logged_in(self.proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def value(self, client, expression):
        """The expression's value on both servers, which must agree, several times over."""
        values = set()
        for _ in range(2):
            for sql in (f"SELECT {expression}", f"SELECT {expression} FROM (SELECT txid_current()) primary_only"):
                answer = client.query(sql)
                self.assertEqual(answer.errors, [], sql)
                values.add(answer.values[0])
        self.assertEqual(len(values), 1, f"{expression}: {values}")
        return values.pop()

    def assert_only_one(self, expression, mine, default):
        for _ in range(2):
            self.assertEqual(self.value(self.one, expression), mine)
            self.assertEqual(self.value(self.other, expression), default)

    def run_one(self, *statements):
        for sql in statements:
            answer = self.one.query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def test_set_and_reset(self):
        for undo in ("RESET work_mem", "SET work_mem TO DEFAULT", "RESET ALL", "DISCARD ALL"):
            self.run_one("SET work_mem = '9MB'")
            self.assert_only_one("current_setting('work_mem')", "9MB", "4MB")
            self.run_one(undo)
            self.assert_only_one("current_setting('work_mem')", "4MB", "4MB")

    def test_search_path(self):
        self.run_one("SET search_path = elsewhere")
        self.assert_only_one("current_setting('search_path')", "elsewhere", '"$user", public')
        self.assertEqual(self.one.query("SELECT id FROM thing").errors, [])
        self.assertEqual(self.other.query("SELECT id FROM thing").sqlstates, ["42703"])

    def test_set_local(self):
        self.run_one("BEGIN", "SET LOCAL work_mem = '8MB'")
        self.assertEqual(self.one.query("SHOW work_mem").values, ["8MB"])
        self.run_one("COMMIT")
        self.assert_only_one("current_setting('work_mem')", "4MB", "4MB")

    def test_in_a_block(self):
        self.run_one("BEGIN", "SET work_mem = '8MB'", "ROLLBACK")
        self.assert_only_one("current_setting('work_mem')", "4MB", "4MB")
        self.run_one("BEGIN", "SET work_mem = '8MB'", "COMMIT")
        self.assert_only_one("current_setting('work_mem')", "8MB", "4MB")
        self.run_one("BEGIN", "SET work_mem = '6MB'", "SAVEPOINT s", "SET work_mem = '7MB'", "ROLLBACK TO s", "COMMIT")
        self.assert_only_one("current_setting('work_mem')", "6MB", "4MB")

    def test_a_failed_string_keeps_nothing(self):
        answer = self.one.query("SET work_mem = '8MB'; SELECT 1/0")
        self.assertEqual(answer.sqlstates, ["22012"])
        self.assert_only_one("current_setting('work_mem')", "4MB", "4MB")

    def test_set_config(self):
        self.run_one("SELECT set_config('my.tenant', '42', false)")
        for _ in range(2):
            self.assertEqual(self.value(self.one, "current_setting('my.tenant', true)"), "42")
            self.assertIn(self.value(self.other, "current_setting('my.tenant', true)"), (None, ""))
        self.run_one("SELECT set_config('my.tenant', '43', true)")
        self.assertEqual(self.value(self.one, "current_setting('my.tenant', true)"), "42")
        self.one.ask(raw.parse("SELECT set_config('my.tenant', $1, false)"), raw.bind(["44"]), raw.execute(), raw.SYNC)
        self.assertEqual(self.value(self.one, "current_setting('my.tenant', true)"), "44")

    def test_set_by_a_function(self):
        self.run_one("DO $$ BEGIN PERFORM set_config('work_mem', '9MB', false); END $$")
        self.assertEqual(self.one.query("SHOW work_mem").values, ["9MB"])
        self.assertEqual(self.other.query("SHOW work_mem").values, ["4MB"])

    def test_set_role(self):
        self.run_one("SET ROLE analyst")
        self.assert_only_one("current_user::text", "analyst", "app")
        self.run_one("RESET ROLE")
        self.assert_only_one("current_user::text", "app", "app")
        self.run_one("BEGIN", "SET LOCAL ROLE analyst")
        self.assertEqual(self.one.query("SELECT current_user").values, ["analyst"])
        self.run_one("COMMIT")
        self.assert_only_one("current_user::text", "app", "app")

    def test_session_characteristics(self):
        self.run_one("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.assertEqual(self.one.query("SHOW transaction_isolation").values, ["repeatable read"])
        self.assertEqual(self.other.query("SHOW transaction_isolation").values, ["read committed"])

    def test_time_zone(self):
        self.run_one("SET TIME ZONE 'Asia/Tokyo'")
        self.assertEqual(self.one.parameters["TimeZone"], "Asia/Tokyo")
        self.assert_only_one("timestamptz '2020-01-01 00:00:00+00'::text", "2020-01-01 09:00:00+09",
                             "2020-01-01 00:00:00+00")
        self.assertEqual(self.other.parameters["TimeZone"], "UTC")

    def test_client_encoding(self):
        self.run_one("SET client_encoding = 'LATIN1'")
        for _ in range(2):
            self.assertEqual(self.one.ask(raw.frame("Q", b"SELECT 'caf\xe9'\0")).rows, [[b"caf\xe9"]])
            self.assertEqual(self.other.ask(raw.frame("Q", "SELECT 'café'\0".encode())).rows, [["café".encode()]])

    def test_a_wrong_value_is_refused_and_forgotten(self):
        self.assertEqual(self.one.query("SET work_mem = 'lots'").sqlstates, ["22023"])
        self.assertEqual(self.one.query("SET no_such_setting = 1").sqlstates, ["42704"])
        self.assert_only_one("current_setting('work_mem')", "4MB", "4MB")

    def test_extended_protocol(self):
        answer = self.one.ask(raw.parse("SET work_mem = '9MB'"), raw.bind(), raw.execute(), raw.SYNC)
        self.assertEqual(answer.tags, ["SET"])
        self.assert_only_one("current_setting('work_mem')", "9MB", "4MB")

    def test_statement_timeout(self):
        self.run_one("SET statement_timeout = '200ms'")
        for _ in range(2):
            self.assertEqual(self.one.query("SELECT pg_sleep(5)").sqlstates, ["57014"])
            self.assertEqual(self.other.query("SELECT pg_sleep(0.3)").errors, [])

    def test_what_the_client_is_told(self):
        twins = Twins(self, servers.primary.port, self.proxy.port)
        for sql in ("SET application_name = 'a'", "SELECT 1", "RESET application_name", "SET DateStyle = 'SQL, DMY'",
                    "SELECT current_setting('DateStyle')", "SET IntervalStyle = 'iso_8601'", "BEGIN",
                    "SET DateStyle = 'ISO'", "ROLLBACK", "SHOW DateStyle", "DISCARD ALL", "SHOW DateStyle"):
            if twins.query(sql).status == "I":  # in a block the twin has the only backend
                self.assertEqual(self.other.query("SHOW DateStyle").values, ["ISO, MDY"])


class SettingsWithRotation(Settings):
    settings = {"pool_size": 2, "backend_rotation": "always"}


class RowSecurity(unittest.TestCase):
    def test_a_tenant_sees_its_own_rows_only(self):
        servers.run("CREATE TABLE secret (tenant text, data text)",
                    "INSERT INTO secret SELECT t::text, 'of ' || t FROM generate_series(1, 4) t",
                    "ALTER TABLE secret ENABLE ROW LEVEL SECURITY", "ALTER TABLE secret FORCE ROW LEVEL SECURITY",
                    "CREATE POLICY own ON secret USING (tenant = current_setting('my.tenant', true))")
        proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=1)
        self.addCleanup(proxy.stop)
        clients = [proxy.connect() for _ in range(4)]
        for number, client in enumerate(clients, 1):
            self.addCleanup(client.close)
            client.execute("SELECT set_config('my.tenant', %s, false)", (str(number),))
        for _ in range(5):
            for number, client in enumerate(clients, 1):
                self.assertEqual(client.execute("SELECT data FROM secret").fetchall(), [(f"of {number}",)])
                self.assertEqual(client.execute("UPDATE secret SET data = data RETURNING data").fetchall(),
                                 [(f"of {number}",)])
        with proxy.connect() as stranger:
            self.assertEqual(stranger.execute("SELECT data FROM secret").fetchall(), [])


if __name__ == "__main__":
    unittest.main()
