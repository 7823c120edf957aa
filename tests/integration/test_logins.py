"""Clients log in as to the server itself, by every method, and are refused as it refuses."""

import re
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy, run
from tests.support.scram import ScramClient


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    proxy = Proxy(servers.primary.url(), servers.replica.url())
    unittest.addModuleCleanup(proxy.stop)


def start(test, url, **settings):
    started = Proxy(url, **settings)
    test.addCleanup(started.stop)
    return started


class Scram(unittest.TestCase):
    def refused(self, port, **login):
        with raw.RawClient(port) as client:
            answer = client.login(**login)
            self.assertTrue(answer.closed or client.is_closed())
            return [{key: error[key] for key in "SCM"} for error in answer.errors]

    def test_login(self):
        with raw.logged_in(proxy.port) as client:
            self.assertEqual(client.query("SELECT current_user, current_database()").rows, [[b"app", b"app"]])

    def test_the_login_reply_is_the_servers_own(self):
        with raw.logged_in(proxy.port, application_name="mine") as client, \
                raw.logged_in(servers.primary.port, application_name="mine") as direct:
            self.assertEqual(client.parameters, direct.parameters)
            self.assertEqual(len(client.key), len(direct.key))

    def test_refusals_read_as_the_servers(self):
        for login in ({"password": "wrong"}, {"user": "nobody"}, {"user": "nobody", "database": "nothing"},
                      {"password": "wrong", "database": "nothing"}, {"database": "nothing"}):
            with self.subTest(**login):
                self.assertEqual(self.refused(proxy.port, **login), self.refused(servers.primary.port, **login))

    def test_the_database_may_be_left_out(self):
        with raw.RawClient(proxy.port) as client:
            client.send(raw.startup(user="app"))
            self.assertEqual(client.read_frame().type, "R")

    def test_a_startup_packet_without_user(self):
        with raw.RawClient(proxy.port) as client:
            client.send(raw.startup(database="app"))
            self.assertEqual(client.read_until("E").sqlstates, ["28000"])

    def test_unknown_users_see_the_same_iteration_count(self):
        counts = set()
        for user in ("app", "nobody"):
            with raw.RawClient(proxy.port) as client:
                client.send(raw.startup(user=user, database="app"))
                client.read_frame()
                first = ScramClient("x").first()
                client.send(raw.frame("p", raw.text("SCRAM-SHA-256") + len(first).to_bytes(4, "big") + first))
                counts.add(re.search(rb"i=(\d+)", client.read_frame().body)[1])
        self.assertEqual(counts, {b"4096"})

    def test_an_unknown_user_sees_the_same_salt_again(self):
        salts = set()
        for _ in range(2):
            with raw.RawClient(proxy.port) as client:
                client.send(raw.startup(user="nobody", database="app"))
                client.read_frame()
                first = ScramClient("x").first()
                client.send(raw.frame("p", raw.text("SCRAM-SHA-256") + len(first).to_bytes(4, "big") + first))
                salts.add(re.search(rb"s=([^,]+)", client.read_frame().body)[1])
        self.assertEqual(len(salts), 1)

    def test_the_password_is_nowhere_in_the_log(self):
        self.refused(proxy.port, password="guess-wrong")
        self.assertNotIn("s3cret", proxy.log())
        self.assertNotIn("guess-wrong", proxy.log())

    def test_a_failed_login_is_counted(self):
        before = proxy.metric("pgsteer_logins_failed_total")
        self.refused(proxy.port, password="wrong")
        self.assertEqual(proxy.metric("pgsteer_logins_failed_total"), before + 1)

    def test_a_slow_login_is_ended(self):
        hasty = start(self, servers.primary.url(), login_timeout="500ms")
        with raw.RawClient(hasty.port) as client:
            client.send(raw.startup(user="app")[:10])
            self.assertTrue(client.is_closed())


class OtherMethods(unittest.TestCase):
    def test_md5(self):
        old = start(self, servers.primary.url(), auth="md5")
        with raw.RawClient(old.port) as client:
            client.send(raw.startup(user="app", database="app"))
            self.assertEqual(client.read_frame().body[:4], b"\0\0\0\5")
        with raw.logged_in(old.port) as client:
            self.assertEqual(client.query("SELECT current_user").values, ["app"])
        with raw.RawClient(old.port) as client:
            self.assertEqual(client.login(password="wrong").sqlstates, ["28P01"])
        with raw.RawClient(old.port) as client:
            self.assertEqual(client.login(user="nobody").sqlstates, ["28P01"])

    def test_trust_where_the_url_has_no_password(self):
        trusting = start(self, servers.primary.url(user="trusted", password=""), auth="trust")
        self.assertEqual(trusting.ask("SELECT current_user::text", user="trusted", password=""), [("trusted",)])

    def test_no_password_and_no_trust_does_not_start(self):
        done = run(environment={"DATABASE_URL": servers.primary.url(user="trusted", password="")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("trust", done.stderr)

    def test_trust_only_on_loopback_unless_told_twice(self):
        environment = {"DATABASE_URL": servers.primary.url(user="trusted", password=""), "PGSTEER_AUTH": "trust",
                       "PGSTEER_LISTEN": f"0.0.0.0:{proxy.port}"}
        done = run(environment=environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("trust on 0.0.0.0", done.stderr)
        self.assertIn("auth_trust_anywhere", done.stderr)

    def test_servers_that_ask_for_other_methods(self):
        for user, password in (("plain", "plain pass"), ("old_style", "md5 pass")):
            with self.subTest(user):
                through = start(self, servers.primary.url(user=user, password=password))
                self.assertEqual(through.ask("SELECT current_user::text", user=user, password=password), [(user,)])

    def test_a_wrong_password_in_the_url_itself(self):
        wrong = start(self, servers.primary.url(password="other"), acquire_timeout="500ms")
        with self.assertRaises(psycopg.OperationalError) as caught:
            wrong.ask("SELECT 1", password="other")
        self.assertRegex(str(caught.exception), r"(?i)authentication failed|primary")
        self.assertNotIn("password=other", wrong.log())

    def test_a_database_that_is_not_there(self):
        wrong = start(self, servers.primary.url(database="nothing"), acquire_timeout="500ms")
        with self.assertRaises(psycopg.OperationalError):
            wrong.ask("SELECT 1", dbname="nothing")


if __name__ == "__main__":
    unittest.main()
