"""Replication connections pass through to the primary, one connection each, outside the pools."""

import os
import subprocess
import tempfile
import threading
import unittest

import psycopg2
from psycopg2.extras import LogicalReplicationConnection, PhysicalReplicationConnection

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import PASSWORD, PG_BIN, USER, own
from tests.support.waiting import scaled, wait_until

_HBA = """
local all all trust
host replication replicator 127.0.0.1/32 trust
host replication all 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


def setUpModule():
    global servers, proxy
    directory = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(directory.cleanup)
    os.chmod(directory.name, 0o755)
    with open(f"{directory.name}/hba", "w") as hba:
        hba.write(_HBA)
    own(directory.name)
    servers = Cluster(replicas=1, hba_file=f"{directory.name}/hba", wal_level="logical")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.primary.ask(f"ALTER ROLE {USER} REPLICATION")
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing SELECT generate_series(1, 50000)")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=1)
    unittest.addModuleCleanup(proxy.stop)


class Replication(unittest.TestCase):
    def connect(self, factory):
        connection = psycopg2.connect(host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, dbname="app",
                                      connection_factory=factory)
        self.addCleanup(connection.close)
        return connection

    def test_both_kinds_ask_the_primary_who_it_is(self):
        for factory, database in ((PhysicalReplicationConnection, None), (LogicalReplicationConnection, "app")):
            connections = [self.connect(factory) for _ in range(3)]  # more than the pool has
            for connection in connections:
                with connection.cursor() as cursor:
                    cursor.execute("IDENTIFY_SYSTEM")
                    self.assertEqual(cursor.fetchone()[3], database)
                    self.assertEqual(connection.info.backend_pid, servers.primary.value(
                        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender' AND pid = %s",
                        (connection.info.backend_pid,)))
            self.assertEqual(proxy.ask("SELECT 1"), [(1,)])
            self.assertIn("replication", proxy.get("/clients")[1])
            for connection in connections:
                connection.close()
                wait_until(lambda c=connection: self.is_gone(c.info.backend_pid), message="it ends with its client")

    def is_gone(self, pid):
        return not servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,))

    def test_changes_stream_through(self):
        connection = self.connect(LogicalReplicationConnection)
        with connection.cursor() as cursor:
            cursor.create_replication_slot("through", output_plugin="test_decoding")
            self.addCleanup(servers.primary.ask, "SELECT pg_drop_replication_slot('through')")
            self.addCleanup(connection.close)
            cursor.start_replication("through", decode=True)
            servers.run("INSERT INTO thing VALUES (-1)")
            seen = []

            def arrives():
                message = cursor.read_message()
                if message is not None:
                    seen.append(message.payload)
                return any("INSERT: id[integer]:-1" in each for each in seen)
            wait_until(arrives, message="the change arrives")
        connection.close()
        wait_until(lambda: servers.primary.ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'through'")
                   == [(False,)], message="the slot is free")

    def test_a_base_backup(self):
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run([f"{PG_BIN}/pg_basebackup", "-h", "127.0.0.1", "-p", str(proxy.port), "-U", USER, "-D",
                                   f"{directory}/copy", "-X", "fetch", "-c", "fast"], env={**os.environ, "PGPASSWORD": PASSWORD},
                                  capture_output=True, text=True, timeout=scaled(100), check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(os.path.exists(f"{directory}/copy/backup_label"))

    def test_a_role_that_may_not_is_refused_in_the_servers_words(self):
        servers.primary.ask(f"ALTER ROLE {USER} NOREPLICATION")
        self.addCleanup(servers.primary.ask, f"ALTER ROLE {USER} REPLICATION")
        with raw.RawClient(proxy.port) as client:
            answer = client.login(replication="database")
            self.assertEqual(answer.sqlstates, ["42501"])
            self.assertIn("replication", answer.errors[0]["M"])

    def test_a_cancel_reaches_what_it_runs(self):
        connection = self.connect(LogicalReplicationConnection)
        failures = []

        def sleep():
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(600)")
            except psycopg2.errors.QueryCanceled as failure:
                failures.append(failure)
        sleeper = threading.Thread(target=sleep)
        sleeper.start()
        wait_until(lambda: servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%'"
                                               " AND backend_type = 'walsender' AND state = 'active'"), message="it sleeps")
        connection.cancel()
        sleeper.join(scaled(30))
        self.assertEqual(len(failures), 1)

    def test_a_primary_that_is_away_is_named(self):
        servers.primary.stop()
        try:
            with raw.RawClient(proxy.port) as client:
                answer = client.login(replication="true")
        finally:
            servers.primary.start()
            servers.primary.wait_ready()
        self.assertEqual(answer.sqlstates, ["08006"])
        self.assertIn(f"127.0.0.1:{servers.primary.port}", answer.errors[0]["M"])
        self.assertIn("refused", answer.errors[0]["D"])
        self.assertIn("pg_hba.conf", answer.errors[0]["H"])

    def test_settings_of_the_startup_packet_hold(self):
        with raw.RawClient(proxy.port) as client:
            self.assertEqual(client.login(replication="database", application_name="a b\\c", options="-c work_mem=7MB").status, "I")
            self.assertEqual(client.query("SHOW work_mem").values, ["7MB"])
            self.assertEqual(client.query("SHOW application_name").values, ["a b\\c"])


if __name__ == "__main__":
    unittest.main()
