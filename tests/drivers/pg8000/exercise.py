"""pg8000 as applications use it: written in Python alone, it prepares, binds and closes every statement it is given."""

import contextlib
import datetime
import decimal
import io
import time

import pg8000.dbapi
import pg8000.native

from checks import check, parameters, run, say

VALUES = [1, 2**40, 2**70, "é 日本", None, True, 1.5, decimal.Decimal("12345.678900"), datetime.date(2024, 2, 29),
          datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), datetime.timedelta(days=3), [1, 2], b"\x00\x01\xff"]


def login():
    given = parameters()
    return {"database": given.pop("dbname"), **given}


@contextlib.contextmanager
def connected(kind=pg8000.dbapi.connect, **more):
    client = kind(**{**login(), **more})
    try:
        yield client
    finally:
        client.close()


def native(**more):
    return connected(pg8000.native.Connection, **more)


def asked(client, sql, values=()):
    cursor = client.cursor()
    cursor.execute(sql, values)
    return cursor.fetchall()


def fails(function, *arguments, **more):
    try:
        say("no error", function(*arguments, **more))
    except (pg8000.dbapi.DatabaseError, pg8000.native.DatabaseError) as error:
        known = error.args[0]
        say({field: known.get(field) for field in "SCMPt"} if isinstance(known, dict) else error)


@check
def connecting():
    with native(application_name="eight") as client:
        for name in ("application_name", "client_encoding", "timezone", "datestyle"):
            say(name, client.run(f"SHOW {name}"), client.parameter_statuses.get(name))
    with native(startup_params={"search_path": "pg_catalog", "work_mem": "6MB"}) as client:
        say(client.run("SHOW search_path"), client.run("SHOW work_mem"))
    for wrong in ({"password": "wrong"}, {"startup_params": {"work_mem": "nonsense"}}):
        fails(pg8000.native.Connection, **{**login(), **wrong})


@check
def types():
    with connected() as client:
        for value in VALUES:
            cursor = client.cursor()
            cursor.execute("SELECT %s", (value,))
            say(cursor.fetchall(), cursor.description[0][1])
        client.rollback()
    with native() as client:
        for value in VALUES:
            say(client.run("SELECT :v", v=value), client.columns[0]["type_oid"])


@check
def statements():
    with native() as client:
        client.run("CREATE TABLE eight (n serial, body text)")
        write = client.prepare("INSERT INTO eight (body) VALUES (:body) RETURNING n")
        read = client.prepare("SELECT count(*) FROM eight WHERE body <> :body")
        for n in range(10):
            say(write.run(body=f"body {n}"), read.run(body="none"), client.row_count)
        write.close()
        read.close()
        say(client.run("SELECT name FROM pg_prepared_statements"))
        client.run("DROP TABLE eight")


@check
def transactions():
    with connected() as client:
        client.cursor().execute("CREATE TEMP TABLE eight (n int PRIMARY KEY)")
        client.commit()
        client.cursor().executemany("INSERT INTO eight VALUES (%s)", [(n,) for n in range(20)])
        client.rollback()
        say(asked(client, "SELECT count(*) FROM eight"))
        client.cursor().execute("INSERT INTO eight VALUES (1)")
        fails(client.cursor().execute, "INSERT INTO eight VALUES (1)")
        fails(client.cursor().execute, "SELECT 1")
        client.rollback()
        say(asked(client, "SELECT count(*) FROM eight"))
        client.autocommit = True
        client.cursor().execute("INSERT INTO eight VALUES (1)")
        say(asked(client, "SELECT count(*) FROM eight"))


@check
def errors():
    with native() as client:
        for sql in ("SELECT 1/0", "SELEC 1", "SELECT * FROM nowhere", "SELECT 'x'::int", "SELECT 1; SELECT 1/0"):
            fails(client.run, sql)
        say(client.run("SELECT 2; SELECT 3"))


@check
def notices():
    with native() as client:
        client.run("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
        say([{field: notice[field] for field in (b"S", b"C", b"M")} for notice in client.notices])


@check
def copying():
    with connected() as client:
        cursor = client.cursor()
        cursor.execute("CREATE TEMP TABLE eight (n int, body text)")
        cursor.execute("COPY eight FROM STDIN", stream=io.BytesIO(b"".join(b"%d\tbody\n" % n for n in range(3000))))
        say(cursor.rowcount, asked(client, "SELECT count(*), sum(n) FROM eight"))
        out = io.BytesIO()
        cursor.execute("COPY (SELECT n FROM eight WHERE n < 5 ORDER BY n) TO STDOUT", stream=out)
        say(out.getvalue())
        fails(cursor.execute, "COPY eight FROM STDIN", stream=io.BytesIO(b"wrong\n"))
        client.rollback()


@check
def listening():
    with native() as one, native() as other:
        one.run("LISTEN eight")
        other.run("NOTIFY eight, 'news'")
        until = time.monotonic() + 10
        while not one.notifications and time.monotonic() < until:
            one.run("SELECT 1")
        say([(channel, payload) for _, channel, payload in one.notifications])


run()
