"""Several users past one pgsteer: each is itself on every server, within its own limits and rights."""

import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy, run
from tests.support.waiting import wait_until

OTHER = {"user": "other", "password": "other pass"}
QUIET = {"user": "quiet", "password": "quiet pass"}


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.primary.ask("CREATE TABLE mine (id int, who text)")
    servers.primary.ask("INSERT INTO mine VALUES (1, 'app'), (2, 'other')")
    servers.primary.ask("ALTER TABLE mine ENABLE ROW LEVEL SECURITY")
    servers.primary.ask("CREATE POLICY own ON mine USING (who = current_user)")
    servers.primary.ask("GRANT SELECT ON mine TO app, other")
    servers.primary.ask("CREATE TABLE apps_alone (id int)")
    servers.primary.ask("GRANT ALL ON apps_alone TO app")
    servers.primary.ask("REVOKE CONNECT ON DATABASE second FROM PUBLIC")
    servers.wait_for_replay()


def start(test, *users, **settings):
    listed = [{"name": login["user"], "password": login["password"], **more} for login, more in users]
    proxy = Proxy(servers.primary.url(), servers.replica.url(), users=listed, **settings)
    test.addCleanup(proxy.stop)
    return proxy


def refusal(port, **login):
    with raw.RawClient(port) as client:
        return [{key: error[key] for key in "SCM"} for error in client.login(**login).errors]


class Listed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy(servers.primary.url(), servers.replica.url(), consistency="eventual",
                          users=[{"name": "other", "password": "other pass"},
                                 {"name": "plain", "password": "plain pass"},
                                 {"name": "old_style", "password": "md5 pass"}])
        cls.addClassCleanup(cls.proxy.stop)
        wait_until(lambda: cls.proxy.health()[0] == 200, message="both servers are connected")

    def test_each_is_itself_on_the_primary(self):
        for user, password in (("app", "s3cret pass"), ("other", "other pass"), ("plain", "plain pass"),
                               ("old_style", "md5 pass")):
            with self.subTest(user), self.proxy.connect(user=user, password=password, autocommit=False) as client:
                row = client.execute("SELECT current_user::text, session_user::text, pg_is_in_recovery()").fetchone()
                self.assertEqual(row, (user, user, False))

    def test_each_is_itself_on_a_replica(self):
        for login in ({}, OTHER):
            user = login.get("user", "app")
            with self.subTest(user), self.proxy.connect(**login) as client:
                self.assertEqual(client.execute(f"SELECT who FROM mine /* replica as {user} */").fetchall(), [(user,)])
                self.assertEqual(servers.ran(f"/* replica as {user} */"), {"replica1": 1})

    def test_turns_on_one_pool_size(self):
        with self.proxy.connect() as one, self.proxy.connect(**OTHER) as two:
            for _ in range(20):
                self.assertEqual(one.execute("SELECT who FROM mine").fetchall(), [("app",)])
                self.assertEqual(two.execute("SELECT who FROM mine").fetchall(), [("other",)])
                self.assertEqual(one.execute("SELECT current_user::text, txid_current() > 0").fetchone(), ("app", True))
                self.assertEqual(two.execute("SELECT current_user::text, txid_current() > 0").fetchone(),
                                 ("other", True))

    def test_prepared_statements_are_nobody_elses(self):
        with self.proxy.connect(prepare_threshold=0) as one, self.proxy.connect(prepare_threshold=0, **OTHER) as two:
            for _ in range(3):
                self.assertEqual(one.execute("SELECT who FROM mine WHERE id > %s", (0,)).fetchall(), [("app",)])
                self.assertEqual(two.execute("SELECT who FROM mine WHERE id > %s", (0,)).fetchall(), [("other",)])

    def test_rights_are_the_servers_business(self):
        with self.proxy.connect() as one, self.proxy.connect(**OTHER) as two:
            one.execute("INSERT INTO apps_alone VALUES (1)")
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                two.execute("INSERT INTO apps_alone VALUES (2)")
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                two.execute("SELECT * FROM apps_alone")

    def test_refusals_read_as_the_servers(self):
        for login in ({"user": "other", "password": "wrong"}, {"user": "other", "password": "s3cret pass"},
                      {"user": "app", "password": "other pass"}, {"user": "quiet_", "password": "quiet pass"},
                      {**OTHER, "database": "nothing"}, {**OTHER, "database": "second"}):
            with self.subTest(**login):
                self.assertEqual(refusal(self.proxy.port, **login), refusal(servers.primary.port, **login))

    def test_a_user_the_server_knows_and_pgsteer_does_not(self):
        self.assertEqual([e["C"] for e in refusal(self.proxy.port, **QUIET)], ["28P01"])

    def test_settings_and_roles_are_carried(self):
        with self.proxy.connect(**OTHER) as client:
            client.execute("SET work_mem = '3MB'")
            self.assertEqual(client.execute("SHOW work_mem").fetchone(), ("3MB",))
            client.execute("DISCARD ALL")
            self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("other",))
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                client.execute("SET ROLE app")
        self.assertFalse(self.proxy.log_lines("could not be replayed"))

    def test_other_databases(self):
        self.assertEqual(self.proxy.ask("SELECT current_database()::text", dbname="second"), [("second",)])
        self.assertEqual(self.proxy.ask("SELECT current_user::text, current_database()::text", dbname="postgres", **OTHER),
                         [("other", "postgres")])

    def test_each_has_a_pool_of_its_own(self):
        self.proxy.ask("SELECT 1", **OTHER)
        wait_until(lambda: self.proxy.metric("pgsteer_pool_size", user="other", database="app", role="primary") == 10)

    def test_no_password_is_in_the_log(self):
        for secret in ("other pass", "md5 pass", "plain pass", "s3cret pass"):
            self.assertNotIn(secret, self.proxy.log())


class Limits(unittest.TestCase):
    def test_clients_of_one_user(self):
        proxy = start(self, (OTHER, {"max_clients": 2}))
        one, two = proxy.connect(**OTHER), proxy.connect(dbname="postgres", **OTHER)
        self.addCleanup(one.close)
        self.assertEqual([e["C"] for e in refusal(proxy.port, **OTHER)], ["53300"])
        self.assertEqual(proxy.ask("SELECT 1"), [(1,)])
        two.close()
        wait_until(lambda: not refusal(proxy.port, **OTHER), message="there is room again")

    def test_connections_of_one_user(self):
        proxy = start(self, (OTHER, {"pool_size": 1}))
        with Load(lambda: proxy.connect2(**OTHER), lambda c: c.cursor().execute("SELECT txid_current()"), clients=5) as load:
            load.wait_progress(50)
            self.assertEqual(len(servers.primary.backends("other")), 1)
        self.assertEqual(load.errors, [])
        proxy.reload(users=[{"name": "other", "password": "other pass", "pool_size": 3}])
        with Load(lambda: proxy.connect2(**OTHER), lambda c: c.cursor().execute("SELECT txid_current()"), clients=5) as load:
            wait_until(lambda: len(servers.primary.backends("other")) == 3, message="three connections")
        self.assertEqual(load.errors, [])

    def test_session_mode_of_one_user(self):
        proxy = start(self, (OTHER, {"pool_mode": "session"}))
        with proxy.connect(**OTHER) as client, proxy.connect() as pooled:
            pids = [c.execute("SELECT pg_backend_pid()").fetchone()[0] for c in (client, pooled)]
            self.assertIn(pids[0], servers.primary.backends("other"))
            wait_until(lambda: proxy.metric("pgsteer_clients_pinned") == 1)


class Reload(unittest.TestCase):
    def test_users_come_and_go_and_change_their_passwords(self):
        proxy = start(self)
        self.assertEqual([e["C"] for e in refusal(proxy.port, **OTHER)], ["28P01"])
        proxy.reload(users=[{"name": "other", "password": "other pass"}])
        with proxy.connect(**OTHER) as client:
            proxy.reload(users=[])
            self.assertEqual([e["C"] for e in refusal(proxy.port, **OTHER)], ["28P01"])
            self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("other",))

    def test_sessions_of_a_user_that_the_url_no_longer_names_are_never_another(self):
        proxy = Proxy(database_url=servers.primary.url(), users=[{"name": "other", "password": "other pass"}])
        self.addCleanup(proxy.stop)
        with proxy.connect() as client:
            self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("app",))
            proxy.reload(database_url=servers.primary.url(**OTHER), users=[], acquire_timeout="1s")

            def is_refused():  # until the reload has reached the clients, it is served as before
                try:
                    self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("app",))
                except psycopg.Error:
                    return True
                return False
            wait_until(is_refused, message="it is refused")
        proxy.reload(acquire_timeout=None)
        self.assertEqual(proxy.ask("SELECT current_user::text", **OTHER), [("other",)])


class Databases(unittest.TestCase):
    def test_a_database_that_was_used_can_be_dropped_and_copied(self):
        """Connections of pgsteer's own, idle ones and the one that reads the catalog, hinder nobody."""
        servers.primary.ask("ALTER ROLE app CREATEDB")
        proxy = Proxy(servers.primary.url(), servers.replica.url())
        self.addCleanup(proxy.stop)
        proxy.ask("CREATE DATABASE doomed")
        with proxy.connect(dbname="doomed") as client:
            client.execute("CREATE TABLE used (id int)")
            wait_until(lambda: any("database=doomed" in line for line in proxy.log_lines("Catalog read")),
                       message="its catalog is read")
        proxy.ask("CREATE DATABASE copied TEMPLATE doomed")
        proxy.ask("ALTER DATABASE copied RENAME TO renamed")
        proxy.ask("DROP DATABASE doomed")
        proxy.ask("DROP DATABASE renamed")


class Configuration(unittest.TestCase):
    def test_print_config_hides_passwords(self):
        done = run("--print-config", environment={"DATABASE_URL": servers.primary.url(),
                                                  "PGSTEER_USERS": "name=other password='hidden pass'"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("hidden", done.stdout)
        self.assertIn("name=other password=***", done.stdout)


if __name__ == "__main__":
    unittest.main()
