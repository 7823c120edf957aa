"""The SQL console and /clients show clients, pools and server connections of a running proxy."""

import json
import subprocess
import unittest

import psycopg
import psycopg2

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import PASSWORD, PG_BIN, USER
from tests.support.waiting import wait_until


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())


class Console(unittest.TestCase):
    def start(self, **settings):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def client(self, proxy, **changes):
        client = proxy.connect(**changes)
        self.addCleanup(client.close)
        return client

    def show(self, proxy, what):
        """The rows of SHOW `what`, as dictionaries."""
        with proxy.connect(dbname="pgsteer") as console:
            cursor = console.execute(f"SHOW {what}")
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]

    def entry(self, proxy, name):
        """What /clients and SHOW CLIENTS say of the client with this application_name."""
        found = [c for c in json.loads(proxy.get("/clients")[1])["clients"] if c["application_name"] == name]
        shown = [c for c in self.show(proxy, "CLIENTS") if c["application_name"] == name]
        self.assertEqual(len(found), 1)
        self.assertEqual([str(found[0]["id"]), found[0]["state"], found[0]["pin"] or ""],
                         [shown[0]["id"], shown[0]["state"], shown[0]["pin"]])
        return found[0]

    def test_clients_show_what_they_do(self):
        proxy = self.start(pool_size=1, acquire_timeout="60s")
        primary = f"127.0.0.1:{servers.primary.port}"
        client = self.client(proxy, application_name="reporter")
        seen = self.entry(proxy, "reporter")
        self.assertEqual((seen["state"], seen["user"], seen["pin"]), ("idle", USER, None))
        self.assertRegex(seen["address"], r"^127\.0\.0\.1:\d+$")
        client.execute("BEGIN")
        seen = self.entry(proxy, "reporter")
        self.assertEqual((seen["state"], seen["target"]), ("idle in transaction", primary))
        self.assertIsNotNone(seen["transaction_ms"])
        waiting = psycopg.connect(**proxy.parameters(application_name="patient"), autocommit=True)
        self.addCleanup(waiting.close)
        waiting.pgconn.send_query(b"DELETE FROM pg_class WHERE false")
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == 1, message="one waits")
        seen = self.entry(proxy, "patient")
        self.assertEqual((seen["state"], seen["target"]), ("waiting", primary))
        self.assertIsNotNone(seen["wait_ms"])
        with self.assertRaises(psycopg.Error):
            client.execute("SELECT 1/0")
        self.assertEqual(self.entry(proxy, "reporter")["state"], "idle in transaction (aborted)")
        client.execute("ROLLBACK")
        client.execute("LISTEN channel")  # its server says so a moment after it has answered
        wait_until(lambda: proxy.metric("pgsteer_clients_pinned") == 1, message="it is pinned")
        self.assertEqual(self.entry(proxy, "reporter")["pin"], "LISTEN")
        client.execute("UNLISTEN *")
        wait_until(lambda: proxy.metric("pgsteer_clients_pinned") == 0, message="it is no longer")
        self.assertIsNone(self.entry(proxy, "reporter")["pin"])

    def test_pools_and_servers(self):
        proxy = self.start(pool_size=4)
        client = self.client(proxy)
        client.execute("BEGIN")
        pid = client.execute("SELECT pg_backend_pid()").fetchone()[0]
        pool, = [p for p in self.show(proxy, "POOLS") if p["role"] == "primary"]
        self.assertEqual((pool["size"], pool["active"], pool["user"]), ("4", "1", USER))
        backend, = [b for b in self.show(proxy, "SERVERS") if b["role"] == "primary"]
        self.assertEqual((backend["pid"], backend["state"]), (str(pid), "idle in transaction"))
        self.assertNotEqual(backend["client"], "")
        client.execute("COMMIT")
        backend, = [b for b in self.show(proxy, "SERVERS") if b["role"] == "primary"]
        self.assertEqual((backend["state"], backend["client"]), ("idle", ""))

    def test_configuration_without_secrets(self):
        proxy = self.start(pool_size=7)
        rows = self.show(proxy, "CONFIG")
        self.assertEqual({r["name"]: r["value"] for r in rows}["pool_size"], "7")
        self.assertNotIn(PASSWORD, json.dumps(rows))
        stats = {r["name"]: r["value"] for r in self.show(proxy, "STATS")}
        self.assertEqual(stats["pgsteer_clients"], "1")
        self.assertRegex(self.show(proxy, "VERSION")[0]["version"], r"^pgsteer \d")

    def test_both_drivers_and_psql(self):
        proxy = self.start()
        with psycopg2.connect(**proxy.parameters(dbname="pgsteer")) as plain, plain.cursor() as cursor:
            cursor.execute("SHOW VERSION")  # behind the driver's own BEGIN
            self.assertRegex(cursor.fetchone()[0], "^pgsteer")
        plain.close()
        with proxy.connect(dbname="pgsteer", prepare_threshold=0) as console:
            for _ in range(3):
                self.assertGreater(len(console.execute("SHOW HELP").fetchall()), 5)
        done = subprocess.run([f"{PG_BIN}/psql", "-X", "-At", proxy.url(database="pgsteer"), "-c", "show clients"],
                              capture_output=True, text=True, check=True)
        self.assertIn("|pgsteer|psql|", done.stdout)

    def test_everything_else_is_refused_and_the_session_goes_on(self):
        proxy = self.start()
        console = self.client(proxy, dbname="pgsteer")
        with self.assertRaises(psycopg.errors.SyntaxError) as caught:
            console.execute("SELECT 1")
        self.assertIn("SHOW CLIENTS", caught.exception.diag.message_hint)
        self.assertTrue(console.execute("SHOW VERSION").fetchone())
        with raw.logged_in(proxy.port, database="pgsteer") as wire:
            wire.send(raw.frame("Q", b"x" * 100000 + b"\0"))
            self.assertEqual(raw.fields(wire.read_frame().body)["C"], "08P01")
            self.assertTrue(wire.is_closed())

    def test_only_the_right_password_comes_in(self):
        proxy = self.start()
        for changes in ({"password": "wrong"}, {"user": "nobody"}):
            with self.assertRaises(psycopg.OperationalError):
                proxy.connect(dbname="pgsteer", **changes)

    def test_asks_no_server(self):
        proxy = Proxy("postgresql://app:secret@127.0.0.1:1/shop")
        self.addCleanup(proxy.stop)
        with proxy.connect(dbname="pgsteer", user="app", password="secret") as console:
            self.assertTrue(console.execute("SHOW CLIENTS").fetchall())

    def test_the_list_is_bounded_and_busy_clients_come_first(self):
        proxy = self.start()
        for _ in range(5):
            self.client(proxy, application_name="lazy")
        busy = self.client(proxy, application_name="busy")
        busy.execute("BEGIN")
        listed = json.loads(proxy.get("/clients?limit=2")[1])
        self.assertEqual((listed["listed"], listed["total"]), (2, 6))
        self.assertEqual(listed["clients"][0]["application_name"], "busy")

    def test_the_log_names_the_application_whose_pins_fill_a_pool(self):
        proxy = self.start(pool_size=4, pin_warning_share=0.25)
        first = self.client(proxy, application_name="listener")
        first.execute("LISTEN a")
        wait_until(lambda: proxy.metric("pgsteer_pool_pinned", role="primary") == 1, message="one is counted")
        self.assertEqual(proxy.log_lines("Pinned sessions"), [])
        second = self.client(proxy, application_name="listener")
        second.execute("LISTEN a")
        line, = proxy.wait_log("Pinned sessions hold")
        self.assertRegex(line, "application=listener")
        self.assertRegex(line, "reason=LISTEN")
        self.assertEqual(proxy.metric("pgsteer_pinned_sessions", reason="LISTEN"), 2)


if __name__ == "__main__":
    unittest.main()
