"""Makes statements of every kind from a seed: reads of all shapes, and what only looks like a read.

The text alone matters: what comes of it is for the server to say. The generator keeps in mind just enough of each
session (a block, temporary tables, cursors, prepared statements) that most statements mean something.
"""

_TABLES = {
    "item": ("id", "grp", "length(name)", "price::int"), "cheap": ("id", "length(name)", "price::int"),
    "part": ("id", "item", "qty"), "base": ("a", "length(b)"), "child": ("a", "c"), "grouped": ("third", "many::int"),
    "stored": ("grp", "many::int"), "called": ("id", "m"), "alt.item": ("id", "grp"), "public.item": ("id", "grp"),
    "rows_of(2)": ("id", "grp"), "generate_series(1, 5) AS g (id)": ("id",), "scratch": ("a",), "unlogged": ("a",),
    "secret": ("id",), "watched": ("id",), "rechecked": ("id",), "counted": ("id",), "over_counted": ("many::int",), "journal": ("id",),
}
_RARE = ("scratch", "unlogged", "watched", "counted", "over_counted", "journal", "rechecked")
_SETTINGS = {
    "DateStyle": ("'ISO, DMY'", "'SQL, MDY'", "'German'"), "TimeZone": ("'UTC'", "'Asia/Tokyo'", "'America/New_York'"),
    "search_path": ("public", "alt, public", "'$user', public", "public, alt"), "bytea_output": ("'hex'", "'escape'"),
    "extra_float_digits": ("0", "3", "-5"), "IntervalStyle": ("'postgres'", "'iso_8601'"), "work_mem": ("'2MB'", "'8MB'"),
    "standard_conforming_strings": ("on", "off"), "row_security": ("on", "off"), "app.tenant": ("'a'", "'b'"),
    "default_transaction_isolation": ("'read committed'", "'repeatable read'"), "xmloption": ("content", "document"),
}


class Generator:
    """The statements of one session, one `next_statement()` after another; several share `rng`."""

    def __init__(self, rng, number):
        self.rng, self.number = rng, number
        self.block = None  # or "open"
        self.left = self.calm = 0  # statements until the block, or the pause between writes, ends
        self.prepared, self.cursors, self.temporary, self.named = [], [], [], 0

    # Expressions

    def number_expression(self, depth=0):
        r = self.rng.random()
        n = self.rng.randrange(1, 9)
        if depth > 2 or r < 0.25:
            return self.rng.choice((str(n), f"imm({n})", "NULL::int", f"'{n}'::int", f"(SELECT {n})"))
        inner = lambda: self.number_expression(depth + 1)  # noqa: E731
        harmless = (
            lambda: f"({inner()} + {inner()})", lambda: f"({inner()} |+| {inner()})", lambda: f"coalesce({inner()}, 0)",
            lambda: f"sta({n})", lambda: f"vol_read({n})", lambda: f"vol_read_pl({n})", lambda: f"length({self.text_expression(depth + 1)})",
            lambda: f"CASE WHEN {self.condition(depth + 1)} THEN {inner()} ELSE {inner()} END", lambda: f"over({n})",
            lambda: f"(SELECT count(*)::int FROM ({self.query(depth + 1)}) q)", lambda: f"flip({n})", lambda: f"{n}::small",
            lambda: f"(SELECT quiet_sum(g) FROM generate_series(1, {n}) g)", lambda: f"raises({n // 2})",
            lambda: f"(ARRAY[{inner()}, {inner()}])[1]", lambda: f"('{{\"a\": {n}}}'::jsonb ->> 'a')::int", lambda: f"public.sta({n})",
            lambda: f"({n}).flip", lambda: f"(SELECT (x.id).imm FROM item x WHERE x.id = {n})",
            lambda: f"extract(day FROM date '2026-01-01' + {n})::int", lambda: f"estimate('SELECT * FROM item WHERE id = {n}')")
        harmful = (
            lambda: f"vol_write('w{n}')", lambda: f"vol_write_pl('p{n}')", lambda: "vol_next()", lambda: "nextval('counter')::int",
            lambda: f"with_default({n})::int", lambda: f"over('{n}')", lambda: f"stable_lie('s{n}')",
            lambda: f"stable_over_write('o{n}')", lambda: f"({n}::pair).a", lambda: f"{n}::checked", lambda: f"setval('counter', {n * 10})::int",
            lambda: f"(SELECT noisy_sum(g) FROM generate_series(1, {n}) g)", lambda: f"vol_dynamic('SELECT {n}')::int",
            lambda: f"vol_dynamic('SELECT vol_write(''d{n}'')')::int", lambda: "(SELECT max(n) FROM rows_written(2))",
            lambda: f"('f{n}'::text).vol_write", lambda: f"stable_dynamic('nextval(''counter'')')::int",
            lambda: f"estimate('INSERT INTO journal (what) VALUES (''e{n}'')')")
        return self.rng.choice(harmful if r > (0.995 if self.calm > 0 else 0.93) else harmless)()

    def text_expression(self, depth=0):
        n = self.rng.randrange(1, 9)
        choices = [f"'text {n}'", f"lower('T{n}')", f"pg_catalog.lower('T{n}')", f"(SELECT name FROM item WHERE id = {n})",
                   f"('a' || {n})", f"to_char(date '2026-02-03' + {n}, 'YYYY Mon DD')", f"(date '2026-02-03' + {n})::text",
                   f"md5('{n}')", "current_user::text", "current_schema()::text", f"format('%s-%I', {n}, 'x y')",
                   "current_setting('DateStyle')", "current_setting('search_path')", f"'{n} days 3 hours'::interval::text",
                   "coalesce(nullif(current_setting('app.tenant', true), ''), 'none')", f"'\\x{n:02d}'::bytea::text", f"E'tab\\t{n}'",
                   "'item'::regclass::text", f"'sta(int)'::regprocedure::text", f"repeat('é', {n})", f"({n} / 3.0)::float8::text",
                   "timestamptz '2026-03-04 05:06:07+00'::text", "pg_get_viewdef('cheap')", "pg_is_in_recovery()::text",
                   "current_setting('transaction_read_only')", f"default_server({n})", f"default_server({n}, true)", "immutable_lie()",
                   "stable_dynamic('pg_is_in_recovery()')", f"stable_dynamic('{n} + 1')", f"query_to_xml('SELECT {n} AS n', true, false, '')::text", "obj_description('item'::regclass, 'pg_class')"]
        if depth < 2:
            choices += [f"upper({self.text_expression(depth + 1)})", f"concat({self.number_expression(depth + 1)}, '!')"]
        return self.rng.choice(choices)

    def condition(self, depth=0):
        n = self.rng.randrange(1, 9)
        choices = ["true", f"{n} > 3", f"imm({n}) < 10", f"EXISTS (SELECT 1 FROM item WHERE id = {n})", f"{n} IN (SELECT grp FROM item)",
                   f"sta({n}) > 2", f"lower('X') = 'x'", f"'a{n}' ~ 'a[1-4]'", f"NOT (vol_read({n}) > 5)"]
        if self.rng.random() < 0.02:
            choices = [f"('t{n}' <!> 't{n}')", f"vol_write('c{n}') > 0", f"noisy_check({n})", f"pg_try_advisory_xact_lock({n})"]
        if depth < 2:
            choices += [f"({self.condition(depth + 1)} AND {self.condition(depth + 1)})", f"{self.number_expression(depth + 1)} > {n}"]
        return self.rng.choice(choices)

    # Queries

    def table(self):
        if self.temporary and self.rng.random() < 0.15:
            return self.rng.choice(self.temporary), ("id",)
        while True:
            name = self.rng.choice(list(_TABLES))
            if name not in _RARE or self.rng.random() < (0.02 if self.calm > 0 else 0.2):
                return name, _TABLES[name]

    def query(self, depth=0):
        r = self.rng.random()
        if r < 0.12:
            return f"SELECT {self.number_expression(depth + 1)} AS a, {self.text_expression(depth + 1)} AS b"
        if r < 0.17:
            return f"VALUES ({self.number_expression(depth + 1)}, 'v'), ({self.number_expression(depth + 1)}, 'w')"
        if r < 0.24 and depth < 2:
            operator = self.rng.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
            return f"SELECT {self.number_expression(depth + 1)} AS a {operator} SELECT {self.number_expression(depth + 1)}"
        if r < 0.32 and depth < 2:
            return f"WITH q AS ({self.query(depth + 1)}) SELECT count(*) AS many FROM q"
        if r < 0.34 and depth < 1 and self.calm <= 0:
            return ("WITH w AS (INSERT INTO journal (what) VALUES ('cte') RETURNING what) SELECT what FROM w")
        if r < 0.37 and depth < 2:
            return "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) AS s FROM n"
        name, columns = self.table()
        column = self.rng.choice(columns)
        if r < 0.55:
            call = self.rng.choice(("count(*)", f"sum({column})", f"max({column})", f"quiet_sum({column})", f"array_agg({column} ORDER BY {column})"))
            return f"SELECT {call} AS a FROM {name}" + (f" WHERE {self.condition(depth + 1)}" if r < 0.47 else "")
        if r < 0.66:
            other, others = self.table()
            second = self.rng.choice(others).replace("(", "(y.") if "(" in others[0] else others[0]
            first = columns[0].replace("(", "(x.") if "(" in columns[0] else columns[0]
            left, right = (f"(SELECT * FROM {t})" for t in (name, other))
            return f"SELECT count(*) AS many, min(x.{first}) AS a FROM {left} x JOIN {right} y ON x.{first} = y.{second.split('::')[0]}"
        expression = self.rng.choice((column, column, self.number_expression(depth + 1), self.text_expression(depth + 1)))
        order = f" ORDER BY {columns[0]} LIMIT {self.rng.randrange(1, 6)}" if self.rng.random() < 0.5 else ""
        return f"SELECT {column} AS a, {expression} AS b FROM {name} WHERE {columns[0]} < {self.rng.randrange(2, 30)}{order}"

    # Statements

    def _name(self, prefix):
        self.named += 1
        return f"{prefix}{self.number}_{self.named}"

    def write(self):
        n = self.rng.randrange(1, 40)
        return self.rng.choice((
            f"INSERT INTO journal (what) VALUES ('direct {n}')", f"UPDATE item SET price = price + 1 WHERE id = {n}",
            f"INSERT INTO part VALUES ({n * 20}, {n}, 1) RETURNING qty", f"DELETE FROM part WHERE id = {n}",
            f"INSERT INTO inserted VALUES ({n}, 'by rule')", f"CALL write_note('called {n}')", "CALL read_note()",
            f"SELECT id FROM item WHERE id = {n} FOR UPDATE", f"DO $$ BEGIN PERFORM vol_write('do {n}'); END $$",
            "DO $$ BEGIN PERFORM count(*) FROM item; END $$", f"INSERT INTO scratch VALUES ({n}, 'more')", "REFRESH MATERIALIZED VIEW stored",
            f"MERGE INTO item i USING (VALUES ({n})) v (id) ON i.id = v.id WHEN MATCHED THEN UPDATE SET grp = grp",
            f"WITH w AS (UPDATE item SET grp = grp WHERE id = {n} RETURNING id) SELECT count(*) FROM w", "TRUNCATE scratch",
            f"SELECT set_config('work_mem', '{n + 64}kB', false)", f"COMMENT ON TABLE item IS 'comment {n}'", "ANALYZE stored"))

    def definition(self):
        n = self.rng.randrange(1, 9)
        kind = self.rng.randrange(8)
        if kind == 0:
            body = self.rng.choice((f"STABLE AS 'SELECT $1 + {n}'", f"AS 'SELECT $1 + {n}'",
                                    "AS 'INSERT INTO public.journal (what) VALUES (''flipped'') RETURNING $1'", "IMMUTABLE AS 'SELECT $1'"))
            return f"CREATE OR REPLACE FUNCTION flip(int) RETURNS int LANGUAGE sql {body}"
        if kind == 1:
            body = self.rng.choice(("SELECT id, name, price FROM item WHERE price < 25", "SELECT id, name, price FROM public.item WHERE imm(id) < 30",
                                    "SELECT id, name, price FROM item WHERE vol_write('view') > 0 AND id < 3"))
            return f"CREATE OR REPLACE VIEW cheap AS {body}"
        if kind == 2:
            return f"DO $$ BEGIN ALTER TABLE item ALTER grp SET DEFAULT {n}; END $$"
        if kind == 3:
            return self.rng.choice(("ALTER FUNCTION sta(int) VOLATILE", "ALTER FUNCTION sta(int) STABLE"))
        name = self.rng.choice(("item", "base", self._name("mine")))
        if kind in (4, 5) and name not in self.temporary:
            self.temporary.append(name)
            return f"CREATE TEMP TABLE {name} AS SELECT {n} AS id, 1 AS grp, 'mine'::text AS name, 2.5::numeric AS price, 3 AS a, 'b'::text AS b"
        if self.temporary:
            gone = self.temporary.pop()
            return f"DROP TABLE pg_temp.{gone}"
        return f"CREATE TABLE IF NOT EXISTS extra{n} (id int); DROP TABLE extra{n}"

    def setting(self):
        name = self.rng.choice(list(_SETTINGS))
        value = self.rng.choice(_SETTINGS[name])
        plain = value.strip("'").replace("$user', public", '"$user", public')
        return self.rng.choice((f"SET {name} TO {value}", f"SET LOCAL {name} TO {value}", f"RESET {name}", f"SHOW {name}", f"SHOW {name}",
                                f"SELECT set_config('{name}', '{plain}', {self.rng.choice(('true', 'false'))})",
                                "SET ROLE gen_reader", "RESET ROLE", "RESET ROLE", "SHOW transaction_read_only", "SHOW is_superuser"))

    def state(self):
        """What a session keeps on its server."""
        r = self.rng.randrange(10)
        if r < 2 and len(self.prepared) < 4:
            self.prepared.append(self._name("q"))
            return f"PREPARE {self.prepared[-1]} (int) AS {self.query().replace('sta(1)', 'sta($1)')}"
        if r < 5 and self.prepared:
            return f"EXECUTE {self.rng.choice(self.prepared)} ({self.rng.randrange(1, 7)})"
        if r == 5 and self.prepared:
            return f"DEALLOCATE {self.prepared.pop()}"
        if r == 6:
            self.cursors.append(self._name("c"))
            hold = "WITH HOLD " if self.block is None or self.rng.random() < 0.3 else ""
            return f"DECLARE {self.cursors[-1]} CURSOR {hold}FOR {self.query()}"
        if r == 7 and self.cursors:
            return f"FETCH {self.rng.randrange(1, 4)} FROM {self.cursors[-1]}"
        if r == 8 and self.cursors:
            return f"CLOSE {self.cursors.pop()}"
        lock = 100 + self.number
        return self.rng.choice((f"SELECT pg_advisory_lock({lock})", f"SELECT pg_advisory_unlock({lock})", "SELECT pg_advisory_unlock_all()",
                                f"LISTEN news{self.number}", "UNLISTEN *", f"NOTIFY elsewhere, 'n'", "SELECT name, statement FROM pg_cursors",
                                "SELECT count(*) FROM pg_listening_channels()", "SELECT name FROM pg_prepared_statements WHERE from_sql"))

    def block_statement(self):
        if self.block is None:
            self.block, self.left = "open", self.rng.randrange(1, 7)
            return "BEGIN" + self.rng.choice(("", "", "", " READ ONLY", " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE",
                                              " READ ONLY", " READ WRITE"))
        if self.left <= 0:
            self.block = None
            return self.rng.choice(("COMMIT", "COMMIT", "ROLLBACK", "END"))
        return self.rng.choice(("SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "SET TRANSACTION READ ONLY", "SET CONSTRAINTS ALL DEFERRED"))

    def next_statement(self):
        """The text, and how it is sent: 'simple', 'parameters' or 'prepared'."""
        if self.block is not None:
            self.left -= 1
            if self.left <= 0:
                return self.block_statement(), "simple"
        # Writes come in bursts: between them a replica has the time to catch up.
        self.calm = self.calm - 1 if self.calm > 0 else self.rng.randrange(-1, 2) * 20
        r = self.rng.random() * (0.72 if self.calm > 0 else 1)
        how = self.rng.choice(("simple", "simple", "parameters", "prepared"))
        if r < 0.60:
            return self.query(), how
        if r < 0.66:
            prefix = self.rng.choice(("EXPLAIN (COSTS OFF) ", "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ", "TABLE "))
            return (f"TABLE {self.rng.choice(('cheap', 'stored', 'base'))}" if prefix == "TABLE " else prefix + self.query()), how
        if r < 0.69:
            return f"COPY ({self.query()}) TO STDOUT", "simple"
        if r < 0.74:
            return "; ".join(self.rng.choice((self.query, self.query, self.write))() for _ in range(self.rng.randrange(2, 4))), "simple"
        if r < 0.81:
            return self.write(), how
        if r < 0.87:
            return self.setting(), self.rng.choice(("simple", "parameters"))
        if r < 0.91:
            return self.state(), "simple"
        if r < 0.925:
            return self.definition(), "simple"
        return self.block_statement(), "simple"
