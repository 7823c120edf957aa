"""Statements of real applications (tests/applications): each goes where its line says, and what leaves the primary is
answered by a standby as the primary answers it."""

import os
import subprocess
import unittest

from tests.oracle.routes import Router
from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import BINARY
from tests.support.template import PG_BIN, SUPERUSER

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "applications")
DATABASE = "applications"


def statements(name):
    """(reason or None, statement) for each: those behind `-- primary | reason` stay on the primary."""
    reason, text = None, ""
    with open(f"{HERE}/{name}.sql", encoding="utf-8") as file:
        for line in file:
            if line.startswith("-- primary | "):
                reason = line[13:].strip()
            elif not line.startswith("--"):
                text += line
            if text.rstrip().endswith(";"):
                yield reason, text.strip()
                reason, text = None, ""


def setUpModule():
    global servers, router
    servers = Cluster(replicas=1, log_statement="none", shared_preload_libraries="")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.primary.ask("ALTER ROLE trusted SUPERUSER", database="postgres")
    servers.primary.ask(f"CREATE DATABASE {DATABASE}", database="postgres")
    for name in ("schema", "traps_schema", "more_schema"):
        subprocess.run([f"{PG_BIN}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", servers.primary.directory, "-p",
                        str(servers.primary.port), "-U", SUPERUSER, "-d", DATABASE, "-f", f"{HERE}/{name}.sql"],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})
    servers.wait_for_replay()
    router = Router(BINARY, f"postgresql://trusted@127.0.0.1:{servers.primary.port}/{DATABASE}")
    unittest.addModuleCleanup(router.stop)


def shown(answer):
    """Tag and rows, in any order."""
    return answer.tags, sorted(map(repr, answer.rows)), answer.sqlstates


class Applications(unittest.TestCase):
    def client(self, server):
        client = raw.logged_in(server.port, user="trusted", database=DATABASE)
        self.addCleanup(client.close)
        return client

    def check(self, name):
        here, there = self.client(servers.primary), self.client(servers.replica)
        count = 0
        path = None
        for reason, sql in statements(name):
            if sql.startswith("SET search_path"):
                path = sql
                for client in (here, there):
                    client.query(sql)
                router.ask(sql, name)
                continue
            count += 1
            with self.subTest(sql):
                self.check_one(name, path, reason, sql, here, there)
        return count

    def check_one(self, name, path, reason, sql, here, there):
        if reason is not None:
            alone = f"{name} {sql}"
            router.ask(path, alone)
            routed = router.ask(sql, alone)
            self.assertEqual(routed["target"], "primary", routed)
            self.assertIn(reason, routed["reason"])
            return
        routed = router.ask(sql, name)
        self.assertEqual(routed["target"], "replica", routed)
        answers = shown(here.query(sql)), shown(there.query(sql))
        self.assertEqual(answers[0][2], [])
        if answers[0] != answers[1]:  # new each time, or wrong
            self.assertTrue(any(shown(here.query(sql)) != answers[0] for _ in range(10)), answers)

    def test_django(self):
        self.assertGreater(self.check("django"), 120)

    def test_rails(self):
        self.assertGreater(self.check("rails"), 120)

    def test_gitlab(self):
        self.assertGreater(self.check("gitlab"), 50)

    def test_discourse(self):
        self.assertGreater(self.check("discourse"), 35)

    def test_mastodon(self):
        self.assertGreater(self.check("mastodon"), 15)

    def test_odoo(self):
        self.assertGreater(self.check("odoo"), 45)

    def test_apis(self):
        self.assertGreater(self.check("api"), 40)

    def test_services(self):
        self.assertGreater(self.check("services"), 140)

    def test_functions(self):
        self.assertGreater(self.check("functions"), 65)

    def test_more(self):
        self.assertGreater(self.check("more"), 100)

    def test_psql(self):
        self.assertGreater(self.check("psql"), 200)

    def test_reflection(self):
        self.assertGreater(self.check("reflection"), 190)

    def test_shop(self):
        self.assertGreater(self.check("shop"), 110)

    def test_traps(self):
        self.assertGreater(self.check("traps"), 90)


if __name__ == "__main__":
    unittest.main()
