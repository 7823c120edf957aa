"""What a program wrote through a connection that it has closed is there for the one it opens next."""

import json
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")
    proxy = Proxy(servers.primary.url(), servers.replica.url())
    unittest.addModuleCleanup(proxy.stop)


class RestartedReplica(unittest.TestCase):
    def test_a_replica_that_came_back_older_than_it_was_is_not_asked(self):
        """A standby lets clients in as soon as it is consistent, which may be before what it had shown."""
        servers.primary.ask("CHECKPOINT")
        servers.wait_for_replay()
        servers.replica.ask("CHECKPOINT")  # it will begin again here, and be consistent at once
        servers.run("INSERT INTO thing VALUES (100)")
        with raw.logged_in(proxy.port) as client:
            def read():
                answer = client.query("SELECT count(*) FROM thing WHERE id = 100 /* before and after */")
                self.assertEqual(answer.errors, [])
                self.assertEqual(answer.values, ["1"])
                return servers.replica.name in servers.ran("before and after")
            wait_until(read, message="the session reads on the replica")
            servers.replica.kill()
            self.addCleanup(self.heal)
            servers.replica.configure(recovery_min_apply_delay="1h")
            servers.replica.start()
            servers.replica.wait_ready()
            self.assertEqual(servers.replica.value("SELECT count(*) FROM thing WHERE id = 100"), 0)
            wait_until(lambda: proxy.health()[0] == 200, message="the proxy has found it again")
            for _ in range(3):
                read()

    def heal(self):
        servers.replica.configure(recovery_min_apply_delay="0")
        servers.replica.reload()
        servers.wait_for_replay()
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")


class SharedSamples(unittest.TestCase):
    def test_what_one_session_has_asked_serves_another_that_wrote_before(self):
        with raw.logged_in(proxy.port) as first, raw.logged_in(proxy.port) as second:
            for client in (first, second):
                self.assertEqual(client.query("INSERT INTO thing VALUES (200)").errors, [])

            def second_reads_away():
                self.assertEqual(second.query("SELECT count(*) FROM thing WHERE id = 200 /* asks */").values, ["2"])
                return servers.replica.name in servers.ran("/* asks */")

            wait_until(second_reads_away, message="the second session reads on the replica")
            self.assertEqual(first.query("SELECT count(*) FROM thing WHERE id = 200 /* asked */").values, ["2"])
            self.assertEqual(list(servers.ran("/* asked */")), [servers.replica.name])
            # What it writes after that is not covered.
            servers.replica.ask("SELECT pg_wal_replay_pause()")
            try:
                self.assertEqual(first.query("INSERT INTO thing VALUES (200)").errors, [])
                self.assertEqual(first.query("SELECT count(*) FROM thing WHERE id = 200 /* anew */").values, ["3"])
            finally:
                servers.replica.ask("SELECT pg_wal_replay_resume()")
            self.assertEqual(list(servers.ran("/* anew */")), [servers.primary.name])
        servers.primary.ask("DELETE FROM thing")


    def test_the_first_read_after_a_write_may_leave_where_reads_follow_writes(self):
        """A session's second write asks with itself how far the primary is."""
        for write in ("INSERT INTO thing VALUES (400)", "BEGIN; INSERT INTO thing VALUES (400)"):
            with self.subTest(write), raw.logged_in(proxy.port) as client:
                self.addCleanup(servers.primary.ask, "DELETE FROM thing")
                written = 0

                def write_and_read(is_first_expected):
                    nonlocal written
                    for sql in (write, *(["COMMIT"] if write.startswith("BEGIN") else [])):
                        self.assertEqual(client.query(sql).errors, [])
                    written += 1
                    servers.wait_for_replay()
                    mark = f"/* read {write[:5]} {written} end */"
                    self.assertEqual(client.query(f"SELECT count(*) FROM thing WHERE id = 400 {mark}").values, [str(written)])
                    return (list(servers.ran(mark)) == [servers.replica.name]) == is_first_expected

                self.assertTrue(write_and_read(is_first_expected=False))
                wait_until(lambda: write_and_read(is_first_expected=True), message="the read goes to the replica")
                servers.primary.ask("DELETE FROM thing")

    def test_a_commit_is_later_than_what_was_asked_between_it_and_the_write(self):
        for level in ("session", "global"):
            with self.subTest(level), raw.logged_in(proxy.port) as first, raw.logged_in(proxy.port) as second:
                self.addCleanup(servers.primary.ask, "DELETE FROM thing")
                self.assertEqual(first.query("BEGIN; INSERT INTO thing VALUES (300)").errors, [])
                for sql in (f"SET pgsteer.consistency = {level}", "INSERT INTO thing VALUES (301)"):
                    self.assertEqual(second.query(sql).errors, [])

                def second_reads_away():
                    self.assertEqual(second.query("SELECT count(*) FROM thing WHERE id = 301 /* between */").values, ["1"])
                    return servers.replica.name in servers.ran("/* between */")

                wait_until(second_reads_away, message="the second session reads on the replica")
                servers.replica.ask("SELECT pg_wal_replay_pause()")
                try:
                    self.assertEqual(first.query("COMMIT").errors, [])
                    reader = first if level == "session" else second
                    self.assertEqual(reader.query("SELECT count(*) FROM thing WHERE id = 300").values, ["1"])
                finally:
                    servers.replica.ask("SELECT pg_wal_replay_resume()")
                servers.primary.ask("DELETE FROM thing")


class NewConnections(unittest.TestCase):
    def ask(self, sql, client=None):
        if client is None:
            with raw.logged_in(proxy.port) as client:
                return self.ask(sql, client)
        answer = client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def clients(self):
        return len(json.loads(proxy.get("/clients")[1])["clients"])

    def stop_replay(self):
        servers.wait_for_replay()
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(servers.replica.ask, "SELECT pg_wal_replay_resume()")

    def test_a_new_connection_reads_what_a_closed_one_wrote(self):
        self.stop_replay()
        self.ask("INSERT INTO thing VALUES (1)")
        wait_until(lambda: self.clients() == 0, message="the first is gone")
        for _ in range(3):
            self.assertEqual(self.ask("SELECT count(*) FROM thing WHERE id = 1"), ["1"])

    def test_as_psql_does_the_new_one_opens_before_the_old_one_closes(self):
        self.stop_replay()
        old = raw.logged_in(proxy.port)
        self.ask("INSERT INTO thing VALUES (2)", old)
        with raw.logged_in(proxy.port) as new:
            old.close()
            wait_until(lambda: self.clients() == 1, message="the first is gone")
            self.assertEqual(self.ask("SELECT count(*) FROM thing WHERE id = 2", new), ["1"])

    def test_reads_return_to_the_replica_when_it_has_caught_up(self):
        self.ask("INSERT INTO thing VALUES (3)")
        wait_until(lambda: self.clients() == 0, message="the first is gone")

        def runs_on_the_replica():
            self.ask("SELECT count(*) FROM thing /* back on the replica */")
            return servers.replica.name in servers.ran("back on the replica")
        wait_until(runs_on_the_replica, message="a new session's read runs on the replica")


if __name__ == "__main__":
    unittest.main()
