"""SHOW pgsteer.token in one session, SET pgsteer.token in another: it reads what the first has written."""

import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import DATABASE, PASSWORD, USER
from tests.support.waiting import wait_until


def setUpModule():
    global servers, one, two
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)")
    one = Proxy(servers.primary.url(), servers.replica.url())
    unittest.addModuleCleanup(one.stop)
    two = Proxy(servers.primary.url(), servers.replica.url())
    unittest.addModuleCleanup(two.stop)


class Tokens(unittest.TestCase):
    def setUp(self):
        self.writer, self.reader = self.client(one), self.client(two)
        wait_until(lambda: self.count(self.reader, 0)[1] == "replica1", message="the reader reads on the replica")

    def client(self, proxy, **login):
        client = raw.logged_in(proxy.port, **login)
        self.addCleanup(client.close)
        return client

    def run_one(self, client, sql):
        answer = client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer.values

    def count(self, client, number):
        """How many rows of this number the client sees, and on which server."""
        Tokens.marks = getattr(Tokens, "marks", 0) + 1
        mark = f"mark {Tokens.marks} "
        found = self.run_one(client, f"SELECT count(*) FROM thing WHERE id = {number} /* {mark} */")
        return found[0], next(iter(servers.ran(mark)))

    def stop_replay(self):
        servers.wait_for_replay()
        servers.replica.ask("SELECT pg_wal_replay_pause()")
        self.addCleanup(self.resume_replay)

    def resume_replay(self):
        servers.replica.ask("SELECT pg_wal_replay_resume()")
        servers.wait_for_replay()

    def hand_over(self, number, show=None, take=None):
        """Writes through one pgsteer, hands its token to a session of the other, which must see it."""
        self.run_one(self.writer, f"INSERT INTO thing VALUES ({number})")
        token = (show or (lambda: self.run_one(self.writer, "SHOW pgsteer.token")[0]))()
        self.assertRegex(token, r"^pgsteer-\d+-0000000\d-[0-9A-F]+/[0-9A-F]+$")
        self.assertEqual(self.count(self.reader, number), ("0", "replica1"), "without the token it reads the past")
        (take or (lambda t: self.run_one(self.reader, f"SET pgsteer.token = '{t}'")))(token)
        self.assertEqual(self.count(self.reader, number), ("1", "primary"))
        self.resume_replay()
        wait_until(lambda: self.count(self.reader, number) == ("1", "replica1"), message="the replica has it")
        return token

    def test_another_session_of_another_pgsteer_reads_what_was_written(self):
        self.stop_replay()
        self.hand_over(1)

    def test_it_is_given_and_taken_by_the_extended_protocol(self):
        self.stop_replay()
        writer = one.connect(prepare_threshold=0)
        reader = two.connect(prepare_threshold=0)
        self.addCleanup(writer.close)
        self.addCleanup(reader.close)
        writer.execute("INSERT INTO thing VALUES (2)")
        for _ in range(3):
            (token,) = writer.execute("SHOW pgsteer.token", prepare=True).fetchone()
        self.assertEqual(reader.execute("SELECT count(*) FROM thing WHERE id = 2").fetchone(), (0,))
        reader.execute(f"SET pgsteer.token = '{token}'", prepare=True)
        self.assertEqual(reader.execute("SELECT count(*) FROM thing WHERE id = 2").fetchone(), (1,))
        other = two.connect()
        self.addCleanup(other.close)
        self.assertEqual(other.execute("SELECT count(*) FROM thing WHERE id = 2").fetchone(), (0,))
        other.execute("SELECT set_config('pgsteer.token', %s, false)", (token,))
        self.assertEqual(other.execute("SELECT count(*) FROM thing WHERE id = 2").fetchone(), (1,))

    def test_it_works_in_transaction_blocks(self):
        self.stop_replay()

        def show():
            self.run_one(self.writer, "BEGIN")
            token = self.run_one(self.writer, "SHOW pgsteer.token")[0]
            self.run_one(self.writer, "COMMIT")
            return token

        def take(token):
            self.run_one(self.reader, "BEGIN")
            self.run_one(self.reader, f"SET pgsteer.token = '{token}'")
            self.run_one(self.reader, "ROLLBACK")  # what it has been told, it knows
        self.hand_over(3, show, take)

    def test_it_may_come_with_the_connection(self):
        self.stop_replay()
        self.run_one(self.writer, "INSERT INTO thing VALUES (4)")
        token = self.run_one(self.writer, "SHOW pgsteer.token")[0]
        late = self.client(two, options=f"-c pgsteer.token={token}")
        self.assertEqual(self.count(late, 4), ("1", "primary"))
        with self.assertRaisesRegex(psycopg.OperationalError, 'invalid value for parameter "pgsteer.token"'):
            two.connect(options="-c pgsteer.token=nonsense")

    def test_a_session_of_level_eventual_heeds_it(self):
        self.stop_replay()
        self.run_one(self.reader, "SET pgsteer.consistency = eventual")
        self.hand_over(5)

    def test_a_reader_hands_on_what_it_has_seen(self):
        self.stop_replay()
        self.run_one(self.writer, "INSERT INTO thing VALUES (6)")
        between = self.client(one)
        self.run_one(between, "BEGIN")
        self.assertEqual(self.run_one(between, "SELECT count(*) FROM thing WHERE id = 6"), ["1"])
        self.run_one(between, "COMMIT")
        token = self.run_one(between, "SHOW pgsteer.token")[0]
        self.run_one(self.reader, f"SET pgsteer.token = '{token}'")
        self.assertEqual(self.count(self.reader, 6)[0], "1")

    def test_it_moves_on_and_leaves_nothing_behind(self):
        token = self.run_one(self.writer, "SHOW pgsteer.token")[0]
        self.run_one(self.writer, "INSERT INTO thing VALUES (7)")
        self.assertNotEqual(self.run_one(self.writer, "SHOW pgsteer.token")[0], token)
        self.run_one(self.reader, f"SET pgsteer.token = '{token}'")
        self.assertNotEqual(self.run_one(self.reader, "SHOW pgsteer.token")[0], token)
        self.run_one(self.reader, "BEGIN")
        self.assertIn(self.run_one(self.reader, "SELECT current_setting('pgsteer.token', true)")[0], ("", None))
        self.run_one(self.reader, "COMMIT")
        self.assertGreater(two.metric("pgsteer_tokens_total"), 0)

    def test_what_is_none_is_refused(self):
        token = self.run_one(self.writer, "SHOW pgsteer.token")[0]
        system = token.split("-")[1]
        strange = token.replace(system, str(int(system) + 1))
        for wrong, hint in (("nonsense", "what SHOW pgsteer.token answers"), (token[:-1] + "x", "SHOW"),
                            (strange, "another database system")):
            refused = self.reader.query(f"SET pgsteer.token = '{wrong}'").errors
            self.assertEqual([error["C"] for error in refused], ["22023"], wrong)
            self.assertIn(hint, refused[0]["H"])
        self.assertEqual(self.count(self.reader, 0)[1], "replica1", "nothing has changed for it")

    def test_in_a_block_a_wrong_value_fails_the_block(self):
        for wrong, code in (("pgsteer.token = 'nonsense'", "22023"), ("pgsteer.route = 'somewhere'", "22023"),
                            ("LOCAL pgsteer.max_lag = 'soon'", "22023"), ("pgsteer.rute = 'primary'", "42704")):
            self.run_one(self.writer, "BEGIN")
            answer = self.writer.query(f"SET {wrong}")
            self.assertEqual((answer.sqlstates, answer.status), ([code], "E"), wrong)
            self.assertEqual(self.writer.query("SELECT 1").sqlstates, ["25P02"])
            self.assertEqual(self.writer.query("ROLLBACK").status, "I")
        with one.connect(prepare_threshold=0) as client, self.assertRaises(psycopg.errors.InvalidParameterValue):
            with client.transaction():
                client.execute("SET pgsteer.token = 'nonsense'", prepare=True)

    def test_an_open_idle_transaction_does_not_keep_a_token_from_replicas(self):
        """What it has inserted is not flushed, and no replica ever sees it: the primary is asked once."""
        with psycopg.connect(host="127.0.0.1", port=servers.primary.port, user=USER, password=PASSWORD,
                             dbname=DATABASE) as idle:
            idle.execute("INSERT INTO thing VALUES (8)")
            token = self.run_one(self.writer, "SHOW pgsteer.token")[0]
            self.run_one(self.reader, f"SET pgsteer.token = '{token}'")
            wait_until(lambda: self.count(self.reader, 0)[1] == "replica1", message="it reads on the replica again")


if __name__ == "__main__":
    unittest.main()
