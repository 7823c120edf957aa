"""What people say about where statements go: comments, pgsteer.route, startup options, the configuration."""

import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import DATABASE, USER
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(
        "CREATE TABLE account (id int)", "INSERT INTO account VALUES (1)", "CREATE TABLE queue (id int)",
        # Nobody can prove what it does: it reads, writes or takes a lock by its argument.
        "CREATE FUNCTION obscure(statement text) RETURNS int LANGUAGE plpgsql AS"
        " 'DECLARE n int; BEGIN EXECUTE rtrim(statement) INTO n; RETURN n; END'",
        "CREATE FUNCTION listed_read() RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE rtrim(''SELECT 1''); RETURN 1; END'",
        "CREATE FUNCTION listed_write() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), routing={
        "functions": {"read": ["public.listed_read()"], "write": ["public.listed_write"]},
        "patterns": ["primary SELECT * FROM queue* -- pollers want the newest"]})
    unittest.addModuleCleanup(proxy.stop)


class Overrides(unittest.TestCase):
    def setUp(self):
        servers.heal()
        self.client = raw.logged_in(proxy.port)
        self.addCleanup(self.client.close)
        self.mark = 0

    def target(self, sql, client=None, trailing=True):
        """Where it ran last, by the servers' own logs: a read that a replica refused runs on both."""
        self.mark += 1
        marker = f"/* {self.id()} {self.mark} */"
        self.answer = (client or self.client).query(f"{sql} {marker}" if trailing else f"{marker} {sql}")
        self.assertEqual(self.answer.errors, [], sql)
        return list(servers.ran(marker))

    def on_primary(self, sql, **how):
        self.assertEqual(self.target(sql, **how), [servers.primary.name], sql)

    def on_replica(self, sql, **how):
        """At the latest when the replica has what the session has seen of the primary."""
        wait_until(lambda: self.target(sql, **how) == [servers.replica.name], message=f"a replica runs {sql}")

    def run_one(self, *statements):
        for sql in statements:
            answer = self.client.query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def test_comments(self):
        self.on_replica("SELECT * FROM account")
        self.on_primary("/* pgsteer: primary */ SELECT * FROM account", trailing=True)
        self.on_primary("SELECT * FROM account /* pgsteer: primary */")
        self.on_primary("SELECT obscure('SELECT 1')")
        self.on_replica("SELECT obscure('SELECT 1') /* pgsteer: replica */")
        self.assertEqual(self.answer.values, ["1"])

    def test_comments_in_the_extended_protocol(self):
        with proxy.connect(prepare_threshold=0) as client:
            for _ in range(3):
                for wish, in_recovery in (("primary", False), ("replica", True)):
                    marker = f"/* {self.id()} {wish} */"
                    self.assertEqual(client.execute(
                        f"/* pgsteer: {wish} */ SELECT id FROM account WHERE id = %s {marker}", [1]).fetchall(),
                        [(1,)])
        self.assertEqual(list(servers.ran(f"/* {self.id()} primary */")), [servers.primary.name])
        self.assertEqual(list(servers.ran(f"/* {self.id()} replica */")), [servers.replica.name])

    def test_a_wish_for_a_replica_writes_once_and_on_the_primary(self):
        before = servers.primary.value("SELECT count(*) FROM account")
        answer = self.client.query("/* pgsteer: replica */ SELECT obscure('INSERT INTO account VALUES (2) RETURNING id')")
        self.assertEqual((answer.errors, answer.values), ([], ["2"]))
        self.on_primary("/* pgsteer: replica */ INSERT INTO account VALUES (3)")
        self.assertEqual(servers.primary.value("SELECT count(*) FROM account"), before + 2)

    def test_a_lock_taken_on_a_replica_stays_with_nobody(self):
        lock = "obscure('SELECT 1 FROM (SELECT pg_advisory_lock(77)) x')"
        self.on_replica(f"/* pgsteer: replica */ SELECT {lock}")
        self.on_primary("INSERT INTO account VALUES (4)")
        wait_until(lambda: servers.replica.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0, message="the lock is gone")

    def test_setting(self):
        self.assertEqual(self.run_one("SHOW pgsteer.route").values, ["auto"])
        self.run_one("SET pgsteer.route = 'primary'")
        self.assertEqual(self.run_one("SHOW pgsteer.route").values, ["primary"])
        self.on_primary("SELECT * FROM account")
        with proxy.connect() as other:
            self.assertEqual(other.execute("SHOW pgsteer.route").fetchall(), [("auto",)])
        self.run_one("SET pgsteer.route TO replica")
        self.on_replica("SELECT * FROM account")
        self.on_replica("SELECT obscure('SELECT 1')")
        self.run_one("RESET pgsteer.route")
        self.assertEqual(self.run_one("SHOW pgsteer.route").values, ["auto"])
        self.on_primary("SELECT obscure('SELECT 1')")

    def test_setting_is_transactional(self):
        self.run_one("BEGIN", "SET pgsteer.route = 'primary'", "ROLLBACK")
        self.on_replica("SELECT * FROM account")
        self.run_one("BEGIN", "SHOW pgsteer.route", "SET LOCAL pgsteer.route = 'primary'", "COMMIT")
        self.assertEqual(self.run_one("SHOW pgsteer.route").values, ["auto"])
        self.run_one("BEGIN", "SET pgsteer.route = 'primary'")
        self.assertEqual(self.run_one("SHOW pgsteer.route").values, ["primary"])
        self.run_one("COMMIT")
        self.on_primary("SELECT * FROM account")
        self.run_one("DISCARD ALL")
        self.on_replica("SELECT * FROM account")

    def test_wrong_values_are_refused(self):
        self.assertEqual(self.client.query("SET pgsteer.route = 'somewhere'").sqlstates, ["22023"])
        self.assertEqual(self.client.query("SET pgsteer.rute = 'primary'").sqlstates, ["42704"])
        self.assertEqual(self.client.query("SET pgsteer.consistency = 'always'").sqlstates, ["22023"])
        self.assertEqual(self.client.query("SHOW pgsteer.rute").sqlstates, ["42704"])
        with proxy.connect(prepare_threshold=0) as client:
            for _ in range(2):
                with self.assertRaises(psycopg.errors.InvalidParameterValue):
                    client.execute("SET pgsteer.route = 'somewhere'", prepare=True)
            client.execute("SET pgsteer.route = 'primary'", prepare=True)
            self.assertEqual(client.execute("SHOW pgsteer.route", prepare=True).fetchall(), [("primary",)])
        with self.assertRaisesRegex(psycopg.OperationalError, 'invalid value for parameter "pgsteer.route"'):
            proxy.connect(options="-c pgsteer.route=somewhere")
        with self.assertRaisesRegex(psycopg.OperationalError, "unrecognized configuration parameter"):
            proxy.connect(options="-c pgsteer.rute=primary")

    def test_startup_options(self):
        client = raw.logged_in(proxy.port, options="-c pgsteer.route=primary")
        self.addCleanup(client.close)
        self.on_primary("SELECT * FROM account", client=client)
        for sql, value in (("SET pgsteer.route = auto", "auto"), ("RESET ALL", "primary")):
            self.assertEqual(client.query(sql).errors, [])
            self.assertEqual(client.query("SHOW pgsteer.route").values, [value])

    def test_consistency(self):
        self.assertEqual(self.run_one("SHOW pgsteer.consistency").values, ["session"])
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(servers.replica.ask, "SELECT pg_wal_replay_resume()")
        self.run_one("INSERT INTO account VALUES (5)")
        for _ in range(3):
            self.target("SELECT * FROM account")
        self.on_primary("SELECT * FROM account")
        self.run_one("SET pgsteer.consistency = eventual")
        self.on_replica("SELECT * FROM account")

    def test_listed_functions(self):
        self.on_replica("SELECT listed_read()")
        self.on_primary("SELECT listed_write()")

    def test_patterns(self):
        self.on_primary("select *  from QUEUE where id = 7")
        self.on_replica("SELECT id FROM account WHERE id = 7")

    def test_users_and_databases(self):
        proxy_of = Proxy(servers.primary.url(), servers.replica.url(),
                         routing_users=[f"{USER} route=replica consistency=eventual"],
                         routing_databases=[f"{DATABASE} route=primary"])
        self.addCleanup(proxy_of.stop)
        with raw.logged_in(proxy_of.port) as client:
            self.on_replica("SELECT obscure('SELECT 1')", client=client)
            self.assertEqual(client.query("SHOW pgsteer.route").values, ["replica"])
            self.assertEqual(client.query("SHOW pgsteer.consistency").values, ["eventual"])
        with raw.logged_in(proxy_of.port) as client:
            proxy_of.settings["routing_users"] = []
            proxy_of.reload()
            self.on_primary("SELECT * FROM account", client=client)


if __name__ == "__main__":
    unittest.main()
