"""current_setting(): on a replica it says what the session has set, or it is asked on the primary."""

import itertools
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
        "CREATE TABLE doc (id int, tenant text)",
        "INSERT INTO doc SELECT g, (ARRAY['a', 'b', 'c'])[g % 3 + 1] FROM generate_series(1, 30) g",
        "ALTER TABLE doc ENABLE ROW LEVEL SECURITY", "ALTER TABLE doc FORCE ROW LEVEL SECURITY",
        "CREATE POLICY own ON doc USING (tenant = current_setting('app.tenant', true))",
        "CREATE FUNCTION tenant() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('app.tenant', true); END $$",
        "CREATE VIEW mine AS SELECT id, tenant FROM doc WHERE tenant = tenant()")
    # What the servers' own configuration says differs.
    servers.primary.configure(**{"app.tenant": "primary"})
    servers.replica.configure(**{"app.tenant": "replica", "TimeZone": "Asia/Tokyo", "DateStyle": "German", "IntervalStyle": "iso_8601"})
    for server in servers.servers():
        server.reload()
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation="always", transactions="split")
    unittest.addModuleCleanup(proxy.stop)
    wait_until(lambda: "current_setting" in proxy.ask("EXPLAIN ROUTE SELECT count(*) FROM doc")[0][1], message="the catalog is known")


class AskedSettings(unittest.TestCase):
    marks = itertools.count()

    def client(self, **how):
        client = raw.logged_in(proxy.port, **how)
        self.addCleanup(client.close)
        return client

    def ask(self, client, sql):
        """The first value, and where it was asked."""
        mark = f"/* asked {next(self.marks)} end */"
        answer = client.query(f"{sql} {mark}")
        self.assertEqual(answer.errors, [], sql)
        return answer.values[0], sorted(servers.ran(mark))

    def on_replica(self, client, sql, value):
        def tries():
            seen = self.ask(client, sql)
            self.assertEqual(seen[0], value, sql)
            return seen[1] == ["replica1"]
        wait_until(tries, message=f"{sql} runs on the replica")

    def test_sessions_see_the_rows_of_their_own_tenant(self):
        tenants = {name: self.client() for name in ("a", "b", "c")}
        for name, client in tenants.items():
            client.query(f"SET app.tenant = '{name}'")
        for _ in range(3):
            for name, client in tenants.items():
                for sql in ("SELECT min(tenant) || max(tenant) || count(*) FROM doc",
                            "SELECT min(tenant) || max(tenant) || count(*) FROM mine"):
                    self.on_replica(client, sql, f"{name}{name}10")
                self.on_replica(client, "SELECT tenant() || current_setting('app.tenant')", name * 2)
                self.on_replica(client, "SHOW app.tenant", name)

    def test_who_has_set_nothing_is_answered_by_the_primary(self):
        client = self.client()
        self.assertEqual(self.ask(client, "SELECT tenant()"), ("primary", ["primary"]))
        self.assertEqual(self.ask(client, "SELECT count(*) FROM doc"), ("0", ["primary"]))
        self.assertEqual(self.ask(client, "SHOW app.tenant"), ("primary", ["primary"]))
        client.query("SET app.tenant = 'a'")
        self.on_replica(client, "SELECT count(*) FROM doc", "10")
        client.query("RESET app.tenant")
        self.assertEqual(self.ask(client, "SELECT tenant()")[0], "primary")
        client.query("SELECT set_config('app.tenant', 'b', false)")
        self.on_replica(client, "SELECT max(tenant) FROM doc", "b")
        client.query("DISCARD ALL")
        self.assertEqual(self.ask(client, "SELECT tenant()")[0], "primary")

    def test_what_a_startup_packet_says_is_set(self):
        client = self.client(options="-c app.tenant=c")
        self.on_replica(client, "SELECT max(tenant) FROM doc", "c")
        client.query("RESET ALL")
        self.on_replica(client, "SELECT max(tenant) FROM doc", "c")

    def test_a_block_that_sets_it_for_itself(self):
        client = self.client()

        def reads_there():
            client.query("BEGIN")
            first = self.ask(client, "SELECT 1")
            client.query("SET LOCAL app.tenant = 'b'")
            second = self.ask(client, "SELECT max(tenant) FROM doc")
            client.query("COMMIT")
            self.assertEqual(second[0], "b")
            return first[1] == second[1] == ["replica1"]
        wait_until(reads_there, message="the block reads on the replica")
        self.assertEqual(self.ask(client, "SELECT tenant()"), ("primary", ["primary"]))

    def test_what_is_the_same_everywhere(self):
        client, direct = self.client(), raw.logged_in(servers.primary.port)
        self.addCleanup(direct.close)
        for name in ("TimeZone", "DateStyle", "IntervalStyle", "server_encoding", "lc_collate", "max_identifier_length",
                     "client_encoding", "standard_conforming_strings", "application_name", "search_path", "client_min_messages"):
            self.on_replica(client, f"SHOW {name}", direct.query(f"SHOW {name}").values[0])
            self.on_replica(client, f"SELECT current_setting('{name}')", direct.query(f"SHOW {name}").values[0])
        client.query("SET TimeZone = 'Europe/Paris'")
        self.on_replica(client, "SHOW TimeZone", "Europe/Paris")

    def test_the_version_where_all_servers_have_the_same(self):
        client, direct = self.client(), raw.logged_in(servers.primary.port)
        self.addCleanup(direct.close)
        for sql in ("SELECT version()", "SHOW server_version", "SELECT current_setting('server_version_num')"):
            self.on_replica(client, sql, direct.query(sql).values[0])

    def test_prepared_statements(self):
        client = self.client()
        client.send(raw.parse("SELECT count(*) FROM doc", "s") + raw.SYNC)
        client.read_until("Z")
        for name, rows in (("", "0"), ("a", "10"), ("", "0"), ("c", "10")):
            client.query(f"SET app.tenant = '{name}'" if name else "RESET app.tenant")
            client.send(raw.bind([], "s") + raw.execute() + raw.SYNC)
            self.assertEqual(client.read_until("Z").values, [rows])


if __name__ == "__main__":
    unittest.main()
