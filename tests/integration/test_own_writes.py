"""A session sees what it wrote, in whatever way it wrote it, while no standby has replayed it; then its reads leave again."""

import contextlib
import itertools
import json
import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import DATABASE, SUPERUSER
from tests.support.waiting import wait_until

SECOND = "own_writes"
SCHEMA = ("CREATE TABLE thing (id int)",
          "CREATE FUNCTION add_thing(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO thing VALUES ($1); RETURN $1; END'",
          "CREATE PROCEDURE add_twice(int) LANGUAGE plpgsql AS 'BEGIN INSERT INTO thing VALUES (-1); COMMIT; INSERT INTO thing VALUES ($1); COMMIT; END'",
          "CREATE VIEW shown AS SELECT id FROM thing",
          "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=2, max_prepared_transactions="5")
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run(*SCHEMA)
    servers.primary.ask(f"CREATE DATABASE {SECOND}")
    for statement in SCHEMA:
        servers.primary.ask(statement, database=SECOND)
    servers.wait_for_replay()
    proxy = Proxy(servers.primary.url(), servers.replica_url(), pool_size=4, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)


@contextlib.contextmanager
def replay_stopped(replicas):
    for replica in replicas:
        replica.ask("SELECT pg_wal_replay_pause()")
        wait_until(lambda replica=replica: replica.value("SELECT pg_get_wal_replay_pause_state()") == "paused", message="replay has stopped")
    try:
        yield
    finally:
        for replica in replicas:
            replica.ask("SELECT pg_wal_replay_resume()")


class Sessions(unittest.TestCase):
    numbers = itertools.count(1)

    def setUp(self):
        self.number = next(self.numbers)

    def count(self, client, number=None):
        """How many rows of this number there are, and which server said so."""
        mark = f"/* own {next(self.numbers)} end */"
        rows = client.execute(f"SELECT count(*) FROM thing WHERE id = {number or self.number} {mark}").fetchall()
        return rows[0][0], next(iter(servers.ran(mark)))

    def reads_leave(self, client):
        wait_until(lambda: self.count(client)[1] != "primary", message="reads run on a replica")


class OwnWrites(Sessions):
    def check(self, write, database=DATABASE):
        """After write(client), whose session has read on a replica before, nothing else is ever seen."""
        with proxy.connect(dbname=database) as client:
            self.reads_leave(client)
            with replay_stopped(servers.replicas):
                write(client)
                for _ in range(4):  # the second knows a position, and is judged by it
                    self.assertEqual(self.count(client), (1, "primary"))
            self.reads_leave(client)
            self.assertEqual(self.count(client)[0], 1)

    def check_statements(self, *statements, **how):
        self.check(lambda client: [client.execute(each) for each in statements], **how)

    def test_plain_and_prepared(self):
        self.check_statements(f"INSERT INTO thing VALUES ({self.number})")
        self.number = next(self.numbers)
        self.check(lambda client: client.execute("INSERT INTO thing VALUES (%s)", (self.number,), prepare=True))

    def test_committed_asynchronously(self):
        self.check_statements("SET synchronous_commit = off", f"INSERT INTO thing VALUES ({self.number})")

    def test_in_a_block(self):
        self.check_statements("BEGIN", f"INSERT INTO thing VALUES ({self.number})", "SELECT 1", "COMMIT")

    def test_in_a_split_block(self):
        self.check_statements("SET pgsteer.transactions = split", "BEGIN", "SELECT count(*) FROM thing", f"INSERT INTO thing VALUES ({self.number})", "COMMIT")

    def test_in_a_function_a_procedure_and_a_with_query(self):
        for sql in ("SELECT add_thing({0})", "CALL add_twice({0})", "WITH w AS (INSERT INTO thing VALUES ({0}) RETURNING id) SELECT id FROM w",
                    "DO $$ BEGIN INSERT INTO thing VALUES ({0}); END $$"):
            with self.subTest(sql):
                self.number = next(self.numbers)
                self.check_statements(sql.format(self.number))

    def test_by_copy(self):
        def write(client):
            for _ in range(2):  # from then on its writes ask for the position themselves, and COPY must not
                client.execute("INSERT INTO thing VALUES (-2)")
                self.count(client, -2)
            with client.cursor().copy("COPY thing FROM STDIN") as copy:
                copy.write(f"{self.number}\n")
        self.check(write)

    def test_through_a_view(self):
        self.check_statements(f"INSERT INTO shown VALUES ({self.number})")

    def test_of_a_pinned_session(self):
        self.check_statements("CREATE TEMPORARY TABLE held (a int)", f"INSERT INTO thing VALUES ({self.number})")

    def test_prepared_by_another_session(self):
        with proxy.connect() as other:
            other.execute("BEGIN")
            other.execute(f"INSERT INTO thing VALUES ({self.number})")
            other.execute(f"PREPARE TRANSACTION 'own {self.number}'")
        self.check_statements(f"COMMIT PREPARED 'own {self.number}'")

    def test_in_another_database(self):
        self.check_statements(f"INSERT INTO thing VALUES ({self.number})", database=SECOND)
        with proxy.connect() as client:
            self.assertEqual(self.count(client)[0], 0)


class Positions(Sessions):
    def test_reads_leave_where_the_insert_position_stands_behind_a_page_header(self):
        with proxy.connect() as client:
            for _ in range(3):
                client.execute(f"INSERT INTO thing VALUES ({self.number})")
                servers.primary.ask("SELECT pg_switch_wal()")
                self.reads_leave(client)

    def test_a_session_does_not_go_back_from_one_replica_to_an_older_one(self):
        near, old = servers.replicas
        self.addCleanup(servers.heal)
        with replay_stopped([old]):
            servers.primary.ask(f"INSERT INTO thing VALUES ({self.number})")

            def reader_that_has_seen_it():
                client = proxy.connect()
                self.addCleanup(client.close)
                return client if self.count(client) == (1, near.name) else None
            reader = wait_until(reader_that_has_seen_it, message="a session reads on the replica that is up to date")
            near.kill()
            for _ in range(5):
                self.assertEqual(self.count(reader)[0], 1)


class CrashedStandby(unittest.TestCase):
    @staticmethod
    def is_back(proxy):
        return all((s["health"], s["connects"]) == ("up", 2) for s in json.loads(proxy.get("/status")[1])["servers"] if s["role"] == "replica")

    def test_one_that_comes_back_behind(self):
        """What it had replayed and not flushed is gone with it; nobody may be shown less than before."""
        own = Cluster(replicas=1)
        self.addCleanup(own.stop)
        own.run("CREATE TABLE thing (id int)")
        own.wait_for_replay()
        own.primary.ask("CHECKPOINT")
        own.wait_for_replay()
        own.replica.ask("CHECKPOINT")
        proxy = Proxy(own.primary.url(), own.replica.url(), reconnect_delay="100ms")
        self.addCleanup(proxy.stop)
        numbers = itertools.count(1)

        def count(client):
            mark = f"/* crashed {next(numbers)} end */"
            rows = client.execute(f"SELECT count(*) FROM thing {mark}").fetchall()
            return rows[0][0], next(iter(own.ran(mark)))

        with proxy.connect() as writer, proxy.connect() as reader:
            writer.execute("INSERT INTO thing VALUES (1)")
            for client in (writer, reader):
                wait_until(lambda client=client: count(client) == (1, "replica1"), message="the replica shows it")
            own.replica.ask("ALTER SYSTEM SET recovery_min_apply_delay = '1h'")
            own.replica.kill()
            own.replica.start()
            own.replica.wait_ready()
            self.assertEqual(own.replica.value("SELECT count(*) FROM thing"), 0, "it has come back behind")
            wait_until(lambda: self.is_back(proxy), message="it is there again")
            for _ in range(10):
                for client in (writer, reader):
                    self.assertEqual(count(client), (1, "primary"))
            own.replica.ask("ALTER SYSTEM RESET recovery_min_apply_delay")
            own.replica.reload()
            for client in (writer, reader):
                wait_until(lambda client=client: count(client) == (1, "replica1"), message="it shows it again")


if __name__ == "__main__":
    unittest.main()
