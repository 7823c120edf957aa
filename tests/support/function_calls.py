"""Calls of PostgreSQL's functions with sample arguments, made from their types in pg_proc."""

import itertools
import math
import random
from typing import NamedTuple, Optional

# Objects for functions that read the catalogs. Run once on the primary.
OBJECTS = """
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE public.t (id serial PRIMARY KEY, m public.mood DEFAULT 'ok', note text CHECK (note <> ''), a int);
COMMENT ON TABLE public.t IS 'a table';
COMMENT ON COLUMN public.t.note IS 'a column';
INSERT INTO public.t (note, a) SELECT 'note ' || i, i FROM generate_series(1, 50) i;
CREATE INDEX t_lower ON public.t (lower(note)) WHERE a > 3;
CREATE VIEW public.v AS SELECT id, note FROM public.t WHERE a > 5;
CREATE STATISTICS public.st (ndistinct, mcv) ON m, a FROM public.t;
CREATE TABLE public.p (k int, d date) PARTITION BY RANGE (k);
CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (10);
CREATE TABLE public.h (k int) PARTITION BY HASH (k);
CREATE FUNCTION public.f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql STABLE AS 'SELECT a';
CREATE FUNCTION public.body(a int) RETURNS int LANGUAGE sql RETURN a + 1;
CREATE FUNCTION public.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER trig BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.tf();
CREATE RULE r AS ON DELETE TO public.v DO INSTEAD NOTHING;
CREATE PUBLICATION pub FOR TABLE public.t;
CREATE UNLOGGED TABLE public.u AS SELECT i FROM generate_series(1, 100) i;
SELECT lo_from_bytea(4242, 'large');
ANALYZE public.t;
"""


class Function(NamedTuple):
    """One row of pg_proc."""
    schema: str
    name: str
    kind: str
    aggregate_kind: Optional[str]
    is_variadic: bool  # its last argument is an array to be written with VARIADIC
    types: list


_CATALOG_OIDS = [
    "'public.t'::regclass", "'public.t_lower'::regclass", "'public.v'::regclass", "'public.t_id_seq'::regclass",
    "'public.p'::regclass", "'public.p1'::regclass", "'public.f'::regproc", "'public.body'::regproc",
    "'public.mood'::regtype", "23", "1259", "0", "10",
    "(SELECT oid FROM pg_constraint WHERE conname = 't_note_check')",
    "(SELECT oid FROM pg_trigger WHERE tgname = 'trig')", "(SELECT oid FROM pg_rewrite WHERE rulename = 'r')",
    "(SELECT oid FROM pg_statistic_ext)", "(SELECT oid FROM pg_opclass WHERE opcname = 'int4_ops' LIMIT 1)",
    "(SELECT oid FROM pg_am WHERE amname = 'btree')",
]

_LITERALS = {
    "text": ["Hello World", "public.t", "UTC", "YYYY-MM-DD", "md5", "2024-02-29", "{\"a\": [1, 2]}", "<a>1</a>", "o", "",
             "day", "english", "id", "SELECT", "sha256", "{a,b}", "/a"],
    "name": ["public", "t", "UTF8", "LATIN1", "app", "postgres", "pg_class"],
    "character": ["x", "Hello  "], "character varying": ["v", "Hello"], "\"char\"": ["r", "b"],
    "cstring": ["1", "2024-02-29", "(1,2)", "{1,2}", "[1,3)", "{\"a\":1}", "t", "pg_class", "int4", "1.5 a", "",
                "+", "+(int4,int4)", "now(),x", "postgres=r/postgres", "192.168.0.1", "((0,0),(1,1))", "10:20:30:100",
                "08:00:2b:01:02:03", "0/16B3748", "1 day", "simple", "C", "postgres", "<a/>", "ok"],
    "boolean": ["true", "false"],
    "smallint": ["0", "1", "2", "-3"], "integer": ["0", "1", "2", "3", "-1", "10"], "bigint": ["0", "1", "5", "-7"],
    "real": ["0", "1.5", "-2"], "double precision": ["0", "0.5", "2", "-1.25"], "numeric": ["0", "1.50", "-3.2", "42"],
    "money": ["1.20", "-5"], "bytea": ["\\x", "\\x0102ff", "hello"],
    "date": ["2024-02-29", "1999-12-31"], "time without time zone": ["10:20:30", "23:59:59.5"],
    "time with time zone": ["10:20:30+02", "00:00:00Z"],
    "timestamp without time zone": ["2024-02-29 12:30:00", "1970-01-01"],
    "timestamp with time zone": ["2024-02-29 12:30:00+01", "1970-01-01 00:00Z"],
    "interval": ["1 day", "-02:03:04", "1 mon"],
    "point": ["(0,0)", "(1,2)"], "box": ["(0,0),(2,2)", "(1,1),(3,4)"], "circle": ["<(0,0),1>", "<(1,1),2>"],
    "lseg": ["[(0,0),(1,1)]", "[(0,2),(2,0)]"], "line": ["{1,-1,0}", "{0,1,2}"],
    "path": ["[(0,0),(1,1),(2,0)]", "((0,0),(1,1),(2,0))"], "polygon": ["((0,0),(1,1),(2,0))", "((0,0),(4,0),(4,4))"],
    "inet": ["192.168.1.5/24", "::1", "10.0.0.1"], "cidr": ["192.168.1.0/24", "10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03", "ff:ff:ff:00:00:01"], "macaddr8": ["08:00:2b:01:02:03:04:05", "08002bfffe010203"],
    "bit": ["1", "0"], "bit varying": ["101", "0011"], "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ["{\"a\": 1, \"b\": [1, {\"c\": null}]}", "[1, 2]", "null"],
    "jsonb": ["{\"a\": 1, \"b\": [1, {\"c\": null}]}", "[1, 2]", "[\"string\", \"numeric\"]"],
    "jsonpath": ["$.a", "$.b[*]", "exists($.a)"], "xml": ["<a>1</a>", "<b x=\"2\"/>"],
    "tsvector": ["'a':1A 'fat':2,4", "cat"], "tsquery": ["a & b", "cat | fat", "!dog"],
    "oid": [], "xid": ["3", "700"], "xid8": ["3", "700"], "cid": ["0"], "tid": ["(0,1)", "(1,2)"],
    "pg_lsn": ["0/16B3748", "0/1"], "pg_snapshot": ["10:20:10,14"], "txid_snapshot": ["10:20:10,14"],
    "aclitem": ["postgres=r/postgres"], "oidvector": ["23 25"], "int2vector": ["1 2"],
    "regclass": ["public.t", "public.t_lower", "public.v", "public.t_id_seq", "public.p1", "public.u"],
    "regproc": ["public.f"], "regprocedure": ["public.f(int,text)"], "regtype": ["int4"], "regoper": ["pg_catalog.||/"],
    "regoperator": ["+(int4,int4)"], "regconfig": ["english", "simple"], "regdictionary": ["simple"],
    "regnamespace": ["public"], "regrole": ["postgres"], "regcollation": ["\"C\""], "refcursor": ["c"],
    "int4range": ["[1,5)", "empty"], "int8range": ["[1,5)"], "numrange": ["[1.5,5)"],
    "daterange": ["[2024-01-01,2024-02-01)"],
    "tsrange": ["[2024-01-01,2024-02-01)"], "tstzrange": ["[2024-01-01,2024-02-01)"], "unknown": ["x"],
    "pg_node_tree": ["x"],
    # Of the extensions.
    "hstore": ["a=>1,b=>NULL", "c=>x"], "ltree": ["a.b.c", "a.b"], "lquery": ["a.*"], "ltxtquery": ["a & b"],
    "citext": ["Hello", "hELLO", "l"], "cube": ["(1,2),(3,4)", "(0)"], "seg": ["1 .. 2", "3"], "query_int": ["1&2", "!3"],
    "earth": ["(6378168,0,0)"], "ean13": ["978-0-393-04002-9"],
    "isbn": ["0-393-04002-X"], "isbn13": ["978-0-393-04002-9"],
    "ismn": ["9790060115615"], "ismn13": ["979-0-060-11561-5"], "issn": ["1436-4522"], "issn13": ["977-1436-4522-8"],
    "upc": ["220356483481"],
}
_EXPRESSIONS = {
    "anyelement": ["5::int4"], "anynonarray": ["5::int4"], "anyarray": ["ARRAY[3,1,2]", "ARRAY[1,2]"],
    "anyenum": ["'ok'::public.mood", "'sad'::public.mood"], "anyrange": ["int4range(1, 5)", "int4range(3, 9)"],
    "anymultirange": ["int4multirange(int4range(1, 5), int4range(8, 9))", "int4multirange(int4range(3, 4))"],
    "anycompatible": ["5::int4"], "anycompatiblenonarray": ["5::int4"], "anycompatiblearray": ["ARRAY[3,1,2]"],
    "anycompatiblerange": ["int4range(1, 5)"], "anycompatiblemultirange": ["int4multirange(int4range(1, 5))"],
    "\"any\"": ["5::int4", "'x'::text"], "record": ["row(1, 'a'::text)", "row(2, 'b'::text)"], "oid": _CATALOG_OIDS,
    "text[]": ["ARRAY['a','b']", "ARRAY['public','t']"], "double precision[]": ["ARRAY[3,1,2]::float8[]"],
    "cstring[]": ["ARRAY['5']::cstring[]", "ARRAY['5','2']::cstring[]"],
}

# Catalog functions answer something worth comparing only when their arguments fit together.
TELLING_CALLS = """
has_table_privilege('app', 'public.t', 'SELECT') | has_any_column_privilege('app', 'public.t', 'SELECT')
has_column_privilege('app', 'public.t', 'note', 'SELECT') | has_database_privilege('app', current_database(), 'CONNECT')
has_function_privilege('app', 'public.f(int,text)', 'EXECUTE') | has_language_privilege('app', 'plpgsql', 'USAGE')
has_schema_privilege('app', 'public', 'CREATE') | has_sequence_privilege('app', 'public.t_id_seq', 'USAGE')
has_tablespace_privilege('app', 'pg_default', 'CREATE') | has_type_privilege('app', 'public.mood', 'USAGE')
has_parameter_privilege('app', 'work_mem', 'SET') | pg_has_role('app', 'pg_read_all_stats', 'MEMBER')
obj_description('public.t'::regclass, 'pg_class') | col_description('public.t'::regclass, 3)
pg_get_serial_sequence('public.t', 'id') | pg_get_viewdef('public.v', true) | row_security_active('public.t')
pg_get_expr((SELECT adbin FROM pg_attrdef LIMIT 1), 'public.t'::regclass) 
pg_get_object_address('table', '{public,t}', '{}')
pg_describe_object('pg_class'::regclass, 'public.t'::regclass, 0)
pg_identify_object('pg_class'::regclass, 'public.t'::regclass, 0)
pg_identify_object_as_address('pg_class'::regclass, 'public.t'::regclass, 0) | pg_get_publication_tables('pub')
pg_index_column_has_property('public.t_lower', 1, 'asc') | pg_index_has_property('public.t_lower', 'clusterable')
pg_indexam_has_property((SELECT oid FROM pg_am WHERE amname = 'btree'), 'can_unique')
pg_mcv_list_items((SELECT stxdmcv FROM pg_statistic_ext_data)) | current_schemas(true) | pg_partition_tree('public.p')
pg_column_size((SELECT note FROM public.t LIMIT 1)) | age((SELECT relfrozenxid FROM pg_class WHERE relname = 't'))
pg_options_to_table(ARRAY['fillfactor=90']) | to_regclass('public.t') | to_regprocedure('public.f(int,text)')
ts_debug('english', 'The quick brown fox') | ts_lexize('english_stem', 'stars') | to_tsvector('english', 'The fat cats')
satisfies_hash_partition('public.h'::regclass, 2, 0, 1) | pg_sleep(0) | pg_sleep_until('yesterday')
pg_sleep_for('0') | pg_relation_is_updatable('public.v', true) | lo_get(4242)
age('2024-02-29'::timestamp, '1999-12-31') | json_populate_record(null::public.t, '{"id": 5}')
jsonb_populate_recordset(null::public.t, '[{"id": 5}]') | normalize('a', NFC) | 'a' IS NFC NORMALIZED
"""


def telling_calls():
    """SQL expressions for the catalog functions, with arguments that fit together."""
    return [call.strip() for line in TELLING_CALLS.splitlines() for call in line.split(" | ") if call.strip()]


def samples(type_name):
    """SQL expressions of this type; empty where none can be written."""
    if type_name in _EXPRESSIONS:
        return _EXPRESSIONS[type_name]
    if type_name in _LITERALS:
        return [_quote(literal) + "::" + type_name for literal in _LITERALS[type_name]]
    if type_name.endswith("[]"):
        return [f"ARRAY[{', '.join(inner)}]" for inner in [samples(type_name[:-2])[:2]] if inner]
    return []


def _quote(literal):
    return ("E" if "\\" in literal else "") + "'" + literal.replace("\\", "\\\\").replace("'", "''") + "'"


def calls(function, limit=24):
    """At most `limit` queries that call `function`, a Function; none where an argument cannot be written."""
    choices = [samples(type_name) for type_name in function.types]
    if not all(choices):
        return []
    return [f"SELECT {_call(function, arguments)} LIMIT 20"
            for arguments in _combinations(function.name, choices, limit)]


def _combinations(name, choices, limit):
    total = math.prod(len(choice) for choice in choices)
    if total <= limit:
        return list(itertools.product(*choices))
    chosen = random.Random(name)  # the same on every run
    return [tuple(chosen.choice(choice) for choice in choices) for _ in range(limit)]


def _call(function, arguments):
    name = f'"{function.schema}"."{function.name}"'
    if function.is_variadic and arguments:
        arguments = (*arguments[:-1], "VARIADIC " + arguments[-1])
    listed = ", ".join(arguments)
    if function.aggregate_kind in ("o", "h"):
        return _ordered_set(name, arguments)
    if function.kind == "w":
        return f"{name}({listed}) OVER ()"
    if function.kind == "a" and not arguments:
        return f"{name}(*)"
    return f"{name}({listed})"


def _ordered_set(name, arguments):
    if "VARIADIC" in "".join(arguments):
        return f"{name}(1.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1.0), (2.0)) AS s(x)"
    *direct, ordered = arguments
    return f"{name}({', '.join(direct)}) WITHIN GROUP (ORDER BY {ordered})"
