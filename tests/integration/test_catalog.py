"""`pgsteer route --catalog` judges by what the catalog says: against what a real standby answers.

Objects of every kind are made on a primary; each statement is judged, and then run on the primary and on
its standby. What is sent to the replica must be answered there as on the primary.
"""
import itertools
import json
import subprocess
import unittest
import urllib.parse

from tests.support.cluster import Cluster
from tests.support.proxy import BINARY, Proxy
from tests.support.template import SUPERUSER
from tests.support.waiting import wait_until


def functions():
    """(definition, call) of functions of every volatility, by bodies that read, write and hide."""
    reads = {
        "count_sql": ("sql", "SELECT count(*)::int FROM items"),
        "loop_pl": ("plpgsql", "DECLARE n int := 0; r record; BEGIN FOR r IN SELECT id FROM items LOOP "
                               "n := n + r.id; END LOOP; RETURN n; END"),
        "nested": ("sql", "SELECT count_sql_v() + 1"),
        "executed": ("plpgsql", "DECLARE n int; BEGIN EXECUTE 'SELECT count(*) ' || 'FROM items' INTO n; RETURN n; END"),
        "caught": ("plpgsql", "BEGIN RETURN 1 / 0; EXCEPTION WHEN division_by_zero THEN RETURN -1; END"),
    }
    writes = {
        "adds_sql": ("sql", "INSERT INTO items VALUES (0); SELECT 1"),
        "adds_pl": ("plpgsql", "BEGIN DELETE FROM items WHERE id = -1; RETURN 1; END"),
        "adds_nested": ("sql", "SELECT adds_pl_v()"),
        "adds_dynamic": ("plpgsql", "BEGIN EXECUTE rtrim('UPDATE items SET id = id WHERE id = 1'); RETURN 1; END"),
        "adds_executed": ("plpgsql", "BEGIN EXECUTE 'UPDATE items SET id = id WHERE id = 1'; RETURN 1; END"),
        "numbers": ("sql", "SELECT nextval('counter')::int"),
        "locks": ("sql", "SELECT count(pg_try_advisory_xact_lock(4711))::int"),
        "locks_rows": ("sql", "SELECT id FROM items LIMIT 1 FOR UPDATE"),
        "sets": ("plpgsql", "BEGIN PERFORM set_config('app.x', '1', false); RETURN 1; END"),
    }
    for name, (language, body) in (reads | writes).items():
        letters = "vsi" if name in reads else "v"
        for letter in letters:
            word = {"v": "VOLATILE", "s": "STABLE", "i": "IMMUTABLE"}[letter]
            yield (f"CREATE FUNCTION {name}_{letter}() RETURNS int LANGUAGE {language} {word} AS $x${body}$x$",
                   f"SELECT {name}_{letter}()", name in reads)


SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, label text);
INSERT INTO items SELECT g, 'item ' || g FROM generate_series(1, 20) g;
CREATE SEQUENCE counter;
CREATE UNLOGGED TABLE scratch (id int);
CREATE SCHEMA aside; CREATE UNLOGGED TABLE aside.items (id int);
CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1), (2);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE aged (made timestamptz, day date, row xid, age timestamptz);
INSERT INTO aged SELECT '2020-02-02', '2021-03-03', '3', now();
CREATE FUNCTION age_of(made xid) RETURNS int LANGUAGE sql STABLE AS 'SELECT age(made)';
CREATE TABLE whole (id int) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE UNLOGGED TABLE whole_2 PARTITION OF whole FOR VALUES FROM (10) TO (20);
"""

LATER = """
CREATE POLICY watched ON guarded USING (adds_pl_v() > 0);
CREATE VIEW plain AS SELECT id FROM items WHERE id < 5;
CREATE VIEW on_view AS SELECT p.id, count_sql_v() FROM plain p;
CREATE VIEW numbering AS SELECT id, nextval('counter') FROM items;
CREATE VIEW on_numbering AS SELECT count(*) FROM numbering;
CREATE VIEW on_scratch AS SELECT s.id FROM items i JOIN scratch s USING (id);
CREATE VIEW activity AS SELECT pid FROM pg_stat_activity;
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
CREATE FUNCTION same_counted(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT nextval(''counter'') > 0 AND $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE OPERATOR ==== (LEFTARG = int, RIGHTARG = int, FUNCTION = same_counted);
CREATE FUNCTION adds_state(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM items WHERE id = -1; RETURN 1; END';
CREATE AGGREGATE adding(ORDER BY int) (sfunc = adds_state, stype = int, initcond = '0');
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN counted AS int CHECK (nextval('counter') > 0);
"""

READS = [
    "SELECT * FROM items ORDER BY id", "SELECT * FROM plain ORDER BY id", "SELECT * FROM on_view ORDER BY id",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM items", "SELECT mode() WITHIN GROUP (ORDER BY label) FROM items",
    "SELECT rank(3) WITHIN GROUP (ORDER BY id) FROM items", "SELECT 1 === 1", "SELECT 5::small", "SELECT 'items'::regclass::text", "SELECT * FROM whole_1",
    "WITH scratch AS (SELECT 1 AS id) SELECT * FROM scratch", "SELECT i.label FROM items i WHERE id BETWEEN 2 AND 3 ORDER BY 1",
    "SELECT age(made), pg_catalog.age(a.day), age(made::timestamp) FROM aged a",
]
OTHERS = [
    "SELECT last_value FROM counter", "SELECT * FROM scratch", "SELECT * FROM aside.items",
    "SELECT * FROM numbering ORDER BY id", "SELECT * FROM on_numbering", "SELECT * FROM on_scratch",
    "SELECT count(*) FROM activity", "SELECT 1 ==== 1", "SELECT 5::counted", "SELECT * FROM whole",
    "SELECT adding() WITHIN GROUP (ORDER BY id) FROM items", "SELECT * FROM guarded", "SELECT * FROM nowhere", "SELECT nowhere(1)",
    "SELECT age(aged.row) FROM aged", "SELECT age(xmin) FROM aged", "SELECT age(datfrozenxid) FROM pg_database", "SELECT age_of(row) FROM aged",
    "SELECT age(m) FROM (SELECT row AS m FROM aged) s", "SELECT age(age) FROM aged", "SELECT age(f) FROM pg_snapshot_xmin(NULL) f",
    "SELECT age((aged).row) FROM aged", "SELECT age(NULL)",
]


class Catalog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = Cluster(replicas=1)
        cls.addClassCleanup(cls.servers.stop)
        cls.primary, cls.standby = cls.servers.primary, cls.servers.replica
        made = [*SCHEMA.split(";\n"), *(definition for definition, _, _ in functions()), *LATER.split(";\n")]
        for statement in filter(str.strip, made):
            cls.primary.ask(statement)
        cls.servers.wait_for_replay()
        url = cls.primary.url(user=SUPERUSER, password="", host=urllib.parse.quote(cls.primary.directory, safe=""))
        cls.router = subprocess.Popen([BINARY, "route", "--json", "--catalog", url], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
        cls.addClassCleanup(cls.router.wait)
        cls.addClassCleanup(cls.router.stdout.close)
        cls.addClassCleanup(cls.router.stdin.close)

    def judged(self, sql, session=""):
        self.router.stdin.write(json.dumps({"sql": sql, "session": session}) + "\n")
        self.router.stdin.flush()
        return json.loads(self.router.stdout.readline())

    def test_functions_go_to_the_replica_where_their_bodies_prove_to_be_reads(self):
        for _, call, is_read in functions():
            with self.subTest(call):
                answer = self.judged(call)
                self.assertEqual(answer["target"], "replica" if is_read else "primary", answer)
                if is_read:
                    self.assertEqual(self.standby.ask(call), self.primary.ask(call))

    def test_reads_are_answered_there_as_on_the_primary(self):
        for sql in READS:
            with self.subTest(sql):
                answer = self.judged(sql)
                self.assertEqual(answer["target"], "replica", answer)
                self.assertEqual(self.standby.ask(sql), self.primary.ask(sql))

    def test_what_a_standby_cannot_answer_goes_to_the_primary(self):
        for sql in OTHERS:
            with self.subTest(sql):
                self.assertEqual(self.judged(sql)["target"], "primary")

    def test_combinations_are_as_bad_as_their_worst_part(self):
        parts = [*((sql, "replica") for sql in READS[:4]), *((sql, "primary") for sql in OTHERS[:6])]
        for (first, one), (second, other) in itertools.product(parts, parts):
            sql = f"SELECT 1 WHERE EXISTS ({first}) AND NOT EXISTS ({second})"
            with self.subTest(sql):
                worst = "primary" if "primary" in (one, other) else "replica"
                self.assertEqual(self.judged(sql)["target"], worst)

    def test_reasons_say_what_to_change(self):
        self.assertEqual(self.judged("SELECT adds_dynamic_v()")["reason"],
                         "calls public.adds_dynamic_v(), volatile; declare it STABLE or list it under "
                         "routing.functions.read")
        self.assertEqual(self.judged("SELECT adds_executed_v()")["reason"],
                         "calls public.adds_executed_v(): UPDATE is not a read")
        self.assertEqual(self.judged("SELECT adds_sql_v()")["reason"],
                         "calls public.adds_sql_v(): INSERT is not a read")
        self.assertEqual(self.judged("SELECT * FROM on_scratch")["reason"],
                         "view public.on_scratch: relation public.scratch is unlogged, which a standby does not have")

    def test_a_session_s_search_path_decides_what_a_name_is(self):
        self.assertEqual(self.judged("SELECT * FROM items", "p")["target"], "replica")
        self.judged("SET search_path = aside, public", "p")
        self.assertEqual(self.judged("SELECT * FROM items", "p")["target"], "primary")
        self.assertEqual(self.judged("SELECT * FROM items", "other")["target"], "replica")
        self.judged("RESET search_path", "p")
        self.assertEqual(self.judged("SELECT * FROM items", "p")["target"], "replica")

    def test_ddl_is_seen_by_the_next_line(self):
        connection = self.primary.connect()
        self.addCleanup(connection.close)
        sql = "SELECT * FROM fresh"
        for statement, wanted in [("CREATE TABLE fresh (id int)", "replica"), ("DROP TABLE fresh", "primary"),
                                  ("CREATE UNLOGGED TABLE fresh (id int)", "primary"),
                                  ("ALTER TABLE fresh SET LOGGED", "replica"), ("DROP TABLE fresh", "primary")]:
            with self.subTest(statement):
                self.assertEqual(self.judged(statement)["target"], "primary")
                connection.cursor().execute(statement)
                self.assertEqual(self.judged(sql)["target"], wanted)

    def test_a_temporary_child_sends_its_parent_to_the_primary(self):
        connection = self.primary.connect()
        self.addCleanup(connection.close)
        statement = "CREATE TEMPORARY TABLE nearby () INHERITS (items)"
        self.judged(statement, "t")
        connection.cursor().execute(statement)
        answer = self.judged("SELECT * FROM ONLY plain", "anybody")
        self.assertIn("is temporary", answer["reason"])
        self.assertEqual(answer["target"], "primary")
        connection.cursor().execute("DROP TABLE nearby")
        self.judged("DROP TABLE nearby", "t")
        self.assertEqual(self.judged("SELECT * FROM plain", "anybody")["target"], "replica")

    def test_a_temporary_table_and_a_search_path_of_the_sessions_own(self):
        connection = self.primary.connect()
        self.addCleanup(connection.close)

        def run(statement):
            target = self.judged(statement, "p")["target"]
            connection.cursor().execute(statement)
            return target

        run("CREATE TEMPORARY TABLE nearby (a int)")
        run("CREATE SCHEMA elsewhere")
        run("SET search_path TO elsewhere, public")
        asks = ("SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname OPERATOR(pg_catalog.~) '^(items)$'"
                " AND pg_catalog.pg_table_is_visible(c.oid)")
        self.assertEqual(run(asks), "replica")
        run("CREATE TABLE elsewhere.nearby (a int)")
        run("CREATE VIEW elsewhere.shows AS SELECT a FROM elsewhere.nearby")
        self.assertEqual(run(asks), "primary")
        run("RESET search_path")
        self.assertEqual(run(asks), "replica")
        run("DROP SCHEMA elsewhere CASCADE")
        run("DROP TABLE pg_temp.nearby")


class Running(unittest.TestCase):
    """The same facts in the running proxy: where statements ran, by the servers' logs."""

    @classmethod
    def setUpClass(cls):
        cls.servers = Cluster(replicas=1)
        cls.addClassCleanup(cls.servers.stop)
        cls.servers.run("CREATE TABLE items (id int)", "INSERT INTO items VALUES (1)",
                        "CREATE FUNCTION looks() RETURNS int LANGUAGE plpgsql AS "
                        "$$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM items; RETURN n; END $$",
                        "CREATE FUNCTION adds() RETURNS int LANGUAGE sql AS "
                        "$$ INSERT INTO items VALUES (2) RETURNING 0 $$")
        cls.proxy = Proxy(cls.servers.primary.url(), cls.servers.replica_url())
        cls.addClassCleanup(cls.proxy.stop)
        with cls.proxy.connect() as client:
            wait_until(lambda: cls.where(client, "SELECT looks()") == "replica1", 30, "the catalog is read")

    serial = itertools.count()

    @classmethod
    def where(cls, client, sql):
        """Runs a statement and says which server ran it."""
        marker = f"marked {next(cls.serial)} here"
        client.execute(f"{sql} /* {marker} */")
        ran = cls.servers.ran(marker)
        return next(iter(ran)) if len(ran) == 1 else ran

    def test_proven_reads_go_to_the_replica_and_writes_do_not(self):
        with self.proxy.connect() as client:
            # What closed connections have written must be known to be on the replica.
            wait_until(lambda: self.where(client, "SELECT looks()") == "replica1", message="the read leaves the primary")
            self.assertEqual(self.where(client, "SELECT adds()"), "primary")

    def test_a_session_never_routes_by_what_its_own_ddl_has_made_old(self):
        body = "CREATE OR REPLACE FUNCTION turns() RETURNS int LANGUAGE sql AS $$ {} $$"
        with self.proxy.connect() as client:
            for turn in range(5):
                client.execute(body.format("SELECT 1"))
                wait_until(lambda: self.where(client, "SELECT turns()") == "replica1", 30, "the new body is known")
                client.execute(body.format("INSERT INTO items VALUES (3) RETURNING 0"))
                self.assertEqual(self.where(client, "SELECT turns()"), "primary", turn)

    def test_prepared_statements_are_judged_by_the_new_facts(self):
        body = "CREATE OR REPLACE VIEW shown AS SELECT id{} FROM items"
        self.servers.run("CREATE SEQUENCE calls", body.format(""))
        marker = "prepared and marked"
        with self.proxy.connect() as client:
            def count(where):
                client.execute(f"SELECT * FROM shown /* {marker} */", prepare=True).fetchall()
                return self.servers.ran(marker).get(where, 0)
            wait_until(lambda: count("replica1") > 0, 30, "the view is known")
            client.execute(body.format(", nextval('calls')"))
            before = count("replica1")
            for _ in range(5):
                self.assertEqual(count("replica1"), before)

    def test_search_path_of_the_session_counts(self):
        self.servers.run("CREATE SCHEMA other", "CREATE UNLOGGED TABLE other.items (id int)",
                         "CREATE TABLE public.seen_first (id int)")
        with self.proxy.connect() as client:
            client.execute("CREATE TABLE noticed (id int)")  # the proxy reads the catalog again
            wait_until(lambda: self.where(client, "SELECT * FROM noticed") == "replica1", 30, "the catalog is read")
            client.execute("SET search_path = other, public")
            self.assertEqual(self.where(client, "SELECT * FROM items"), "primary")
            client.execute("RESET search_path")
            wait_until(lambda: self.where(client, "SELECT * FROM items") == "replica1", 30, "the path counts")


if __name__ == "__main__":
    unittest.main()
