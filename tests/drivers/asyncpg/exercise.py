"""asyncpg as applications use it: binary results, a cache of prepared statements, pools that reset."""

import asyncio
import contextlib
import datetime
import decimal
import io
import json
import uuid

import asyncpg

from checks import check, failure, parameters, run, say

VALUES = [("int", 1), ("int8", 2**40), ("numeric", decimal.Decimal("12345.678900")), ("text", "é 日本"), ("text", None),
          ("bool", True), ("float8", 1.5), ("date", datetime.date(2024, 2, 29)), ("bytea", b"\x00\x01\xff"),
          ("timestamptz", datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)),
          ("interval", datetime.timedelta(days=3, seconds=4)), ("int[]", [1, None, 3]), ("text[]", [["a"], ["b"]]),
          ("uuid", uuid.UUID(int=5)), ("jsonb", '{"a": 1}'), ("int4range", asyncpg.Range(1, 5)), ("point", asyncpg.Point(1, 2))]


@contextlib.asynccontextmanager
async def connected(**more):
    login = parameters()
    login["database"] = login.pop("dbname")
    client = await asyncpg.connect(**{**login, **more})
    try:
        yield client
    finally:
        await client.close(timeout=5)


async def fails(work):
    try:
        say("no error", await work)
    except asyncpg.PostgresError as error:
        say(failure(error))
    except asyncpg.InterfaceError as error:
        say(type(error).__name__, str(error)[:80])


@check
async def connecting():
    async with connected() as client:
        settings = client.get_settings()
        say(client.get_server_version()[:2], settings.client_encoding, settings.TimeZone, settings.DateStyle)
        say(client.get_server_pid() > 0, await client.fetchval("SELECT current_user"))


@check
async def connecting_with_settings():
    options = {"work_mem": "6MB", "search_path": "pg_catalog", "application_name": "app é", "timezone": "Asia/Tokyo",
               "jit": "off", "my.own": "x"}
    async with connected(server_settings=options) as client:
        for name in options:
            say(name, await client.fetchval("SELECT current_setting($1)", name))
        say(client.get_settings().TimeZone, client.get_settings().application_name)
        await client.execute("SET work_mem = '9MB'")
        await client.reset()
        say(await client.fetchval("SHOW work_mem"), await client.fetchval("SHOW search_path"))


@check
async def connecting_wrongly():
    for wrong in ({"password": "wrong"}, {"server_settings": {"no_such": "1"}}, {"server_settings": {"work_mem": "x"}}):
        try:
            async with connected(**wrong):
                say("connected")
        except asyncpg.PostgresError as error:
            say(failure(error))


@check
async def types():
    async with connected() as client:
        for name, value in VALUES:
            for _ in range(2):
                say(name, await client.fetchval(f"SELECT $1::{name}", value))
        say(await client.fetchrow("SELECT ROW(1, 'a', NULL) AS r, ARRAY[ROW(1, 2)] AS rows"))


@check
async def types_of_ones_own():
    async with connected() as client:
        await client.execute("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (a int, b mood);"
                             " CREATE DOMAIN small AS int CHECK (VALUE < 10)")
        say(await client.fetchval("SELECT $1::mood", "glad"), await client.fetchval("SELECT $1::pair", (1, "sad")))
        say(await client.fetchval("SELECT $1::small", 5), await client.fetchval("SELECT $1::mood[]", ["sad"]))
        await fails(client.fetchval("SELECT $1::small", 50))
        await client.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        say(await client.fetchval("SELECT $1::jsonb", {"a": [1, None]}))
        say(await client.fetchval("SELECT $1::pair[]", [(1, "sad"), (2, "glad")]))


@check
async def statements_prepared():
    async with connected(statement_cache_size=50) as client:
        total = 0
        for _ in range(2):
            for n in range(120):
                total += await client.fetchval(f"SELECT {n} + $1::int", n)
        say(total)
        statement = await client.prepare("SELECT $1::int AS n, $2::text AS t")
        say([(p.name, p.oid) for p in statement.get_parameters()], [(a.name, a.type.name) for a in statement.get_attributes()])
        for n in range(5):
            async with client.transaction():
                say(await statement.fetchrow(n, f"é {n}"))
        say(await statement.fetchmany([(1, "a"), (2, "b")]), statement.get_statusmsg())
        say((await statement.explain(1, "x"))[0]["Plan"]["Node Type"])


@check
async def statements_of_two_clients():
    async with connected() as first, connected() as second:
        one, two = await first.prepare("SELECT 'first'::text, $1::int"), await second.prepare("SELECT $1::text, 2::int8")
        for n in range(6):
            say(await one.fetchrow(n), await two.fetchrow(str(n)))


@check
async def statements_after_ddl():
    async with connected() as client:
        await client.execute("CREATE TABLE a_changing AS SELECT 1 AS id")
        say(await client.fetch("SELECT * FROM a_changing"))
        await client.execute("ALTER TABLE a_changing ADD COLUMN more text DEFAULT 'x'")
        say(await client.fetch("SELECT * FROM a_changing"))


@check
async def transactions():
    async with connected() as client:
        await client.execute("CREATE TABLE a_moved (n int PRIMARY KEY)")
        try:
            async with client.transaction():
                await client.execute("INSERT INTO a_moved VALUES ($1)", 1)
                raise RuntimeError("changed my mind")
        except RuntimeError:
            pass
        async with client.transaction(isolation="serializable", readonly=True, deferrable=True):
            say(await client.fetchval("SHOW transaction_isolation"), client.is_in_transaction())
            await fails(client.fetchval("SELECT count(*) FROM a_moved"))
        async with client.transaction():
            await client.execute("INSERT INTO a_moved VALUES (2)")
            with contextlib.suppress(asyncpg.UniqueViolationError):
                async with client.transaction():
                    await client.execute("INSERT INTO a_moved VALUES (3)")
                    await client.execute("INSERT INTO a_moved VALUES (2)")
            say(await client.fetch("SELECT * FROM a_moved"))
        say(await client.fetch("SELECT * FROM a_moved"), client.is_in_transaction())
        transaction = client.transaction()
        await transaction.start()
        await fails(client.execute("SELECT 1/0"))
        await fails(client.execute("SELECT 1"))
        await transaction.rollback()
        say(await client.fetchval("SELECT 1"))


@check
async def errors():
    async with connected() as client:
        for text in ("SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int", "SELECT $1::int + 'y'"):
            await fails(client.fetch(text))
        await fails(client.execute("SELECT 1; SELECT 1/0; SELECT 2"))
        await client.execute("CREATE TABLE a_unique (n int PRIMARY KEY); INSERT INTO a_unique VALUES (1)")
        try:
            await client.execute("INSERT INTO a_unique VALUES ($1)", 1)
        except asyncpg.UniqueViolationError as error:
            say(error.as_dict()["detail"], error.table_name, error.constraint_name, error.severity)
        say(await client.fetchval("SELECT 1"))


@check
async def notices():
    async with connected() as client:
        client.add_log_listener(lambda _, message: say("notice", message.severity, message.message))
        await client.execute("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$")
        await client.execute("DROP TABLE IF EXISTS was_never")
        await asyncio.sleep(0)


@check
async def listening():
    async with connected() as client, connected() as other:
        heard, all_heard = [], asyncio.Event()

        def hear(connection, pid, channel, payload):
            heard.append((channel, payload))
            if len(heard) == 3:
                all_heard.set()

        await client.add_listener("a_news", hear)
        for n in range(3):
            await other.execute("SELECT pg_notify('a_news', $1)", f"message {n}")
        await asyncio.wait_for(all_heard.wait(), 10)
        await client.remove_listener("a_news", hear)
        await other.execute("NOTIFY a_news, 'unheard'")
        await client.fetchval("SELECT 1")
        say(heard)


@check
async def copying():
    async with connected() as client:
        await client.execute("CREATE TABLE a_copied (n int, label text)")
        say(await client.copy_records_to_table("a_copied", records=[(n, f"é {n}") for n in range(5000)]))
        say(await client.copy_to_table("a_copied", source=io.BytesIO(b"1,one\n2,two\n"), format="csv"))
        out = io.BytesIO()
        say(await client.copy_from_query("SELECT * FROM a_copied WHERE n < $1 ORDER BY 1, 2", 5, output=out), out.getvalue())
        out = io.BytesIO()
        say(await client.copy_from_table("a_copied", output=out, format="binary"), len(out.getvalue()))
        await fails(client.copy_to_table("a_copied", source=io.BytesIO(b"1,one\nbad\n"), format="csv"))
        say(await client.fetchval("SELECT count(*) FROM a_copied"))


@check
async def cursors():
    async with connected() as client:
        async with client.transaction():
            total = 0
            async for row in client.cursor("SELECT generate_series(1, $1::int)", 1000, prefetch=70):
                total += row[0]
            cursor = await client.cursor("SELECT generate_series(1, 100)")
            say(total, await cursor.fetch(3), await cursor.forward(10), await cursor.fetchrow())
        await fails(client.cursor("SELECT 1"))


@check
async def settings():
    async with connected() as client, connected() as other:
        await client.execute("SET work_mem = '7MB'; SET TimeZone = 'Asia/Tokyo'; SET my.setting = 'x'")
        await other.execute("SET TimeZone = 'America/New_York'")
        for _ in range(4):
            say(await client.fetchrow("SELECT current_setting('work_mem'), current_setting('TimeZone'), current_setting('my.setting', true)"))
            say(await other.fetchrow("SELECT current_setting('work_mem'), current_setting('TimeZone'), current_setting('my.setting', true)"))
        say(client.get_settings().TimeZone, other.get_settings().TimeZone)
        await client.reset()
        say(await client.fetchval("SHOW work_mem"), client.get_settings().TimeZone)


@check
async def search_path():
    async with connected() as first, connected() as second:
        for tenant in ("a_a", "a_b"):
            await first.execute(f"CREATE SCHEMA {tenant}; CREATE TABLE {tenant}.who AS SELECT '{tenant}' AS name")
        await first.execute("SET search_path = a_a")
        await second.execute("SET search_path = a_b")
        for _ in range(4):
            say(await first.fetchval("SELECT name FROM who"), await second.fetchval("SELECT name FROM who"))


@check
async def temporary_tables():
    async with connected() as client:
        await client.execute("CREATE TEMP TABLE a_scratch (n int)")
        await client.executemany("INSERT INTO a_scratch VALUES ($1)", [(n,) for n in range(50)])
        say(await client.fetchval("SELECT sum(n) FROM a_scratch"))
        await client.execute("DROP TABLE a_scratch")
        await fails(client.fetchval("SELECT sum(n) FROM a_scratch"))


@check
async def batches():
    async with connected() as client:
        await client.execute("CREATE TABLE a_batch (n int PRIMARY KEY, label text)")
        await client.executemany("INSERT INTO a_batch VALUES ($1, $2)", [(n, f"é {n}") for n in range(500)])
        await fails(client.executemany("INSERT INTO a_batch VALUES ($1, 'x')", [(1000,), (1,), (1001,)]))
        say(await client.fetchrow("SELECT count(*), max(n) FROM a_batch"))
        say(await client.execute("UPDATE a_batch SET label = 'x' WHERE n < 10"), await client.execute("SELECT 1; SELECT 2"))


@check
async def time_limits():
    async with connected() as client:
        for _ in range(3):
            try:
                await client.fetchval("SELECT pg_sleep(10)", timeout=0.3)
            except asyncio.TimeoutError:
                say("timed out")
            say(await client.fetchval("SELECT 1"))
        task = asyncio.create_task(client.fetchval("SELECT pg_sleep(10)"))
        await asyncio.sleep(0.3)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        say(await client.fetchval("SELECT 2"))
        await client.execute("SET statement_timeout = 200")
        await fails(client.fetchval("SELECT pg_sleep(10)"))


@check
async def large_values():
    async with connected() as client:
        text = "é" * (4 << 20)
        say(await client.fetchrow("SELECT length($1::text), md5($1::text)", text))
        say(len(await client.fetchval("SELECT repeat('x', 20 << 20)")))
        data = b"\x01\x02" * (2 << 20)
        say(await client.fetchval("SELECT $1::bytea", data) == data)
        say(len(await client.fetch("SELECT g, repeat('y', 200) FROM generate_series(1, 30000) g")))


@check
async def a_pool():
    login = parameters()
    login["database"] = login.pop("dbname")
    async with asyncpg.create_pool(**login, min_size=2, max_size=8) as pool:
        await pool.execute("CREATE TABLE a_account (id int PRIMARY KEY, balance int)")
        await pool.execute("INSERT INTO a_account SELECT g, 100 FROM generate_series(0, 7) g")

        async def work(number):
            for n in range(25):
                async with pool.acquire() as client, client.transaction():
                    await client.execute("UPDATE a_account SET balance = balance - 1 WHERE id = $1", number)
                assert await pool.fetchval("SELECT $1::int * 2", n) == 2 * n

        await asyncio.gather(*(work(number) for number in range(8)))
        say(await pool.fetchval("SELECT array_agg(balance) FROM a_account"))


@check
async def ending_one_another():
    async with connected() as client, connected() as other:
        transaction = client.transaction()
        await transaction.start()
        pid = await client.fetchval("SELECT pg_backend_pid()")
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        try:
            await client.fetchval("SELECT 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            say("lost")


if __name__ == "__main__":
    run()
