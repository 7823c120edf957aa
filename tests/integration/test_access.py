"""Who may log in from where and how: rules, certificates, looked-up users, passwords passed on to the servers."""

import os
import subprocess
import tempfile
import threading
import unittest

import psycopg

from tests.support import certificates, raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy, run
from tests.support.template import own
from tests.support.waiting import wait_until

OTHER = {"user": "other", "password": "other pass"}
PLAIN = {"user": "plain", "password": "plain pass"}
# Refusals are compared with a server's that has the same lines, behind one that lets the tests in.
RULES = ["# first match decides",
         "host second all 127.0.0.0/8 reject",
         "host sameuser,postgres other 127.0.0.1 255.255.255.255 scram-sha-256",
         'host "all" quiet all scram-sha-256',
         "host replication other 10.0.0.0/8 trust",
         "hostnossl app app 127.0.0.1/32 scram-sha-256",
         "hostssl app other 0.0.0.0/0 scram-sha-256 clientcert=verify-ca",
         "hostssl app plain all cert map=people"]
IDENT = ["people /^(.*)@example$ \\1", "people boss plain"]


def setUpModule():
    global servers, judge, authority, stranger, certificate, key, directory
    made = tempfile.TemporaryDirectory(prefix="pgsteer-certificates-")
    unittest.addModuleCleanup(made.cleanup)
    directory = made.name
    os.chmod(directory, 0o755)
    authority = certificates.Authority(directory)
    stranger = certificates.Authority(directory, "stranger")
    certificate, key = authority.issue("proxy")
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    write(f"{directory}/hba", ["local all all trust", "host all postgres 127.0.0.1/32 trust", *RULES])
    write(f"{directory}/ident", IDENT)
    judge = Cluster(replicas=0, hba_file=f"{directory}/hba", ident_file=f"{directory}/ident",
                    ssl_ca_file=authority.certificate)
    unittest.addModuleCleanup(lambda: judge.stop())
    certificates.for_server(authority, judge.primary)
    judge.primary.restart()


def write(path, lines):
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    own(path)


def person(name):
    """A client's certificate, for libpq."""
    made = authority.issue(f"client-{name.replace('@', '-')}", host=name, addresses=())
    return {"sslmode": "require", "sslcert": made[0], "sslkey": made[1]}


def start(test, **settings):
    proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
    test.addCleanup(proxy.stop)
    return proxy


def listed(*logins):
    return [{"name": login["user"], "password": login["password"]} for login in logins]


def outcome(port, **login):
    """How a login by libpq ends: the role, or the last error."""
    options = {"host": "127.0.0.1", "port": port, "dbname": "app", "connect_timeout": 10, "sslmode": "disable", **login}
    try:
        with psycopg.connect(**options) as client:
            return client.execute("SELECT current_user::text").fetchone()[0]
    except psycopg.OperationalError as failure:
        return str(failure).split("FATAL:")[-1].strip()


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy(servers.primary.url(), users=listed(OTHER, PLAIN), hba=RULES, ident_map=IDENT,
                          tls_cert_file=certificate, tls_key_file=key, tls_client_ca_file=authority.certificate)
        cls.addClassCleanup(cls.proxy.stop)

    def compare(self, expected=None, **login):
        with self.subTest(**login):
            direct = outcome(judge.primary.port, **login)
            if expected is not None:
                self.assertEqual(direct, expected)
            self.assertEqual(outcome(self.proxy.port, **login), direct)

    def test_the_first_rule_that_fits_decides(self):
        self.compare(user="app", password="s3cret pass", expected="app")
        self.compare(user="app", password="wrong")
        self.compare(user="app", password="s3cret pass", sslmode="require")
        self.compare(user="app", password="s3cret pass", dbname="second")
        self.compare(user="app", password="s3cret pass", dbname="postgres")
        self.compare(**OTHER, dbname="postgres", expected="other")
        self.compare(**OTHER)
        self.compare(user="quiet", password="quiet pass")
        self.compare(user="nobody", password="x")

    def test_replication_has_rules_of_its_own(self):
        for login in ({"user": "app", "password": "s3cret pass"}, OTHER):
            refusals = []
            for port in (judge.primary.port, self.proxy.port):
                with raw.RawClient(port) as client:
                    refusals.append([{k: e[k] for k in "SCM"} for e in client.login(**login, replication="true").errors])
            self.assertEqual(*refusals)
            self.assertIn("replication connection", refusals[0][0]["M"])

    def test_certificates(self):
        self.compare(**OTHER, sslmode="require")
        self.compare(**OTHER, **person("whoever"), expected="other")
        self.compare(user="plain", sslmode="require")
        self.compare(user="plain", **person("plain"))
        self.compare(user="plain", **person("plain@example"), expected="plain")

    def test_a_mapped_certificate_needs_no_password(self):
        for name in ("plain@example", "boss"):
            self.assertEqual(outcome(self.proxy.port, user="plain", **person(name)), "plain")
        refused = outcome(self.proxy.port, user="plain", **person("other@example"))
        self.assertIn('certificate authentication failed for user "plain"', refused)
        self.assertTrue(any("other@example" in line for line in self.proxy.log_lines("Login refused")))

    def test_a_strangers_certificate_ends_the_handshake(self):
        made = stranger.issue("stranger-client", host="boss", addresses=())
        refused = outcome(self.proxy.port, user="plain", sslmode="require", sslcert=made[0], sslkey=made[1])
        self.assertRegex(refused, "(?i)ssl|unknown ca|closed")

    def test_a_revoked_certificate(self):
        database = f"{directory}/index.txt"
        with open(database, "w"):
            pass
        write(f"{directory}/ca.cnf", ["[ca]", "default_ca=x", "[x]", f"database={database}", "default_md=sha256",
                                      "default_crl_days=2"])
        good, bad = person("boss"), person("plain@example")
        ca = ["openssl", "ca", "-config", f"{directory}/ca.cnf", "-cert", authority.certificate, "-keyfile",
              f"{directory}/ca.key"]
        subprocess.run([*ca, "-revoke", bad["sslcert"]], check=True, capture_output=True)
        subprocess.run([*ca, "-gencrl", "-out", f"{directory}/crl"], check=True, capture_output=True)
        proxy = start(self, users=listed(PLAIN), hba=RULES, ident_map=IDENT, tls_cert_file=certificate, tls_key_file=key,
                      tls_client_ca_file=authority.certificate, tls_client_crl_file=f"{directory}/crl")
        self.assertEqual(outcome(proxy.port, user="plain", **good), "plain")
        self.assertRegex(outcome(proxy.port, user="plain", **bad), "(?i)ssl|revoked|closed")

    def test_a_reload_changes_them(self):
        proxy = start(self, hba=["host all all all scram-sha-256"])
        self.assertEqual(outcome(proxy.port, user="app", password="s3cret pass"), "app")
        proxy.reload(hba=["host all app 10.0.0.0/8 scram-sha-256"])
        self.assertIn("no pg_hba.conf entry", outcome(proxy.port, user="app", password="s3cret pass"))
        proxy.reload(hba=["host all app all trust"])
        self.assertEqual(outcome(proxy.port, user="app"), "app")


QUERY = "SELECT rolname, rolpassword, rolvaliduntil FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin"


class LookedUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # As docs/users.md says: one function that the asking role may call, and no more.
        for statement in ("CREATE ROLE asker LOGIN PASSWORD 'ask'", "CREATE SCHEMA gate",
                          "CREATE FUNCTION gate.user_lookup(name) RETURNS TABLE (u name, p text, v timestamptz) LANGUAGE sql"
                          f" SECURITY DEFINER SET search_path = pg_catalog AS $${QUERY}$$",
                          "REVOKE ALL ON FUNCTION gate.user_lookup(name) FROM PUBLIC",
                          "GRANT USAGE ON SCHEMA gate TO asker", "GRANT EXECUTE ON FUNCTION gate.user_lookup(name) TO asker",
                          "CREATE ROLE late LOGIN PASSWORD 'late pass' VALID UNTIL '2001-01-01'",
                          "CREATE ROLE early LOGIN PASSWORD 'early pass' VALID UNTIL '2101-01-01'"):
            servers.primary.ask(statement)
        servers.wait_for_replay()

    def start(self, **settings):
        return start(self, users=[{"name": "asker", "password": "ask"}], auth_query_user="asker",
                     auth_query="SELECT * FROM gate.user_lookup($1)", consistency="eventual", **settings)

    def test_users_of_the_servers_log_in_with_their_own_passwords(self):
        proxy = self.start()
        for user, password in (("other", "other pass"), ("quiet", "quiet pass"), ("early", "early pass")):
            self.assertEqual(outcome(proxy.port, user=user, password=password), user)
            self.assertEqual(outcome(proxy.port, user=user, password="wrong"),
                             f'password authentication failed for user "{user}"')
        for user, password in (("nobody", "x"), ("analyst", "x"), ("late", "late pass"), ("trusted", "")):
            self.assertIn(f'failed for user "{user}"', outcome(proxy.port, user=user, password=password or "x"))
        self.assertNotIn("SCRAM-SHA-256$", proxy.log())
        self.assertTrue(any("no longer valid" in line for line in proxy.log_lines("Login refused")))

    def test_answers_are_believed_for_a_while(self):
        proxy = self.start(auth_cache_time="1d")
        before = sum(servers.ran("gate.user_lookup").values())
        for _ in range(3):
            self.assertEqual(outcome(proxy.port, **OTHER), "other")
        self.assertEqual(sum(servers.ran("gate.user_lookup").values()), before + 1)
        servers.primary.ask("ALTER ROLE other PASSWORD 'new pass'")
        self.addCleanup(servers.primary.ask, "ALTER ROLE other PASSWORD 'other pass'")
        wait_until(lambda: outcome(proxy.port, user="other", password="new pass") == "other",
                   message="a password that did not fit makes pgsteer ask again")

    def test_a_password_changed_through_pgsteer_is_good_at_once(self):
        proxy = self.start(auth_cache_time="1d")
        self.addCleanup(servers.primary.ask, "ALTER ROLE other PASSWORD 'other pass'")
        password = "other pass"
        for new in ("one", "two", "three", "four"):
            with proxy.connect(user="other", password=password) as client:
                client.execute(f"ALTER ROLE other PASSWORD '{new}'")
            self.assertEqual(outcome(proxy.port, user="other", password=new), "other")
            self.assertIn("failed", outcome(proxy.port, user="other", password=password))
            password = new

    def test_a_role_made_anew_is_another(self):
        servers.primary.ask("ALTER ROLE app CREATEROLE")
        self.addCleanup(servers.primary.ask, "ALTER ROLE app NOCREATEROLE")
        proxy = self.start(auth_cache_time="1d")
        with proxy.connect() as client:
            self.addCleanup(servers.primary.ask, "DROP ROLE IF EXISTS passing")
            for password in ("one", "two", "three"):
                client.execute("DROP ROLE IF EXISTS passing")
                client.execute(f"CREATE ROLE passing LOGIN PASSWORD '{password}'")
                self.assertEqual(outcome(proxy.port, user="passing", password=password), "passing")

    def test_a_connection_that_an_older_password_fails_to_open_fails_nobody_else(self):
        proxy = self.start(auth_cache_time="1d")
        database = servers.primary.connect()  # as the server's own superuser
        self.addCleanup(database.close)
        ask = database.cursor().execute
        postmaster = servers.primary.process.pid

        def processes():
            with open(f"/proc/{postmaster}/task/{postmaster}/children") as file:
                return set(file.read().split())
        ask("ALTER ROLE app CREATEROLE")
        self.addCleanup(ask, "ALTER ROLE app NOCREATEROLE")
        with proxy.connect() as admin:
            admin.execute("SELECT txid_current()")
            # What is known of the user is known, and no connection is open for it.
            self.assertIn("failed", outcome(proxy.port, user="quiet", password="wrong"))
            # Whoever connects to the server is asked for a password so much later.
            for undo in ("SELECT pg_reload_conf()", "ALTER SYSTEM RESET pre_auth_delay", "ALTER ROLE quiet PASSWORD 'quiet pass'"):
                self.addCleanup(ask, undo)
            ask("ALTER SYSTEM SET pre_auth_delay = '3s'")
            before = processes()
            ask("SELECT pg_reload_conf()")
            wait_until(lambda: 'parameter "pre_auth_delay" changed' in servers.primary.log(), message="the server knows")
            login = threading.Thread(target=outcome, args=(proxy.port,), kwargs={"user": "quiet", "password": "quiet pass"})
            login.start()
            self.addCleanup(login.join)
            wait_until(lambda: processes() - before, message="a connection is being opened")
            admin.execute("ALTER ROLE quiet PASSWORD 'new pass'")
            self.assertEqual(outcome(proxy.port, user="quiet", password="new pass"), "quiet")

    def test_an_answer_from_before_a_change_is_not_believed(self):
        database = servers.primary.connect()
        self.addCleanup(database.close)
        ask = database.cursor().execute
        for statement in (f"CREATE FUNCTION gate.waits(name) RETURNS TABLE (u name, p text, v timestamptz) LANGUAGE plpgsql SECURITY DEFINER"
                          f" AS $$BEGIN RETURN QUERY {QUERY}; PERFORM pg_advisory_lock_shared(77); PERFORM pg_advisory_unlock_shared(77); END$$",
                          "ALTER ROLE app CREATEROLE", "SELECT pg_advisory_lock(77)"):
            ask(statement)
        for undo in ("ALTER ROLE app NOCREATEROLE", "DROP FUNCTION gate.waits(name)", "ALTER ROLE other PASSWORD 'other pass'"):
            self.addCleanup(ask, undo)
        servers.wait_for_replay()
        proxy = start(self, users=[{"name": "asker", "password": "ask"}], auth_query_user="asker",
                      auth_query="SELECT * FROM gate.waits($1)", auth_cache_time="1d")
        with proxy.connect() as admin:
            admin.execute("SELECT txid_current()")
            login = threading.Thread(target=outcome, args=(proxy.port,), kwargs=OTHER)
            login.start()
            self.addCleanup(login.join)
            wait_until(lambda: servers.primary.value("SELECT count(*) FROM pg_locks WHERE objid = 77 AND NOT granted") == 1,
                       message="the user is being looked up")
            admin.execute("ALTER ROLE other PASSWORD 'newer'")
            ask("SELECT pg_advisory_unlock(77)")
            login.join()
            self.assertEqual(outcome(proxy.port, user="other", password="newer"), "other")

    def test_without_the_primary_a_replica_is_asked(self):
        proxy = self.start(reconnect_delay="100ms")
        wait_until(lambda: proxy.health()[0] == 200, message="both are connected")
        servers.primary.stop()
        try:
            self.assertEqual(outcome(proxy.port, user="nobody", password="x"),
                             'password authentication failed for user "nobody"')
            servers.replica.stop()
            refused = outcome(proxy.port, user="quiet", password="quiet pass")
            self.assertIn('could not look up user "quiet"', refused)
        finally:
            servers.primary.start()
            servers.primary.wait_ready()
            servers.replica.start()
            servers.replica.wait_ready()
        wait_until(lambda: outcome(proxy.port, user="quiet", password="quiet pass") == "quiet", message="it is back")

    def test_an_unqualified_name_does_not_resolve(self):
        proxy = start(self, auth_query="SELECT * FROM user_lookup($1)")
        self.assertIn("could not look up user", outcome(proxy.port, **OTHER))
        self.assertTrue(proxy.log_lines("User not looked up"))


class PassedOn(unittest.TestCase):
    def setUp(self):
        self.proxy = start(self, hba=["hostssl all all all password"], tls_cert_file=certificate, tls_key_file=key)

    def login(self, user, password, **more):
        return outcome(self.proxy.port, user=user, password=password, sslmode="require", **more)

    def test_the_servers_know_the_users(self):
        for user, password in (("app", "s3cret pass"), ("other", "other pass"), ("plain", "plain pass"),
                               ("old_style", "md5 pass")):
            self.assertEqual(self.login(user, password), user)
            self.assertEqual(self.login(user, "guess"), f'password authentication failed for user "{user}"')
            self.assertEqual(self.login(user, password), user)
        self.assertEqual(self.login("nobody", "x"), 'password authentication failed for user "nobody"')
        self.assertEqual(self.login("other", "other pass", dbname="nothing"), 'database "nothing" does not exist')
        for secret in ("other pass", "plain pass", "md5 pass", "guess"):
            self.assertNotIn(secret, self.proxy.log())

    def test_a_wrong_password_disturbs_nobody(self):
        with self.proxy.connect(**OTHER, sslmode="require") as client:
            self.assertIn("failed", self.login("other", "guess"))
            with client.transaction():
                held = client.execute("SELECT pg_backend_pid()").fetchone()[0]
                with self.proxy.connect(**OTHER, sslmode="require") as another:
                    new = another.execute("SELECT pg_backend_pid(), txid_current()").fetchone()[0]
            self.assertNotEqual(held, new)

    def test_not_without_tls(self):
        self.assertIn("no encryption", outcome(self.proxy.port, **OTHER))
        done = run("--check-config", environment={"DATABASE_URL": servers.primary.url(),
                                                  "PGSTEER_HBA": "host all all all password"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("hostssl", done.stderr)


if __name__ == "__main__":
    unittest.main()
