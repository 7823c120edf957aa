"""The harness against PostgreSQL alone: what the other tests lean on must itself be right."""

import os
import tempfile
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import differing_files
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=2)
    unittest.addModuleCleanup(lambda: servers.stop())


class Servers(unittest.TestCase):
    def tearDown(self):
        servers.heal()

    def test_a_replica_follows_and_refuses_writes(self):
        servers.run("CREATE TABLE followed (a int)", "INSERT INTO followed VALUES (7)")
        for replica in servers.replicas:
            self.assertEqual(replica.value("SELECT a FROM followed"), 7)
            self.assertTrue(replica.value("SELECT pg_is_in_recovery()"))

    def test_logs_tell_which_server_ran_a_statement(self):
        with raw.logged_in(servers.replica.port) as client:
            client.query("SELECT 'simple marker'")
            client.ask(raw.parse("SELECT 'extended marker'"), raw.bind(), raw.execute(), raw.SYNC)
        self.assertEqual(servers.ran("simple marker"), {"replica1": 1})
        self.assertEqual(servers.ran("extended marker"), {"replica1": 1})

    def test_a_killed_server_comes_back(self):
        for server in servers.servers():
            server.kill()
            self.assertFalse(server.is_running())
        servers.heal()
        servers.run("CREATE TABLE after_crash ()")

    def test_a_frozen_server_accepts_and_never_answers(self):
        servers.replica.freeze()
        client = raw.RawClient(servers.replica.port)
        self.addCleanup(client.close)
        client.send(raw.startup(user="app"))
        with self.assertRaises(TimeoutError):
            client.read_frame(timeout=0.3)

    def test_backends_are_counted_without_the_tests_own(self):
        with raw.logged_in(servers.primary.port), raw.logged_in(servers.primary.port):
            self.assertEqual(len(servers.primary.backends()), 2)
        wait_until(lambda: not servers.primary.backends(), message="closed connections are gone")


class RawProtocol(unittest.TestCase):
    def test_every_login_method(self):
        for user, password in (("app", "s3cret pass"), ("plain", "plain pass"), ("old_style", "md5 pass"),
                               ("trusted", "")):
            with self.subTest(user), raw.logged_in(servers.primary.port, user=user, password=password) as client:
                self.assertEqual(client.query("SELECT current_user").values, [user])

    def test_a_wrong_password(self):
        with raw.RawClient(servers.primary.port) as client:
            self.assertEqual(client.login(password="wrong").sqlstates, ["28P01"])

    def test_a_cancel(self):
        with raw.logged_in(servers.primary.port) as client:
            client.send(raw.query("SELECT pg_sleep(60)"))
            wait_until(lambda: servers.primary.value(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)' AND state = 'active'"))
            client.cancel(servers.primary.port)
            self.assertEqual(client.answer().sqlstates, ["57014"])



class Comparison(unittest.TestCase):
    def test_results_are_compared_without_their_directories(self):
        with tempfile.TemporaryDirectory() as made:
            for run, text in (("regress-direct", "a\n/tmp/x/regress-direct/b\n"), ("regress-transaction", "a\n/tmp/x/regress-transaction/b\n")):
                os.mkdir(f"{made}/{run}")
                for name in ("same.out", "missing.out", "other.out"):
                    with open(f"{made}/{run}/{name}", "w") as file:
                        file.write(text)
            with open(f"{made}/regress-transaction/other.out", "a") as file:
                file.write("more\n")
            os.remove(f"{made}/regress-transaction/missing.out")
            found, count = differing_files(f"{made}/regress-direct", f"{made}/regress-transaction", f"{made}/diff")
            self.assertEqual((found, count), ({"missing": 2, "other": 1}, 3))
            with open(f"{made}/diff") as file:
                self.assertIn("+more", file.read())


if __name__ == "__main__":
    unittest.main()
