"""The table of system relations in routing/ against a real primary and its hot standby.

A catalog or view of pg_catalog that the table does not know fails the test; each one judged safe must
hold the same rows on both servers.
"""

import os
import re
import unittest

from tests.support.cluster import Cluster

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_ENTRY = re.compile(r'\{"(?P<name>pg_\w+)", (?P<safe>true|false), ')
_OBJECTS = """CREATE TABLE kept (a serial PRIMARY KEY, b text DEFAULT 'x'); INSERT INTO kept (b) VALUES ('y');
    CREATE VIEW seen AS SELECT a FROM kept; CREATE STATISTICS both_columns ON a, b FROM kept; ANALYZE kept;
    CREATE ROLE reader; GRANT SELECT ON kept TO reader; COMMENT ON TABLE kept IS 'x';
    CREATE POLICY mine ON kept USING (true); CREATE PUBLICATION all_of_it FOR ALL TABLES;
    SELECT lo_from_bytea(0, 'x'); ALTER ROLE reader SET work_mem = '1MB'"""


def judged():
    """{name: is safe} of the table."""
    with open(os.path.join(_ROOT, "routing/system_relations.cpp"), encoding="utf-8") as file:
        return {entry["name"]: entry["safe"] == "true" for entry in _ENTRY.finditer(file.read())}


def setUpModule():
    global servers
    servers = Cluster(replicas=1, log_statement="none")
    unittest.addModuleCleanup(lambda: servers.stop())
    for statement in _OBJECTS.split(";"):
        servers.primary.ask(statement)
    servers.wait_for_replay()


class SystemRelations(unittest.TestCase):
    def setUp(self):
        self.there = {name for name, in servers.primary.ask(
            "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')")}

    def test_every_one_is_judged(self):
        by_prefix = {name for name in self.there if name.startswith(("pg_stat_", "pg_statio_"))}
        self.assertGreater(len(by_prefix), 30)
        self.assertEqual(sorted(self.there - by_prefix - judged().keys()), [])

    def test_none_is_judged_by_its_prefix_and_its_name(self):
        self.assertEqual([name for name in judged() if name.startswith(("pg_stat_", "pg_statio_"))], [])

    def test_those_judged_safe_hold_the_same_rows_on_both_servers(self):
        safe = sorted(name for name, is_safe in judged().items() if is_safe and name in self.there)
        self.assertGreater(len(safe), 70)
        for name in safe:
            with self.subTest(relation=name):
                query = f"SELECT r::text FROM pg_catalog.{name} r ORDER BY 1"
                self.assertEqual(servers.replica.ask(query), servers.primary.ask(query))

    def test_information_schema_shows_the_same_on_both_servers(self):
        views = [name for name, in servers.primary.ask(
            "SELECT relname FROM pg_class WHERE relnamespace = 'information_schema'::regnamespace "
            "AND relkind IN ('r', 'v') ORDER BY 1")]
        self.assertGreater(len(views), 50)
        for name in views:
            with self.subTest(relation=name):
                query = f"SELECT r::text FROM information_schema.{name} r ORDER BY 1"
                self.assertEqual(servers.replica.ask(query), servers.primary.ask(query))


if __name__ == "__main__":
    unittest.main()
