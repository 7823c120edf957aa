"""What the clients of sessions.py say in SQL: everything that changes a session, and questions that show what it is in.

`<schema>` and `<client>` stand for the client's own, `<number>`, `<cursor>`, `<name>` and `<lock>` for one of few: names are
used again, objects are missed, and statements fail as often as they do. Left out is what docs/differences.md tells of that
cannot be masked where answers are compared: currval() and lastval(), of which the first may be refused, and literals of
prepared statements that settings read. A setting with a dot in its name may be '' rather than NULL.
"""

import re

_SCHEMA = """
CREATE SCHEMA <schema>; GRANT ALL ON SCHEMA <schema> TO PUBLIC;
CREATE TABLE <schema>.t (id int PRIMARY KEY, v text, n numeric DEFAULT 1.5, at timestamptz DEFAULT '2020-01-02 03:04:05+00',
    iv interval DEFAULT '1 day 2 hours', b bytea DEFAULT '\\x0102', f float8 DEFAULT 0.1);
CREATE TABLE <schema>.d (id int PRIMARY KEY, r int REFERENCES <schema>.t (id) DEFERRABLE INITIALLY IMMEDIATE, UNIQUE (r) DEFERRABLE);
CREATE TABLE <schema>.same (who text);
CREATE SEQUENCE <schema>.q; CREATE SEQUENCE <schema>.q2 START 100;
CREATE TABLE <schema>.ser (id serial, v text);
CREATE FUNCTION <schema>.setit(n text, v text, l bool) RETURNS text LANGUAGE sql AS 'SELECT set_config(n, v, l)';
CREATE FUNCTION <schema>.boom(i int) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN IF i = 3 THEN RAISE EXCEPTION 'boom %', i USING ERRCODE = 'P0777', DETAIL = 'd', HINT = 'h'; END IF; RAISE NOTICE 'ok %', i; RETURN i; END $$;
CREATE FUNCTION <schema>.withset() RETURNS text LANGUAGE sql SET work_mem = '3MB' SET "DateStyle" = 'German' AS $$ SELECT current_setting('work_mem') || date '2020-01-02' $$;
CREATE FUNCTION <schema>.caught() RETURNS text LANGUAGE plpgsql AS $$
    BEGIN PERFORM set_config('work_mem', '5MB', false); RAISE EXCEPTION 'x'; EXCEPTION WHEN others THEN RETURN current_setting('work_mem'); END $$;
CREATE PROCEDURE <schema>.committer(i int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO <schema>.t VALUES (i, 'c'); COMMIT; SET work_mem = '6MB'; COMMIT; END $$;
GRANT ALL ON ALL TABLES IN SCHEMA <schema> TO analyst;
"""
_RESET = """
TRUNCATE <schema>.t, <schema>.d, <schema>.same; TRUNCATE <schema>.ser RESTART IDENTITY;
INSERT INTO <schema>.t SELECT g, 'v' || g FROM generate_series(1, 6) g; INSERT INTO <schema>.same VALUES ('<schema>');
DROP TABLE IF EXISTS <schema>.ddl, <schema>.nt; CREATE TABLE <schema>.ddl (a int, b text); INSERT INTO <schema>.ddl VALUES (1, 'x'), (2, 'y');
GRANT ALL ON <schema>.ddl TO analyst; ALTER SEQUENCE <schema>.q RESTART; ALTER SEQUENCE <schema>.q2 RESTART; DROP SCHEMA IF EXISTS zz<client>;
"""


def _for_both(text):
    return "".join(text.replace("<schema>", f"a{number}").replace("<client>", str(number)) for number in range(2))


# Once, and before each time a script is played, as the application's user.
SETUP = "CREATE SCHEMA sh; GRANT ALL ON SCHEMA sh TO PUBLIC;" + _for_both(_SCHEMA)
RESET = "SELECT lo_unlink(oid) FROM pg_largeobject_metadata;" + _for_both(_RESET)

SETTINGS = {
    "DateStyle": ["'German'", "'SQL, DMY'", "'ISO, MDY'", "'Postgres'", "'nonsense'"], "TimeZone": ["'Asia/Tokyo'", "'UTC'", "-7", "'America/New_York'", "'Nowhere'"],
    "IntervalStyle": ["iso_8601", "postgres_verbose", "sql_standard"], "work_mem": ["'1MB'", "'2MB'", "'64kB'", "'1kB'", "'12345kB'"],
    "search_path": ["a0", "a1", "sh, a0", "pg_temp, a1", "''", '"$user", public'], "client_encoding": ["'LATIN1'", "'UTF8'", "'SQL_ASCII'", "'WIN1252'", "'BAD'"],
    "extra_float_digits": ["-3", "0", "3", "1"], "bytea_output": ["escape", "hex"], "statement_timeout": ["0", "'20s'", "30000"], "lock_timeout": ["'2s'", "400"],
    "default_transaction_isolation": ["'serializable'", "'repeatable read'", "'read committed'"], "default_transaction_read_only": ["on", "off"],
    "default_transaction_deferrable": ["on", "off"], "application_name": ["'one'", "'two'", "'café'", "''"], "standard_conforming_strings": ["on", "off"],
    "escape_string_warning": ["off", "on"],
    # The more usual ones end here.
    "client_min_messages": ["warning", "notice", "error"], "plan_cache_mode": ["force_generic_plan", "auto", "force_custom_plan"], "row_security": ["on", "off"],
    "array_nulls": ["off", "on"], "xmloption": ["document", "content"], "lc_monetary": ["'C'"], "lc_messages": ["'C'"], "enable_seqscan": ["off", "on"],
    "my.tenant": ["'t1'", "'t2'", "''"], "role": ["analyst", "none", "nobody_at_all"], "idle_in_transaction_session_timeout": ["'60s'", "0"], "check_function_bodies": ["off", "on"],
    "transform_null_equals": ["on", "off"], "geqo_threshold": ["5", "12"], "default_statistics_target": ["10", "100"],
    "quote_all_identifiers": ["on", "off"], "xmlbinary": ["hex", "base64"], "gin_fuzzy_search_limit": ["5"], "default_text_search_config": ["'simple'", "'english'"],
    "synchronous_commit": ["off", "on"], "commit_delay": ["1"], "session_replication_role": ["replica", "origin"], "transaction_isolation": ["'serializable'", "'repeatable read'"],
    "transaction_read_only": ["on", "off"], "is_superuser": ["on"], "server_version": ["'1'"], "seed": ["0.5"], "max_connections": ["3"],
}
NAMES = list(SETTINGS)
_USUAL = NAMES[:16]
# Left out: temp_buffers, which a server refuses to a session that has had temporary tables; past pgsteer it may have another connection by then.
_SET = ["SET {name} = {value}"] * 30 + ["SET LOCAL {name} = {value}"] * 12 + ["RESET {name}"] * 10 + ["SET {name} TO DEFAULT"] * 5 + ["SET LOCAL {name} TO DEFAULT"] * 3 + [
    "SELECT set_config('{name}', '{plain}', true)", "SELECT set_config('{name}', '{plain}', false)"] * 6 + [
    "SELECT <schema>.setit('{name}', '{plain}', true)", "SELECT <schema>.setit('{name}', '{plain}', false)"] * 2 + ["RESET ALL"] * 4
_OTHER_SET = [
    "SET ROLE analyst", "RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION other", "RESET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE analyst",
    "SET LOCAL SESSION AUTHORIZATION other", "SET TIME ZONE LOCAL", "SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE", "SET NAMES 'LATIN1'", "SET NAMES 'UTF8'", "SET SCHEMA 'a1'",
    "SET XML OPTION DOCUMENT", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED", "SELECT <schema>.withset()", "SELECT <schema>.caught()", "SHOW all_nonsense",
    "SET TIME ZONE 'Europe/Berlin'", "SET LOCAL TIME ZONE 3", "SET search_path FROM CURRENT", "SET work_mem FROM CURRENT",
    "SELECT set_config(n, v, false) FROM (VALUES ('work_mem', '7MB'), ('DateStyle', 'SQL')) x (n, v)", "UPDATE pg_settings SET setting = '9MB' WHERE name = 'work_mem'",
    "DO $$ BEGIN PERFORM set_config('work_mem', '8MB', false); END $$", "DO $$ BEGIN SET LOCAL work_mem = '10MB'; END $$",
    "DO $$ BEGIN EXECUTE 'SET Time' || 'Zone = ''Asia/Tokyo'''; END $$",
]

_BLOCK = [
    *["BEGIN"] * 2, "BEGIN READ ONLY", "BEGIN ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY, DEFERRABLE",
    "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE", *["COMMIT"] * 3, *["ROLLBACK"] * 2, "END", "ABORT", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "COMMIT AND NO CHAIN",
    *["SAVEPOINT s"] * 2, "SAVEPOINT s2", *["ROLLBACK TO s"] * 2, "ROLLBACK TO s2", "RELEASE s", "RELEASE s2", "SET TRANSACTION READ ONLY",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS ALL IMMEDIATE", "PREPARE TRANSACTION 'g<client>'",
    "COMMIT PREPARED 'g<client>'", "ROLLBACK PREPARED 'g<client>'", "CALL <schema>.committer(2<number>)", "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
    "LOCK TABLE <schema>.t IN SHARE MODE",
]
_CURSOR = [
    "DECLARE <cursor> CURSOR FOR SELECT id, v FROM <schema>.t ORDER BY id", "DECLARE <cursor> CURSOR WITH HOLD FOR SELECT id FROM <schema>.t ORDER BY id",
    "DECLARE <cursor> BINARY CURSOR FOR SELECT id FROM <schema>.t ORDER BY id", "DECLARE <cursor> SCROLL CURSOR WITH HOLD FOR SELECT <schema>.boom(id) FROM <schema>.t ORDER BY id",
    "DECLARE <cursor> NO SCROLL CURSOR FOR SELECT generate_series(1, 10)", "DECLARE <cursor> CURSOR FOR SELECT id FROM <schema>.t ORDER BY id FOR UPDATE",
    "FETCH 2 FROM <cursor>", "FETCH ALL FROM <cursor>", "FETCH NEXT FROM <cursor>", "FETCH BACKWARD 1 FROM <cursor>", "FETCH ABSOLUTE 3 FROM <cursor>", "MOVE 1 IN <cursor>",
    *["CLOSE <cursor>"] * 2, "CLOSE ALL", "UPDATE <schema>.t SET v = 'cur' WHERE CURRENT OF <cursor>",
]
_PREPARE = [
    "PREPARE <name> AS SELECT id, v FROM <schema>.t ORDER BY id LIMIT 2", "PREPARE <name> (int) AS SELECT $1 + 1", "PREPARE <name> AS SELECT * FROM <schema>.ddl ORDER BY 1",
    "PREPARE <name> (int, text) AS INSERT INTO <schema>.t (id, v) VALUES ($1, $2) RETURNING id", "PREPARE <name> AS SELECT who FROM same",
    *["EXECUTE <name>", "EXECUTE <name> (2)"] * 2, "EXECUTE <name> (9, 'x')", "DEALLOCATE <name>", "DEALLOCATE PREPARE <name>", "DEALLOCATE ALL",
    "EXPLAIN (COSTS OFF) EXECUTE <name>", "CREATE TEMP TABLE tt AS EXECUTE <name>", "DECLARE c CURSOR FOR EXECUTE <name>",
]
_TEMPORARY = [
    "CREATE TEMP TABLE tt (a int, b text)", "CREATE TEMP TABLE tt (a int) ON COMMIT DROP", "CREATE TEMP TABLE tt (a int) ON COMMIT DELETE ROWS", "CREATE TEMP TABLE same (who text)",
    "INSERT INTO tt VALUES (1)", "INSERT INTO tt VALUES (2)", "SELECT * FROM tt", "SELECT count(*) FROM tt", "DROP TABLE tt", "DROP TABLE IF EXISTS tt",
    "INSERT INTO pg_temp.same VALUES ('temp')", "CREATE TEMP VIEW tv AS SELECT 5 AS five", "SELECT * FROM tv", "DROP VIEW tv", "CREATE TEMP SEQUENCE tsq", "SELECT nextval('tsq')",
    "DISCARD TEMP", "CREATE TEMP TABLE tt2 (LIKE <schema>.t)", "SELECT * INTO TEMP tt FROM <schema>.same", "CREATE FUNCTION pg_temp.tf() RETURNS int LANGUAGE sql AS 'SELECT 8'",
    "SELECT pg_temp.tf()", "DROP FUNCTION pg_temp.tf()", "TRUNCATE tt", "ANALYZE tt", "CREATE INDEX ON tt (a)", "ALTER TABLE tt ADD c int", "CREATE TYPE pg_temp.ty AS (x int)",
    "DROP TYPE pg_temp.ty", "SELECT ROW(1)::pg_temp.ty",
]
_LOCK = [f"SELECT {call}(<lock>){rows}" for rows in ("", "", "", " FROM generate_series(1, 2)") for call in (
    *["pg_try_advisory_lock", "pg_advisory_unlock"] * 2, "pg_try_advisory_lock_shared", "pg_advisory_unlock_shared", "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
)] + ["SELECT pg_advisory_unlock_all()"] * 8
_OTHER = [
    "LISTEN ch", "UNLISTEN ch", "UNLISTEN *", "NOTIFY ch, 'p'", "SELECT pg_notify('ch', '<number>')", "LISTEN own<client>", "NOTIFY own<client>", "DISCARD ALL", "DISCARD PLANS",
    "DISCARD SEQUENCES", "DISCARD TEMP", "SELECT nextval('<schema>.q')", "SELECT setval('<schema>.q', 50)", "SELECT setval('<schema>.q2', 7, false)",
    "INSERT INTO <schema>.ser (v) VALUES ('x') RETURNING id", "SELECT nextval('<schema>.q2')",
    "ALTER TABLE <schema>.ddl ADD c<digit> int", "ALTER TABLE <schema>.ddl DROP COLUMN IF EXISTS c3", "ALTER TABLE <schema>.ddl DROP COLUMN IF EXISTS c4",
    "ALTER TABLE <schema>.ddl ALTER a TYPE bigint", "ALTER TABLE <schema>.ddl ALTER a TYPE int", "CREATE TABLE <schema>.nt (a int)", "DROP TABLE <schema>.nt",
    "INSERT INTO <schema>.d VALUES (<number>, <number>)", "DELETE FROM <schema>.d", "COPY <schema>.t (id, v) TO STDOUT", "COPY (SELECT <schema>.boom(id) FROM <schema>.t ORDER BY id) TO STDOUT",
    "SELECT lo_create(77<client>)", "SELECT lo_unlink(77<client>)", "SELECT lo_open(77<client>, 131072|262144)", "SELECT lowrite(0, 'abc')", "SELECT lo_lseek(0, 0, 0)",
    "SELECT loread(0, 10)", "SELECT lo_close(0)", "SELECT lo_from_bytea(77<client>, 'xyz')", "SELECT lo_get(77<client>)", "SELECT <schema>.boom(<number>)",
    "SELECT <schema>.boom(id) FROM <schema>.t ORDER BY id", "SELECT 1/0", "SELEKT", "SELECT nocolumn", "", ";", "-- just a comment", "VALUES (1), (2), (3)",
    "EXPLAIN (COSTS OFF) SELECT * FROM <schema>.same", "VACUUM <schema>.t", "SELECT pg_export_snapshot() IS NOT NULL", "SELECT random() < 2", "SELECT setseed(0.3)", "LOAD 'plpgsql'",
    "SELECT pg_cancel_backend(pg_backend_pid())", "SELECT txid_current() > 0", "CREATE SCHEMA zz<client>", "DROP SCHEMA zz<client>", "TRUNCATE <schema>.ser RESTART IDENTITY",
    "REINDEX TABLE <schema>.ser", "SET statement_timeout = '50ms'; SELECT pg_sleep(5)", "SECURITY LABEL ON TABLE <schema>.t IS 'x'",
]
_WRITES = [
    "INSERT INTO <schema>.t (id, v) VALUES (<number>, 'n')", "INSERT INTO <schema>.t (id, v) VALUES (1<digit>, 'n') ON CONFLICT DO NOTHING RETURNING id",
    "UPDATE <schema>.t SET v = v || 'u' WHERE id = <number>", "DELETE FROM <schema>.t WHERE id > 1<digit>", "SELECT id FROM <schema>.t ORDER BY id FOR UPDATE",
    "WITH x AS (UPDATE <schema>.t SET v = 'w' WHERE id = <number> RETURNING id) SELECT * FROM x", "INSERT INTO same VALUES ('ins')",
]
_READS = [
    "SELECT id, v FROM <schema>.t ORDER BY id", "SELECT count(*) FROM <schema>.t", "SELECT who FROM same", "SELECT 1", "SELECT at, iv, f, b FROM <schema>.t ORDER BY id LIMIT 2",
    "SELECT id, n, at FROM <schema>.t WHERE id = <number>", "SELECT 10 / (id - <number>) FROM <schema>.t ORDER BY id", "SELECT max(id), min(at), sum(iv) FROM <schema>.t",
    "SELECT r FROM <schema>.d ORDER BY 1", "TABLE <schema>.same", "SELECT count(*) FROM a0.t, a1.t",
]
_QUESTIONS = [
    "SELECT name, setting FROM pg_settings WHERE name IN ('DateStyle', 'TimeZone', 'IntervalStyle', 'work_mem', 'search_path', 'client_encoding', 'extra_float_digits', 'bytea_output',"
    " 'statement_timeout', 'lock_timeout', 'default_transaction_isolation', 'default_transaction_read_only', 'application_name', 'standard_conforming_strings', 'client_min_messages',"
    " 'plan_cache_mode', 'row_security', 'array_nulls', 'session_replication_role') ORDER BY 1",
    "SELECT current_user, session_user, current_schema(), current_schemas(true)::text, current_role", "SELECT name, statement, is_holdable, is_binary, is_scrollable FROM pg_cursors ORDER BY 1, 2",
    "SELECT name, statement, parameter_types::text, from_sql FROM pg_prepared_statements ORDER BY 1",
    "SELECT locktype, classid, objid, objsubid, mode, granted FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' ORDER BY 3, 4, 5",
    "SELECT * FROM pg_listening_channels() ORDER BY 1", "SELECT gid, owner FROM pg_prepared_xacts ORDER BY 1",
    "SELECT relname, relpersistence FROM pg_class WHERE relnamespace = pg_my_temp_schema() ORDER BY 1", "SELECT who FROM same",
    "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable')", "SELECT at, iv, b, f, n FROM <schema>.t WHERE id = 1",
    "SELECT now() = statement_timestamp()", "SHOW work_mem", "SHOW search_path", "SHOW TimeZone", "SHOW session_authorization", "SHOW role", "SHOW transaction_isolation", "SHOW client_encoding",
    "SHOW application_name", "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()", "SELECT pg_is_in_recovery()",
    "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid()", "SELECT txid_current_if_assigned() IS NULL", "SELECT current_query()",
    "SELECT to_regclass('tt')::text, to_regclass('same')::text, 'same'::regclass::oid = '<schema>.same'::regclass::oid", "SELECT has_table_privilege('<schema>.t', 'SELECT')",
    "SELECT '\\x41'::text", "SELECT E'a\\'b', 'x\\y'", "SELECT 0.1::float8 + 0.2, '{1,NULL}'::int[]::text", "SELECT chr(233), 'é'", "SELECT 12.5::money",
    "SELECT nullif(current_setting('my.tenant', true), '')", "SELECT inet_client_addr() IS NULL", "SELECT * FROM <schema>.ddl ORDER BY 1",
    "SELECT pg_trigger_depth()", "SELECT xmlparse(document '<a/>')::text", "SELECT xmlserialize(content xmlelement(name a, '\\x01'::bytea) as text)",
    "SELECT NULL = NULL, 'abc'::tsvector @@ to_tsquery('running')", "SELECT to_tsvector('running')::text",
]
# With parameters, and what kinds of values they take.
BOUND = [
    ("SELECT id, v FROM <schema>.t WHERE id < $1::int ORDER BY id", ("number",)), ("INSERT INTO <schema>.t (id, v) VALUES ($1, $2) RETURNING id", ("number", "text")),
    ("SELECT set_config($1, $2, false)", ("setting",)), ("SELECT $1::date, $1::timestamptz", ("date",)), ("SELECT $1::text", ("number",)), ("SELECT <schema>.boom($1)", ("number",)),
    ("SELECT pg_try_advisory_lock($1)", ("number",)),
]
_NUMBERS = ["1", "2", "3", "3", "4", "5", "7", "0", "-1"]
_CHOICES = {"number": _NUMBERS, "digit": _NUMBERS[:-1], "cursor": ["c", "c2", "p1"], "name": ["s1", "s2", "q1", "q2"]}


def filled(rng, client, text):
    """The text with something of this client's in each place."""
    fixed = {"schema": f"a{client}", "client": str(client)}
    choices = {**_CHOICES, "lock": [f"{client + 1}", f"{client + 1}, 7", "99"]}
    return re.sub("<(schema|client|number|digit|cursor|name|lock)>", lambda found: fixed.get(found[1]) or rng.choice(choices[found[1]]), text)


def bound(rng, kind):
    """Values for a statement of BOUND."""
    if kind == "setting":
        name = rng.choice(NAMES)
        return [name, rng.choice(SETTINGS[name]).strip("'")]
    return [{"number": rng.choice(_NUMBERS), "text": "z", "date": "1.2.2003"}[kind]]


def _setting(rng):
    if rng.random() < .2:
        return rng.choice(_OTHER_SET)
    name = rng.choice(_USUAL if rng.random() < .4 else NAMES)
    value = rng.choice(SETTINGS[name])
    return rng.choice(_SET).format(name=name, value=value, plain=value.strip("'"))


_KINDS = [_setting, _BLOCK, _CURSOR, _PREPARE, _TEMPORARY, _LOCK, _OTHER, _WRITES, _READS, _QUESTIONS]
_OF_READERS = [1, 2, 0, 1, 0, 0, 0, 1, 12, 3]


def weights(rng):
    """How often each kind comes in one script: some not at all. One in four is of what a replica may answer."""
    if rng.random() < .25:
        return _OF_READERS
    block, others = rng.choice([1, 2, 4]), [rng.choice([0, 1, 3, 6]) for _ in _KINDS[2:-3]]
    return [rng.choice([0, 1, 3, 6]), block, *others, *[rng.choice([1, 2, 4]) for _ in _KINDS[-3:]]]


def statement(rng, client, weights_):
    """One of any kind."""
    kind = rng.choices(_KINDS, weights_)[0]
    return filled(rng, client, kind(rng) if callable(kind) else rng.choice(kind))
