"""The table of built-in functions in routing/ against a real primary and its hot standby.

A function that the table does not know fails the test: judge it, or list it as not callable. Every
function judged safe is called with samples on both servers: same answer, and nothing left behind.
"""

import os
import re
import unittest

import psycopg2
import psycopg2.extensions

from tests.support import function_calls
from tests.support.cluster import Cluster

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_GROUP = re.compile(r'\{(?:"(?P<extension>[^"]*)", )?function_safety::(?P<safety>\w+), (?P<effects>[^,]+),'
                    r'\s*"(?P<reason>[^"]*)",(?P<names>(?:\s*"[^"]*")+)\}')

_COUNTED = re.compile(r'\{(?P<arguments>\d+), \{"(?P<name>\w+)", function_safety::safe,')

# Answers that differ from call to call on one server too; only their lack of effects is tested.
_VARYING = set("""now transaction_timestamp statement_timestamp clock_timestamp timeofday random gen_random_uuid
    gen_random_bytes gen_salt pgp_pub_encrypt pgp_pub_encrypt_bytea pgp_sym_encrypt pgp_sym_encrypt_bytea normal_rand
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4""".split())

_WAITING = {"pg_sleep", "pg_sleep_for", "pg_sleep_until"}

_NOT_CALLABLE = """bool_and('internal'::regtype = any (p.proargtypes) OR p.prorettype = any (ARRAY[
    'internal', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler', 'table_am_handler',
    'index_am_handler', 'tsm_handler']::regtype[]))"""


def _read(path):
    with open(os.path.join(_ROOT, path), encoding="utf-8") as file:
        return file.read()


def judged(path):
    """{(extension or None, name): safety} of one table of routing/."""
    return {(group["extension"], name): group["safety"]
            for group in _GROUP.finditer(_read(path))
            for name in "".join(re.findall(r'"([^"]*)"', group["names"])).split()}


def judged_safe_by_count():
    """{(name, number of arguments)} that are safe although the name is not."""
    found = _COUNTED.finditer(_read("routing/builtin_functions_by_count.inc"))
    return {(group["name"], int(group["arguments"])) for group in found}


def setUpModule():
    global servers
    servers = Cluster(replicas=1, log_statement="none")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.primary.ask(function_calls.OBJECTS)
    for extension, in servers.primary.ask("SELECT name FROM pg_available_extensions WHERE installed_version IS NULL"):
        servers.primary.ask(f'CREATE SCHEMA "of_{extension}"')
        servers.primary.ask(f'CREATE EXTENSION "{extension}" SCHEMA "of_{extension}" CASCADE')
    servers.wait_for_replay()


def functions(condition, extension="NULL"):
    """{(extension, name): [function_calls.Function]} from pg_proc."""
    found = {}
    for row in servers.primary.ask(f"""
        SELECT {extension}, n.nspname, p.proname, p.prokind, a.aggkind,
               p.provariadic <> 0 AND p.provariadic <> '"any"'::regtype,
               ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS x(t, i) ORDER BY i)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
             LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
             LEFT JOIN pg_extension e ON e.oid = d.refobjid
        WHERE {condition} ORDER BY p.oid"""):
        types = [type_name.rsplit(".", 1)[-1] for type_name in row[6]]
        found.setdefault((row[0], row[2]), []).append(function_calls.Function(*row[1:6], types))
    return found


def names(query):
    return {name for name, in servers.primary.ask(query)}


class Coverage(unittest.TestCase):
    def setUp(self):
        self.table = {name for _, name in
                      [*judged("routing/builtin_functions_safe.inc"),
                       *judged("routing/builtin_functions_primary.inc")]}
        self.not_callable = set(_read("tests/integration/not_callable_functions.txt").split())

    def test_the_tables_are_read(self):
        self.assertGreater(len(self.table), 1900)
        self.assertIn("lower", self.table)
        self.assertEqual(judged("routing/contrib_functions.inc")["tablefunc", "crosstab"], "primary")

    def test_every_function_of_pg_catalog_is_judged(self):
        there = names("SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace")
        self.assertEqual(sorted(there - self.table - self.not_callable), [])

    def test_none_is_judged_and_called_not_callable(self):
        self.assertEqual(sorted(self.table & self.not_callable), [])

    def test_what_is_called_not_callable_is_so(self):
        not_callable = names("SELECT proname FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace "
                             f"GROUP BY 1 HAVING {_NOT_CALLABLE}")
        self.assertEqual(sorted(self.not_callable - not_callable), [])

    def test_every_function_of_the_extensions_is_judged(self):
        there = set(servers.primary.ask(
            "SELECT e.extname, p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND "
            "d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid "
            f"GROUP BY 1, 2 HAVING NOT {_NOT_CALLABLE}"))
        self.assertGreater(len(there), 400)
        self.assertEqual(sorted(there - set(judged("routing/contrib_functions.inc"))), [])


class Safety(unittest.TestCase):
    """Calls functions judged safe on the primary and on its standby."""

    def setUp(self):
        self.primary, self.replica = servers.primary.connect(), servers.replica.connect()
        self.addCleanup(self.primary.close)
        self.addCleanup(self.replica.close)
        extensions = names("SELECT quote_ident('of_' || extname) FROM pg_extension WHERE extname <> 'plpgsql'")
        known_types = sum((known.values for known in psycopg2.extensions.string_types.values()), ())
        as_text = psycopg2.extensions.new_type(known_types, "AS_TEXT", lambda value, _: value)
        for connection in (self.primary, self.replica):
            psycopg2.extensions.register_type(as_text, connection)
            self.run_on(connection, "LOAD 'pg_trgm'")  # brings settings
            self.run_on(connection, "SET statement_timeout = '10s'; SET lc_messages = 'C'; SET search_path = "
                        + ", ".join(["public", *sorted(extensions)]))

    def run_on(self, connection, query):
        """The rows, or the error as (SQLSTATE, message)."""
        with connection.cursor() as cursor:
            try:
                cursor.execute(query)
                return cursor.fetchall() if cursor.description else []
            except psycopg2.Error as error:
                if error.pgcode is None:
                    self.fail(f"connection lost by {query}: {error}")
                return error.pgcode, error.diag.message_primary

    def safe_functions(self):
        """{(extension, name): overloads} of what the tables call safe."""
        pg_catalog, by_count = judged("routing/builtin_functions_safe.inc"), judged_safe_by_count()
        contrib = {key for key, safety in judged("routing/contrib_functions.inc").items() if safety == "safe"}
        there = functions("n.nspname = 'pg_catalog' AND e.oid IS NULL")
        there.update(functions("e.oid IS NOT NULL", "e.extname"))
        found = {}
        for key, overloads in there.items():
            if key[1] in _WAITING:
                continue
            safe = [overload for overload in overloads if key in pg_catalog or key in contrib
                    or (key[0] is None and (key[1], len(overload.types)) in by_count)]
            if safe:
                found[key] = safe
        return found

    def differences(self, overloads):
        """Queries calling these that the servers answer differently, how many were tried, how many answered."""
        different, tried, answered = [], 0, 0
        for query in (query for overload in overloads for query in function_calls.calls(overload)):
            answer = self.run_on(self.primary, query)
            tried += 1
            answered += isinstance(answer, list)
            if self.run_on(self.replica, query) != answer:
                different.append(query)
        return different, tried, answered

    def effects(self, overloads):
        """What calls of these in one transaction leave behind on the primary: (before, after)."""
        state = ("SELECT pg_current_xact_id_if_assigned(), (SELECT md5(string_agg(name || coalesce(setting, ''), ',' "
                 "ORDER BY name)) FROM pg_settings), (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND "
                 "locktype <> 'virtualxid' AND mode <> 'AccessShareLock')")
        self.run_on(self.primary, "BEGIN")
        before = self.run_on(self.primary, state)
        for query in (query for overload in overloads for query in function_calls.calls(overload, limit=6)):
            if isinstance(self.run_on(self.primary, "SAVEPOINT s; " + query), tuple):
                self.run_on(self.primary, "ROLLBACK TO s")
        after = self.run_on(self.primary, state)
        self.run_on(self.primary, "ROLLBACK")
        return before, after

    def test_the_comparisons_can_fail(self):
        there = functions("n.nspname = 'pg_catalog' AND e.oid IS NULL")
        for name in ("pg_is_in_recovery", "pg_relation_size", "txid_current", "nextval"):
            self.assertTrue(self.differences(there[None, name])[0], name)
        for name in ("nextval", "lo_creat", "pg_advisory_xact_lock", "txid_current", "pg_try_advisory_lock"):
            before, after = self.effects(there[None, name])
            self.assertNotEqual(before, after, name)

    def test_answers_are_alike_on_both_servers(self):
        different, answered, tried = [], 0, 0
        for key, overloads in self.safe_functions().items():
            if key[1] not in _VARYING:
                result = self.differences(overloads)
                different += result[0]
                tried += result[1]
                answered += result[2] > 0
        self.assertEqual(different, [])
        self.assertGreater(tried, 15000)
        self.assertGreater(answered, 1950)

    def test_telling_calls_are_alike_and_answered(self):
        for call in function_calls.telling_calls():
            with self.subTest(call):
                answer = self.run_on(self.primary, f"SELECT {call}")
                self.assertIsInstance(answer, list, answer)
                self.assertEqual(self.run_on(self.replica, f"SELECT {call}"), answer)

    def test_answers_that_vary_come_from_the_standby_too(self):
        for key, overloads in self.safe_functions().items():
            if key[1] in _VARYING:
                answers = [self.run_on(self.replica, query)
                           for overload in overloads for query in function_calls.calls(overload)]
                if answers and not key[1].startswith("pgp_pub"):  # needs a real key
                    self.assertTrue(any(isinstance(answer, list) for answer in answers), (key, answers[:3]))

    def test_nothing_is_left_behind(self):
        for key, overloads in self.safe_functions().items():
            before, after = self.effects(overloads)
            self.assertEqual(after, before, key)


if __name__ == "__main__":
    unittest.main()
