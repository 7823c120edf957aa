"""psycopg 3 as applications use it."""

import asyncio
import concurrent.futures
import datetime
import decimal
import ipaddress
import threading
import time
import uuid

import psycopg
import psycopg_pool
from psycopg import sql
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from checks import check, failure, parameters, run, say

VALUES = [1, -2**31, 2**40, 2**70, "text é 日本", "", None, True, 1.5, float("inf"), decimal.Decimal("12345.678900"),
          datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), datetime.time(1, 2, 3),
          datetime.timedelta(days=3, seconds=4), [1, 2, 3], [["a", "b"], ["c", None]], b"\x00\x01\xff",
          uuid.UUID(int=5), Jsonb({"a": [1, None]}), ipaddress.ip_address("10.0.0.1"), Range(1, 5)]


def connect(autocommit=True, **more):
    return psycopg.connect(**parameters(), autocommit=autocommit, **more)


def fails(function, *arguments):
    try:
        say("no error", function(*arguments))
    except psycopg.Error as error:
        say(failure(error))


def table(client, name, rows=10):
    client.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, label text)")
    client.execute(f"INSERT INTO {name} SELECT g, 'label ' || g FROM generate_series(1, %s) g", (rows,))


@check
def connecting():
    with connect() as client:
        info = client.info
        say(info.server_version, info.encoding, info.user, info.dbname, info.transaction_status.name,
            info.parameter_status("standard_conforming_strings"), info.parameter_status("TimeZone"),
            info.parameter_status("DateStyle"), info.parameter_status("integer_datetimes"),
            info.parameter_status("is_superuser"), info.parameter_status("session_authorization"),
            info.parameter_status("server_encoding"), info.parameter_status("in_hot_standby"))


@check
def connecting_with_options():
    with connect(options="-c search_path=pg_catalog,public -c work_mem=5MB -c datestyle=German -c my.own=x",
                 application_name="driver é", client_encoding="latin1") as client:
        for name in ("search_path", "work_mem", "DateStyle", "my.own", "application_name", "client_encoding"):
            say(name, client.execute(f"SHOW {name}").fetchone()[0])
        say(client.info.parameter_status("DateStyle"), client.info.parameter_status("application_name"),
            client.info.parameter_status("client_encoding"), client.info.encoding)
        say(client.execute("SELECT '2024-02-29'::date::text").fetchone(), client.execute("SELECT 'é'").fetchone())
        client.execute("RESET ALL")
        say(client.execute("SHOW DateStyle").fetchone(), client.execute("SHOW work_mem").fetchone())


@check
def connecting_wrongly():
    for wrong in ({"password": "wrong"}, {"options": "-c no_such_thing=1"}, {"options": "-c work_mem=nonsense"}):
        try:
            psycopg.connect(**{**parameters(), **wrong}).close()
            say("connected")
        except psycopg.Error as error:
            say(type(error).__name__, str(error).split("FATAL:")[-1].strip())


@check
def types_text_and_binary():
    with connect(prepare_threshold=0) as client:
        for value in VALUES:
            for binary in (False, True):
                for _ in range(2):
                    cursor = client.cursor(binary=binary).execute("SELECT %s AS v", (value,))
                    say(binary, cursor.description[0].type_code, cursor.fetchone())


@check
def statements_prepared_many():
    with connect(prepare_threshold=0, autocommit=True) as client:
        client.prepared_max = 100
        total = 0
        for _ in range(3):
            for n in range(150):
                total += client.execute(f"SELECT {n} + %s::int", (n,)).fetchone()[0]
        say(total)


@check
def statements_prepared_across_transactions():
    with connect(autocommit=False, prepare_threshold=2) as client:
        table(client, "prepared")
        client.commit()
        for n in range(12):
            client.execute("INSERT INTO prepared VALUES (%s, %s)", (100 + n, f"new {n}"))
            client.commit() if n % 3 else client.rollback()
        say(client.execute("SELECT array_agg(id ORDER BY id) FROM prepared").fetchone())
        client.commit()


@check
def statements_prepared_by_hand():
    with connect() as client:
        client.execute("PREPARE doubled(int) AS SELECT $1 * 2")
        say([client.execute(f"EXECUTE doubled({n})").fetchone()[0] for n in range(5)])
        say(client.execute("SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY 1").fetchall())
        fails(client.execute, "PREPARE doubled AS SELECT 1")
        client.execute("DEALLOCATE doubled")
        fails(client.execute, "EXECUTE doubled(1)")
        client.execute("PREPARE a AS SELECT 1; PREPARE b AS SELECT 2")
        client.execute("DEALLOCATE ALL")
        say(client.execute("SELECT count(*) FROM pg_prepared_statements").fetchone())


@check
def statements_after_ddl():
    with connect(prepare_threshold=0) as client:
        table(client, "changing")
        select = "SELECT * FROM changing WHERE id = %s"
        say(client.execute(select, (1,)).fetchone())
        client.execute("ALTER TABLE changing ADD COLUMN more int DEFAULT 7")
        try:  # an error, or none where the statement was prepared again: both are right
            say(client.execute(select, (1,)).fetchone() == (1, "label 1", 7))
        except psycopg.errors.FeatureNotSupported:
            say(True)
        client.execute("DEALLOCATE ALL")
        say(client.execute("SELECT id, label, more FROM changing WHERE id = %s", (2,)).fetchone())


@check
def transactions():
    with connect(autocommit=False) as client:
        table(client, "moved")
        client.rollback()
        say(client.execute("SELECT to_regclass('moved')").fetchone())
        client.rollback()
        table(client, "moved")
        client.commit()
        say(client.execute("SELECT count(*) FROM moved").fetchone(), client.info.transaction_status.name)
        client.rollback()
        client.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        client.read_only, client.deferrable = True, True
        say(client.execute("SHOW transaction_isolation").fetchone(), client.execute("SHOW transaction_read_only").fetchone())
        fails(client.execute, "DELETE FROM moved")
        client.rollback()
        client.read_only = client.isolation_level = client.deferrable = None
        client.execute("DELETE FROM moved WHERE id = 1")
        client.commit()
        say(client.execute("SELECT count(*) FROM moved").fetchone())


@check
def savepoints():
    with connect() as client:
        table(client, "saved")
        with client.transaction():
            client.execute("DELETE FROM saved WHERE id = 1")
            try:
                with client.transaction():
                    client.execute("DELETE FROM saved WHERE id = 2")
                    client.execute("SELECT 1/0")
            except psycopg.Error as error:
                say(failure(error), client.info.transaction_status.name)
            with client.transaction("named") as inner:
                client.execute("DELETE FROM saved WHERE id = 3")
                raise psycopg.Rollback(inner)
        say(client.execute("SELECT min(id), count(*) FROM saved").fetchone())


@check
def errors_and_recovery():
    with connect(autocommit=False) as client:
        table(client, "broken")
        client.commit()
        fails(client.execute, "INSERT INTO broken VALUES (%s, 'again')", (1,))
        fails(client.execute, "SELECT 1")
        say(client.info.transaction_status.name)
        client.rollback()
        say(client.execute("SELECT 1").fetchone())
        client.rollback()
        for statement in ("SELEC 1", "SELECT * FROM nowhere", "SELECT nothing(1)", "SELECT 'x'::int"):
            fails(client.execute, statement)
            client.rollback()
        try:
            client.execute("INSERT INTO broken VALUES (1, 'again')")
        except psycopg.errors.UniqueViolation as error:
            diag = error.diag
            say(diag.severity, diag.message_primary, diag.message_detail, diag.schema_name, diag.table_name,
                diag.constraint_name, diag.source_function, diag.statement_position)


@check
def notices():
    with connect() as client:
        client.add_notice_handler(lambda diag: say("notice", diag.severity, diag.sqlstate, diag.message_primary))
        client.execute("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$")
        client.execute("DROP TABLE IF EXISTS was_never")
        client.execute("SET client_min_messages = error")
        client.execute("DROP TABLE IF EXISTS was_never")
        client.execute("ROLLBACK")


@check
def copying():
    with connect() as client:
        client.execute("CREATE TABLE copied (id int, label text, data bytea)")
        cursor = client.cursor()
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for n in range(5000):
                copy.write_row((n, f"row\t{n}\n", bytes([n % 256]) * 20))
        say(cursor.rowcount)
        with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "bytea"])
            for n in range(100):
                copy.write_row((10000 + n, "binary", b"\x00"))
        with cursor.copy("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT") as copy:
            rows = list(copy.rows())
            say(len(rows), rows[7], rows[-1])
        with cursor.copy("COPY copied TO STDOUT (FORMAT csv, HEADER)") as copy:
            say(sum(len(block) for block in copy))
        try:
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write("1\tone\n2\tbad line\twith\ttoo\tmany\n")
        except psycopg.Error as error:
            say(failure(error))
        try:
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write_row((1, "x", None))
                raise RuntimeError("changed my mind")
        except RuntimeError as error:
            say(error, client.info.transaction_status.name)
        say(client.execute("SELECT count(*), sum(id) FROM copied").fetchone())


@check
def listening():
    with connect() as client, connect() as other:
        client.execute("LISTEN psycopg_news")
        for n in range(3):
            other.execute("SELECT pg_notify('psycopg_news', %s)", (f"message {n}",))
        client.execute("NOTIFY psycopg_news, 'own'")
        own = client.execute("SELECT pg_backend_pid()").fetchone()[0]
        for note in client.notifies(timeout=5, stop_after=4):
            say(note.channel, note.payload, "from me" if note.pid == own else "from another")
        client.execute("UNLISTEN *")
        other.execute("NOTIFY psycopg_news, 'unheard'")
        say(len(list(client.notifies(timeout=0.3))))


@check
def cursors_on_the_server():
    with connect(autocommit=False) as client:
        with client.cursor("named") as cursor:
            cursor.itersize = 77
            cursor.execute("SELECT g, g::text FROM generate_series(1, %s) g", (1000,))
            say(sum(row[0] for row in cursor))
        with client.cursor("scrolling", scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 100)")
            say(cursor.fetchmany(3))
            cursor.scroll(50)
            say(cursor.fetchone())
            cursor.scroll(0, mode="absolute")
            say(cursor.fetchone())
        with client.cursor("kept", withhold=True) as cursor:
            cursor.execute("SELECT generate_series(1, 10)")
            client.commit()
            say(cursor.fetchall())
        client.commit()
        say(client.execute("SELECT count(*) FROM pg_cursors").fetchone())


@check
def settings():
    with connect() as client:
        client.execute("SET work_mem = '7MB'")
        client.execute("SET my.setting = 'kept'")
        client.execute("SELECT set_config('my.other', 'x', false)")
        for name in ("work_mem", "my.setting", "my.other"):
            say(name, client.execute(f"SHOW {name}").fetchone(), client.execute("SELECT current_setting(%s)", (name,)).fetchone())
        with client.transaction():
            client.execute("SET LOCAL work_mem = '9MB'")
            say(client.execute("SHOW work_mem").fetchone())
        say(client.execute("SHOW work_mem").fetchone())
        try:
            with client.transaction():
                client.execute("SET work_mem = '11MB'")
                client.execute("SELECT 1/0")
        except psycopg.Error:
            say(client.execute("SHOW work_mem").fetchone())
        client.execute("SET TIME ZONE 'Europe/Berlin'")
        say(client.info.parameter_status("TimeZone"), client.info.timezone)
        say(client.execute("SELECT '2024-07-01 12:00+00'::timestamptz::text").fetchone())
        client.execute("RESET work_mem")
        say(client.execute("SHOW work_mem").fetchone())
        client.execute("DISCARD ALL")
        say(client.execute("SHOW TimeZone").fetchone(), client.info.parameter_status("TimeZone"))
        fails(client.execute, "SHOW my.nothing")
        client.execute("SET client_encoding = 'LATIN1'")
        say(client.info.encoding, client.execute("SELECT 'é', length('é')").fetchone())


@check
def settings_stay_apart():
    with connect() as first, connect() as second:
        first.execute("SET TimeZone = 'Asia/Tokyo'")
        second.execute("SET TimeZone = 'America/New_York'")
        first.execute("SET application_name = 'first'")
        for _ in range(5):
            for client in (first, second):
                say(client.execute("SHOW TimeZone").fetchone(), client.info.parameter_status("TimeZone"),
                    client.execute("SHOW application_name").fetchone())


@check
def search_path_and_schemas():
    with connect() as client, connect() as other:
        for schema in ("tenant_a", "tenant_b"):
            client.execute(f"CREATE SCHEMA {schema}")
            client.execute(f"CREATE TABLE {schema}.who AS SELECT '{schema}' AS name")
        client.execute("SET search_path = tenant_a")
        other.execute("SET search_path = tenant_b")
        for _ in range(4):
            for one in (client, other):
                say(one.execute("SELECT name FROM who", prepare=True).fetchone(),
                    one.execute("SELECT current_schema").fetchone())
        client.execute("SET search_path = tenant_b")
        say(client.execute("SELECT name FROM who", prepare=True).fetchone())


@check
def roles():
    with connect() as client:
        client.execute("SET ROLE analyst")
        say(client.execute("SELECT current_user, session_user").fetchone())
        client.execute("RESET ROLE")
        say(client.execute("SELECT current_user, session_user").fetchone())
        with client.transaction():
            client.execute("SET LOCAL ROLE analyst")
            say(client.execute("SELECT current_user").fetchone())
        say(client.execute("SELECT current_user").fetchone())


@check
def temporary_tables():
    with connect() as client, connect() as other:
        client.execute("CREATE TEMP TABLE scratch (n int)")
        with client.cursor() as cursor:
            cursor.executemany("INSERT INTO scratch VALUES (%s)", [(n,) for n in range(50)])
        say(client.execute("SELECT sum(n) FROM scratch").fetchone())
        fails(other.execute, "SELECT * FROM scratch")
        with client.transaction():
            client.execute("CREATE TEMP TABLE gone (n int) ON COMMIT DROP")
            client.execute("INSERT INTO gone VALUES (1)")
        fails(client.execute, "SELECT * FROM gone")
        client.execute("DROP TABLE scratch")
        client.execute("CREATE TEMP TABLE scratch AS SELECT 5 AS n")
        say(client.execute("SELECT n FROM scratch").fetchone())
        client.execute("DISCARD TEMP")
        fails(client.execute, "SELECT * FROM scratch")


@check
def advisory_locks():
    with connect() as client, connect() as other:
        client.execute("SELECT pg_advisory_lock(42)")
        say(other.execute("SELECT pg_try_advisory_lock(42)").fetchone())
        say(client.execute("SELECT pg_advisory_unlock(42)").fetchone())
        say(other.execute("SELECT pg_try_advisory_lock(42)").fetchone())
        other.execute("SELECT pg_advisory_unlock_all()")
        with client.transaction():
            client.execute("SELECT pg_advisory_xact_lock(42)")
            say(other.execute("SELECT pg_try_advisory_lock(42)").fetchone())
        say(other.execute("SELECT pg_try_advisory_lock(42), pg_advisory_unlock(42)").fetchone())


@check
def cancelling():
    with connect() as client:
        threading.Timer(0.5, client.cancel_safe).start()
        begun = time.monotonic()
        fails(client.execute, "SELECT pg_sleep(10)")
        say(time.monotonic() - begun < 5, client.execute("SELECT 1").fetchone())
        threading.Timer(0.5, client.cancel).start()
        fails(client.execute, "SELECT count(*) FROM generate_series(1, 1000000000)")
        say(client.execute("SELECT 2").fetchone())


@check
def time_limits():
    with connect() as client:
        client.execute("SET statement_timeout = '200ms'")
        fails(client.execute, "SELECT pg_sleep(10)")
        client.execute("SET statement_timeout = 0")
        say(client.execute("SELECT 1").fetchone())
        with connect() as other:
            client.execute("CREATE TABLE locked (n int)")
            with client.transaction():
                client.execute("LOCK TABLE locked")
                other.execute("SET lock_timeout = '200ms'")
                fails(other.execute, "SELECT * FROM locked FOR UPDATE")


@check
def pipelines():
    with connect() as client:
        with client.pipeline():
            cursors = [client.execute("SELECT %s::int", (n,)) for n in range(50)]
            say(sum(cursor.fetchone()[0] for cursor in cursors))
        table(client, "piped")
        with client.pipeline() as pipeline:
            client.execute("INSERT INTO piped VALUES (100, 'x')")
            pipeline.sync()
            client.execute("INSERT INTO piped VALUES (101, 'x')")
            count = client.execute("SELECT count(*) FROM piped WHERE id >= 100")
            say(count.fetchone())
        try:
            with client.pipeline():
                client.execute("INSERT INTO piped VALUES (102, 'x')")
                client.execute("SELECT 1/0")
                client.execute("INSERT INTO piped VALUES (103, 'x')")
        except psycopg.Error as error:
            say(failure(error), client.info.transaction_status.name)
        with client.pipeline(), client.transaction():
            client.execute("INSERT INTO piped VALUES (104, 'x')")
            client.execute("UPDATE piped SET label = 'y' WHERE id = %s", (104,))
        say(client.execute("SELECT id, label FROM piped WHERE id >= 100 ORDER BY 1").fetchall())


@check
def batches():
    with connect() as client:
        client.execute("CREATE TABLE batch (n int, label text)")
        cursor = client.cursor()
        cursor.executemany("INSERT INTO batch VALUES (%s, %s) RETURNING n", [(n, f"é{n}") for n in range(300)], returning=True)
        total = 0
        while True:
            total += cursor.fetchone()[0]
            if not cursor.nextset():
                break
        say(total, cursor.rowcount)
        cursor = client.execute("SELECT 1; SELECT 'two', 2; UPDATE batch SET n = n + 1; SELECT count(*) FROM batch")
        while True:
            say(cursor.statusmessage, cursor.fetchall() if cursor.description else None)
            if not cursor.nextset():
                break
        fails(client.execute, "INSERT INTO batch VALUES (1000, 'x'); SELECT 1/0")
        say(client.execute("SELECT max(n) FROM batch").fetchone())


@check
def rows_as_an_application_likes_them():
    with connect() as client:
        say(client.cursor(row_factory=dict_row).execute("SELECT 1 AS a, 'b' AS b").fetchone())
        say(client.cursor(row_factory=namedtuple_row).execute("SELECT 1 AS a, 'b' AS b").fetchone())
        cursor = client.execute("SELECT relname, 1::numeric(5,2) AS price FROM pg_class WHERE relname = 'pg_class'")
        say([(c.name, c.type_code, c.precision, c.scale, c.internal_size) for c in cursor.description], cursor.fetchall())
        say(sum(1 for _ in client.cursor().stream("SELECT generate_series(1, 2000)")))
        query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier("relname"), sql.Identifier("pg_catalog", "pg_class"))
        say(len(client.execute(query).fetchmany(5)), client.execute("").statusmessage)


@check
def large_values():
    with connect() as client:
        text = "é" * (8 << 20)
        say(client.execute("SELECT length(%s), md5(%s)", (text, text)).fetchone())
        value = client.execute("SELECT repeat('x', 30 << 20)").fetchone()[0]
        say(len(value), set(value))
        client.execute("CREATE TABLE large (data bytea)")
        client.execute("INSERT INTO large VALUES (%b)", (b"\x01\x02" * (4 << 20),))
        say(client.execute("SELECT length(data), md5(data) FROM large").fetchone())
        say(len(client.cursor(binary=True).execute("SELECT data FROM large").fetchone()[0]))
        cursor = client.execute("SELECT g, repeat('y', 500) FROM generate_series(1, 60000) g")
        say(sum(row[0] for row in cursor))


@check
def two_phase_commit():
    with connect(autocommit=False) as client:
        client.execute("CREATE TABLE twice (n int)")
        client.commit()
        for n, end in enumerate((client.tpc_rollback, client.tpc_commit)):
            client.tpc_begin(client.xid(n, "global", "branch"))
            client.execute("INSERT INTO twice VALUES (1)")
            client.tpc_prepare()
            end()
        say(client.execute("SELECT array_agg(n) FROM twice").fetchone())
        client.rollback()
        client.tpc_begin("left")
        client.execute("INSERT INTO twice VALUES (2)")
        client.tpc_prepare()
        client.close()
    with connect(autocommit=False) as client:
        say([xid.gtrid for xid in client.tpc_recover()])
        client.rollback()
        client.tpc_rollback("left")


@check
def sequences():
    with connect() as client:
        client.execute("CREATE TABLE counted (id serial PRIMARY KEY, label text)")
        say(client.execute("INSERT INTO counted (label) VALUES ('a'), ('b') RETURNING id").fetchall())
        say(client.execute("SELECT currval('counted_id_seq'), lastval()").fetchone())
        say(client.execute("SELECT nextval('counted_id_seq')").fetchone(), client.execute("SELECT lastval()").fetchone())


@check
def concurrent_connections():
    with connect() as client:
        client.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
        client.execute("INSERT INTO account SELECT g, 100 FROM generate_series(0, 7) g")

    def work(number):
        with connect(prepare_threshold=0, autocommit=False) as client:
            client.execute("SELECT set_config('my.number', %s, false)", (str(number),))
            client.commit()
            for n in range(25):
                with client.transaction():
                    client.execute("UPDATE account SET balance = balance - 1 WHERE id = %s", (number,))
                    assert client.execute("SELECT current_setting('my.number')").fetchone()[0] == str(number)
                assert client.execute("SELECT %s::int", (n * number,)).fetchone()[0] == n * number
                client.commit()

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    with connect() as client:
        say(client.execute("SELECT array_agg(balance) FROM account").fetchone())


@check
def a_pool():
    conninfo = psycopg.conninfo.make_conninfo(**parameters())
    with psycopg_pool.ConnectionPool(conninfo, min_size=2, max_size=8, kwargs={"autocommit": True},
                                     check=psycopg_pool.ConnectionPool.check_connection) as pool:
        def work(number):
            with pool.connection() as client:
                return client.execute("SELECT %s::int + 1", (number,)).fetchone()[0]

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            say(sum(threads.map(work, range(200))))


@check
async def asynchronously():
    async def work(number):
        async with await psycopg.AsyncConnection.connect(**parameters(), autocommit=True) as client:
            for n in range(20):
                cursor = await client.execute("SELECT %s::int * %s", (number, n), prepare=True)
                assert (await cursor.fetchone())[0] == number * n
            async with client.transaction():
                cursor = await client.execute("SELECT count(*) FROM pg_class WHERE relname = 'pg_class'")
                return (await cursor.fetchone())[0]

    say(await asyncio.gather(*(work(n) for n in range(8))))


@check
async def asynchronously_cancelled():
    async with await psycopg.AsyncConnection.connect(**parameters(), autocommit=True) as client:
        try:
            await asyncio.wait_for(client.execute("SELECT pg_sleep(10)"), 0.5)
        except asyncio.TimeoutError:
            say("timed out")
        say(client.info.transaction_status.name, await (await client.execute("SELECT 1")).fetchone())


@check
def ending_one_another():
    with connect() as client, connect() as other:
        pid = client.execute("SELECT pg_backend_pid()").fetchone()[0]
        say(pid == client.execute("SELECT pg_backend_pid()").fetchone()[0])
        with client.transaction():
            pid = client.execute("SELECT pg_backend_pid()").fetchone()[0]
            say(other.execute("SELECT pg_terminate_backend(%s)", (pid,)).fetchone())
            fails(client.execute, "SELECT 1")
            say(client.closed, client.broken)


if __name__ == "__main__":
    run()
