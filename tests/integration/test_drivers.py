"""Drivers as applications use them: psycopg2, psycopg 3 and node-postgres."""

import asyncio
import datetime
import decimal
import json
import os
import shutil
import subprocess
import unittest

import psycopg
import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool

from tests.support.cluster import Cluster
from tests.support.proxy import ROOT, Proxy
from tests.support.waiting import scaled

VALUES = [1, 2**40, "text é 日本", None, True, 1.5, decimal.Decimal("12345.678"), datetime.date(2024, 2, 29),
          datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), [1, 2, 3], b"\x00\x01\xff"]


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1, max_prepared_transactions="5")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE item (id serial PRIMARY KEY, label text, data jsonb)")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always", consistency="eventual")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(3)


class Psycopg2(unittest.TestCase):
    def test_types(self):
        connection = proxy.connect2()
        self.addCleanup(connection.close)
        with connection.cursor() as cursor:
            for value in VALUES[:10]:
                cursor.execute("SELECT %s", (value,))
                self.assertEqual(cursor.fetchone()[0], value)

    def test_transactions_and_a_named_cursor(self):
        connection = psycopg2.connect(**proxy.parameters())
        self.addCleanup(connection.close)
        with connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, "INSERT INTO item (label) VALUES %s", [(f"p2-{n}",) for n in range(500)])
        with connection, connection.cursor("named") as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT label FROM item WHERE label LIKE 'p2-%'")
            self.assertEqual(len(list(cursor)), 500)
        reader = psycopg2.connect(**proxy.parameters())
        self.addCleanup(reader.close)
        reader.set_session(readonly=True, isolation_level="REPEATABLE READ")
        with reader, reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM item WHERE label LIKE 'p2-%' /* p2 read only */")
        self.assertEqual(servers.ran("/* p2 read only */"), {"replica1": 1})

    def test_a_large_object(self):
        connection = psycopg2.connect(**proxy.parameters())
        self.addCleanup(connection.close)
        with connection:
            large = connection.lobject(0, "wb")
            large.write(b"x" * 100000)
            oid = large.oid
            large.close()
        with connection:
            self.assertEqual(len(connection.lobject(oid, "rb").read()), 100000)

    def test_its_pool_resets_connections(self):
        pool = psycopg2.pool.ThreadedConnectionPool(1, 4, **proxy.parameters())
        self.addCleanup(pool.closeall)
        for _ in range(10):
            connection = pool.getconn()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            pool.putconn(connection)


class Psycopg3(unittest.TestCase):
    def test_types_prepared_and_binary(self):
        with proxy.connect(prepare_threshold=0) as client:
            for _ in range(3):
                for value in VALUES:
                    for binary in (False, True):
                        got = client.cursor(binary=binary).execute("SELECT %s", (value,)).fetchone()[0]
                        self.assertEqual(got, value)

    def test_server_side_cursor_and_savepoints(self):
        with proxy.connect(autocommit=False) as client:
            with client.transaction():
                client.execute("INSERT INTO item (label) VALUES ('kept')")
                with self.assertRaises(psycopg.errors.DivisionByZero), client.transaction():
                    client.execute("INSERT INTO item (label) VALUES ('undone')")
                    client.execute("SELECT 1/0")
                with client.cursor("server") as cursor:
                    cursor.execute("SELECT generate_series(1, 1000)")
                    self.assertEqual(sum(n for n, in cursor), 500500)
            self.assertEqual(servers.primary.ask("SELECT label FROM item WHERE label IN ('kept', 'undone')"), [("kept",)])

    def test_stream(self):
        with proxy.connect() as client:
            self.assertEqual(sum(n for n, in client.cursor().stream("SELECT generate_series(1, 1000)")), 500500)

    def test_async(self):
        async def work(number):
            async with await psycopg.AsyncConnection.connect(**proxy.parameters(), autocommit=True) as client:
                for n in range(10):
                    cursor = await client.execute("SELECT %s::int * %s", (number, n))
                    assert (await cursor.fetchone())[0] == number * n
                return number

        async def main():
            return await asyncio.gather(*(work(n) for n in range(20)))

        self.assertEqual(asyncio.run(main()), list(range(20)))

    def test_two_phase_commit(self):
        with proxy.connect(autocommit=False) as client:
            for end in (client.tpc_rollback, client.tpc_commit):
                client.tpc_begin(client.xid(1, "global", "branch"))
                client.execute("INSERT INTO item (label) VALUES ('2pc')")
                client.tpc_prepare()
                end()
        self.assertEqual(servers.primary.value("SELECT count(*) FROM item WHERE label = '2pc'"), 1)


def node_path():
    """Where node finds `pg`: Debian's package, or a cache that npm has filled."""
    cache = f"{ROOT}/tests/drivers/.cache"
    for path in ("/usr/share/nodejs", f"{cache}/node_modules"):
        if os.path.isdir(f"{path}/pg"):
            return path
    if shutil.which("npm"):
        os.makedirs(cache, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", cache, "pg@8"],
                       timeout=scaled(60), check=False, stdin=subprocess.DEVNULL)
    return f"{cache}/node_modules" if os.path.isdir(f"{cache}/node_modules/pg") else None


class NodePostgres(unittest.TestCase):
    def test_node_postgres(self):
        node, path = shutil.which("node") or shutil.which("nodejs"), None
        if node:
            path = node_path()
        if not path:
            print("\nNOT TESTED: node-postgres is not installed (apt-get install node-pg, or npm)", flush=True)
            self.skipTest("node-postgres is not installed")
        environment = {**os.environ, "NODE_PATH": path, "PGHOST": "127.0.0.1", "PGPORT": str(proxy.port), "PGUSER": "app",
                       "PGPASSWORD": proxy.parameters()["password"], "PGDATABASE": "app"}
        done = subprocess.run([node, f"{ROOT}/tests/drivers/node_postgres.js"], env=environment, capture_output=True,
                              text=True, timeout=scaled(60), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(told, {"rows": 200, "prepared": 50, "concurrent": 40, "error": "22012", "notified": "hello",
                                "rolledBack": 0, "cursor": True})
        self.assertEqual(servers.ran("/* node read */"), {"replica1": 1})


if __name__ == "__main__":
    unittest.main()
