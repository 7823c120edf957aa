"""psycopg2 as applications use it: the simple protocol, named cursors, large objects, COPY, NOTIFY."""

import concurrent.futures
import contextlib
import datetime
import decimal
import io
import select
import threading

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool

from checks import check, failure, parameters, run, say

VALUES = [1, 2**40, 2**70, "é 日本", None, True, 1.5, decimal.Decimal("12345.678900"), datetime.date(2024, 2, 29),
          datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), datetime.timedelta(days=3), [1, 2], psycopg2.Binary(b"\x00\x01\xff")]


@contextlib.contextmanager
def connected(autocommit=True, **more):
    client = psycopg2.connect(**parameters(), **more)
    client.autocommit = autocommit
    try:
        yield client, client.cursor()
    finally:
        client.close()


def fails(function, *arguments):
    try:
        say("no error", function(*arguments))
    except psycopg2.Error as error:
        say(failure(error))


def rows(cursor, sql, values=None):
    cursor.execute(sql, values)
    return cursor.fetchall()


@check
def connecting():
    with connected(options="-c work_mem=6MB -c search_path=pg_catalog", application_name="two", client_encoding="latin1") as (client, cursor):
        for name in ("work_mem", "search_path", "application_name", "client_encoding"):
            say(name, rows(cursor, f"SHOW {name}"))
        say(client.encoding, client.server_version, client.get_parameter_status("TimeZone"), rows(cursor, "SELECT 'é'"))
        client.set_client_encoding("UTF8")
        say(client.encoding, rows(cursor, "SELECT 'é', length('é')"))


@check
def types():
    with connected() as (_, cursor):
        for value in VALUES:
            got = rows(cursor, "SELECT %s", (value,))[0][0]
            say(cursor.description[0].type_code, bytes(got) if isinstance(got, memoryview) else got)
        psycopg2.extras.register_uuid()
        say(rows(cursor, "SELECT '00000000-0000-0000-0000-000000000005'::uuid, '{\"a\": 1}'::jsonb, '[1,5)'::int4range"))


@check
def transactions():
    with connected(autocommit=False) as (client, cursor):
        cursor.execute("CREATE TABLE p2_moved (n int PRIMARY KEY)")
        client.commit()
        client.set_session(isolation_level="SERIALIZABLE", readonly=True, deferrable=True)
        say(rows(cursor, "SHOW transaction_isolation"), rows(cursor, "SHOW transaction_read_only"))
        fails(cursor.execute, "DELETE FROM p2_moved")
        client.rollback()
        client.set_session(isolation_level="DEFAULT", readonly=False, deferrable="DEFAULT")
        with client:
            cursor.execute("INSERT INTO p2_moved VALUES (1)")
            cursor.execute("SAVEPOINT one")
            fails(cursor.execute, "INSERT INTO p2_moved VALUES (1)")
            fails(cursor.execute, "SELECT 1")
            cursor.execute("ROLLBACK TO one")
            cursor.execute("INSERT INTO p2_moved VALUES (2)")
        say(rows(cursor, "SELECT * FROM p2_moved ORDER BY 1"), client.get_transaction_status())


@check
def many_values():
    with connected() as (client, cursor):
        cursor.execute("CREATE TABLE p2_many (n int, label text)")
        psycopg2.extras.execute_values(cursor, "INSERT INTO p2_many VALUES %s", [(n, "é") for n in range(2000)])
        psycopg2.extras.execute_batch(cursor, "UPDATE p2_many SET label = %s WHERE n = %s", [("x", n) for n in range(500)])
        cursor.executemany("INSERT INTO p2_many VALUES (%s, 'z')", [(n,) for n in range(3000, 3100)])
        cursor.execute("SELECT 1; UPDATE p2_many SET label = 'y' WHERE n < 10; SELECT label, count(*) FROM p2_many GROUP BY 1 ORDER BY 1")
        say(cursor.statusmessage, cursor.fetchall())


@check
def named_cursors():
    with connected(autocommit=False) as (client, _):
        with client.cursor("named") as cursor:
            cursor.itersize = 70
            cursor.execute("SELECT generate_series(1, 1000)")
            say(sum(row[0] for row in cursor))
        with client.cursor("held", withhold=True, scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 10)")
            client.commit()
            cursor.scroll(4)
            say(cursor.fetchmany(3))
        client.commit()


@check
def copying():
    with connected() as (_, cursor):
        cursor.execute("CREATE TABLE p2_copied (n int, label text)")
        cursor.copy_expert("COPY p2_copied FROM STDIN", io.StringIO("".join(f"{n}\té\n" for n in range(5000))))
        out = io.StringIO()
        cursor.copy_expert("COPY p2_copied TO STDOUT (FORMAT csv)", out)
        say(cursor.rowcount, len(out.getvalue()))
        fails(cursor.copy_expert, "COPY p2_copied FROM STDIN", io.StringIO("1\tgood\nbad\n"))
        say(rows(cursor, "SELECT count(*) FROM p2_copied"))


@check
def large_objects():
    with connected(autocommit=False) as (client, _):
        large = client.lobject(0, "wb")
        large.write(b"x" * 300000)
        large.seek(10)
        oid = large.oid
        large.close()
        client.commit()
        large = client.lobject(oid, "rb")
        say(len(large.read()), large.tell())
        large.unlink()
        client.commit()
        try:
            client.lobject(oid, "rb")
        except psycopg2.Error as error:
            say(error.pgcode)


@check
def listening():
    with connected() as (client, cursor), connected() as (_, other):
        cursor.execute("LISTEN p2_news")
        for n in range(3):
            other.execute("SELECT pg_notify('p2_news', %s)", (f"message {n}",))
        while len(client.notifies) < 3 and select.select([client], [], [], 5)[0]:
            client.poll()
        say([(note.channel, note.payload) for note in client.notifies])


@check
def notices_and_errors():
    with connected() as (client, cursor):
        cursor.execute("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$")
        say(client.notices)
        for sql in ("SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int"):
            fails(cursor.execute, sql)


@check
def settings():
    with connected() as (client, cursor), connected() as (_, other):
        cursor.execute("SET work_mem = '7MB'; SET TIME ZONE 'Asia/Tokyo'")
        other.execute("SET TIME ZONE 'America/New_York'")
        for _ in range(4):
            say(rows(cursor, "SHOW work_mem"), rows(cursor, "SHOW TimeZone"), client.get_parameter_status("TimeZone"))
            say(rows(other, "SHOW work_mem"), rows(other, "SHOW TimeZone"))
        client.reset()
        say(rows(cursor, "SHOW work_mem"), rows(cursor, "SHOW TimeZone"))


@check
def temporary_tables():
    with connected() as (_, cursor):
        cursor.execute("CREATE TEMP TABLE p2_scratch AS SELECT generate_series(1, 20) AS n")
        say(rows(cursor, "SELECT sum(n) FROM p2_scratch"))
        cursor.execute("DROP TABLE p2_scratch")
        fails(cursor.execute, "SELECT * FROM p2_scratch")


@check
def cancelling():
    with connected() as (client, cursor):
        threading.Timer(0.5, client.cancel).start()
        fails(cursor.execute, "SELECT pg_sleep(10)")
        cursor.execute("SET statement_timeout = 200")
        fails(cursor.execute, "SELECT pg_sleep(10)")
        cursor.execute("RESET statement_timeout")
        say(rows(cursor, "SELECT 1"))


@check
def two_phase_commit():
    with connected(autocommit=False) as (client, cursor):
        cursor.execute("CREATE TABLE p2_twice (n int)")
        client.commit()
        for n, end in enumerate((client.tpc_rollback, client.tpc_commit)):
            client.tpc_begin(client.xid(n, "p2", "branch"))
            cursor.execute("INSERT INTO p2_twice VALUES (1)")
            client.tpc_prepare()
            end()
        say(rows(cursor, "SELECT count(*) FROM p2_twice"))


@check
def large_values():
    with connected() as (_, cursor):
        text = "é" * (4 << 20)
        say(rows(cursor, "SELECT length(%s), md5(%s)", (text, text)))
        say(len(rows(cursor, "SELECT repeat('x', 20 << 20)")[0][0]))
        say(len(rows(cursor, "SELECT g, repeat('y', 200) FROM generate_series(1, 30000) g")))


@check
def a_pool():
    pool = psycopg2.pool.ThreadedConnectionPool(2, 8, **parameters())
    with connected() as (_, cursor):
        cursor.execute("CREATE TABLE p2_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g")

    def work(number):
        for _ in range(25):
            client = pool.getconn()
            with client, client.cursor() as cursor:
                cursor.execute("UPDATE p2_account SET balance = balance - 1 WHERE id = %s", (number,))
            pool.putconn(client)

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    with connected() as (_, cursor):
        say(rows(cursor, "SELECT array_agg(balance) FROM p2_account"))


if __name__ == "__main__":
    run()
