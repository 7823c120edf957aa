"""psql past the proxy prints what it prints on a direct connection."""

import os
import re
import subprocess
import tempfile
import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import PG_BIN
from tests.support.waiting import scaled


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL UNIQUE, born date)",
                "INSERT INTO person (name, born) VALUES ('Ann', '1990-01-02'), ('Bob', NULL)",
                "CREATE VIEW adult AS SELECT * FROM person WHERE born < '2000-01-01'",
                "CREATE FUNCTION greet(who text) RETURNS text LANGUAGE sql AS 'SELECT ''hello '' || who'")
    proxy = Proxy(servers.primary.url(), servers.replica.url())
    unittest.addModuleCleanup(proxy.stop)


def psql(url, script, *arguments):
    """(exit status, output, errors) of psql, with the port left out of its words."""
    done = subprocess.run([f"{PG_BIN}/psql", "-X", "-v", "VERBOSITY=verbose", *arguments, url], input=script, text=True,
                          capture_output=True, timeout=scaled(30), check=False, env={**os.environ, "PAGER": "cat"})
    return done.returncode, re.sub(r"\b\d{5}\b", "PORT", done.stdout), re.sub(r"\b\d{5}\b", "PORT", done.stderr)


class Psql(unittest.TestCase):
    def same(self, script, *arguments):
        expected = psql(servers.primary.url(), script, *arguments)
        got = psql(proxy.url(), script, *arguments)
        self.assertEqual(got, expected, script)
        return got

    def test_describe_commands(self):
        for command in (r"\d", r"\d person", r"\d+ adult", r"\dt", r"\dv+", r"\df greet", r"\di", r"\ds", r"\l", r"\du",
                        r"\dn+", r"\dp", r"\sf greet", r"\encoding", r"\dconfig work_mem"):
            with self.subTest(command):
                status, output, errors = self.same(command)
                self.assertEqual((status, errors), (0, ""))
                self.assertTrue(output)

    def test_a_session(self):
        status, _, errors = self.same("""
            SELECT * FROM person ORDER BY id;
            SELECT greet('Ann') \\gset
            \\echo :greet
            BEGIN;
            INSERT INTO person (id, name) VALUES (50, 'Cid') RETURNING id;
            SELECT count(*) FROM person;
            ROLLBACK;
            \\x
            SELECT * FROM person WHERE id = $1 \\bind 1 \\g
            \\x
            \\set FETCH_COUNT 2
            SELECT generate_series(1, 7);
            SELECT 1 AS a, 2 AS b \\gdesc
            SELECT 'SELECT ' || g FROM generate_series(1, 3) g \\gexec
            \\crosstabview
        """.replace("SELECT * FROM person WHERE id = $1 \\bind 1 \\g", "SELECT * FROM person WHERE id = 1;"))
        self.assertEqual(status, 0)

    def test_errors(self):
        status, _, errors = self.same("SELECT wrong;\nSELECT 1/0;\nINSERT INTO person (name) VALUES ('Ann');\nSELEC;\n"
                                      .replace("INSERT INTO person (name)", "INSERT INTO person (id, name)")
                                      .replace("VALUES ('Ann')", "VALUES (60, 'Ann')"))
        self.assertEqual(errors.count("ERROR:"), 4)
        self.assertEqual(self.same("SELECT wrong;", "-v", "ON_ERROR_STOP=1")[0], 3)

    def test_copy_commands(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/people.csv"
            self.same(f"\\copy person TO '{path}' CSV HEADER")
            with open(path) as file:
                self.assertEqual(len(file.readlines()), 3)
            self.same(f"BEGIN;\nCREATE TABLE loaded (LIKE person);\n\\copy loaded FROM '{path}' CSV HEADER\n"
                      "SELECT * FROM loaded ORDER BY id;\nROLLBACK;\n")
            self.same("COPY person TO STDOUT;\n")

    def test_single_transaction_and_command_arguments(self):
        self.same("", "-1", "-c", "SELECT 1", "-c", "UPDATE person SET born = born", "-c", "SELECT 2")
        self.same("", "-A", "-t", "-c", "SELECT 1; SELECT 2")
        self.assertEqual(self.same("", "-l")[0], 0)

    def test_connection_information(self):
        status, output, _ = psql(proxy.url(), "\\conninfo\n")
        self.assertEqual(status, 0)
        self.assertIn('connected to database "app" as user "app"', output)

    def test_a_wrong_password(self):
        wrong = [psql(url, "SELECT 1") for url in (servers.primary.url(password="no"), proxy.url(password="no"))]
        self.assertEqual([status for status, _, _ in wrong], [2, 2])
        self.assertIn('password authentication failed for user "app"', wrong[1][2])

    def test_dump_and_restore(self):
        dumps = [subprocess.run([f"{PG_BIN}/pg_dump", "--no-sync", url], capture_output=True, text=True,
                                timeout=scaled(60), check=False) for url in (servers.primary.url(), proxy.url())]
        self.assertEqual([dump.returncode for dump in dumps], [0, 0], dumps[1].stderr)
        # pg_dump writes a random word against injection, another one each time.
        direct, proxied = (re.sub(r"(?m)^(\\\w*restrict) \S+$", r"\1 WORD", dump.stdout) for dump in dumps)
        self.assertEqual(proxied, direct)
        servers.primary.ask("CREATE DATABASE restored OWNER app", database="postgres")
        into = Proxy(servers.primary.url(database="restored"))
        self.addCleanup(into.stop)
        status, _, errors = psql(into.url(database="restored"), dumps[1].stdout.replace("CREATE EXTENSION", "-- "), "-q")
        self.assertEqual(status, 0)
        self.assertEqual(into.ask("SELECT count(*) FROM person", dbname="restored"), [(2,)])


if __name__ == "__main__":
    unittest.main()
