"""COPY both ways, in text and binary, whole and broken off."""

import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE source (id int, name text)",
                "INSERT INTO source SELECT g, 'row ' || g FROM generate_series(1, 50000) g")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2)
    unittest.addModuleCleanup(proxy.stop)


class Copy(unittest.TestCase):
    def setUp(self):
        servers.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (id int, name text)")

    def count(self):
        return servers.primary.value("SELECT count(*) FROM target")

    def wait_for_replica(self, client, form):
        """Until what closed connections have written is known to be on the replica."""
        marker = f"/* leaves {form} */"

        def leaves():
            client.execute(f"SELECT count(*) FROM source {marker}")
            return "replica1" in servers.ran(marker)
        wait_until(leaves, message="reads leave the primary")

    def test_data_in_one_batch_with_its_copy(self):
        def run(sql):
            return raw.parse(sql) + raw.bind([]) + raw.execute()
        copy = run("COPY target (id) FROM STDIN")
        good, bad = raw.frame("d", b"7\n") + raw.frame("c"), raw.frame("d", b"z\n") + raw.frame("c")
        batches = {
            "copy, then a query": copy + good + run("SELECT 1") + raw.SYNC, "a bad row, then a query": copy + bad + run("SELECT 1") + raw.SYNC,
            "copy alone": copy + good + raw.SYNC, "a bad row": copy + bad + raw.SYNC,
            "given up": copy + raw.frame("f", b"no\0") + run("SELECT 1") + raw.SYNC,
            "behind a query": run("SELECT 1") + copy + good + raw.SYNC,
            "behind a write": run("INSERT INTO target VALUES (1)") + copy + good + raw.SYNC,
            "twice": copy + good + copy + good + raw.SYNC, "data for nobody": run("SELECT 1") + good + run("SELECT 2") + raw.SYNC,
        }
        with raw.logged_in(proxy.port) as client, raw.logged_in(servers.primary.port) as direct:
            for name, batch in batches.items():
                answers, left = [], []
                for each in (direct, client):
                    servers.run("TRUNCATE target")
                    each.send(batch)
                    answers.append(each.read_until("Z").frames)
                    answers.append(each.query("SELECT 3").frames)
                    left.append(self.count())
                self.assertEqual(answers[2:], answers[:2], name)
                self.assertEqual(left[1], left[0], name)
        self.assertEqual(proxy.metric("pgsteer_ledger_mismatches_total"), 0)

    def test_there_and_back(self):
        for form in ("text", "csv", "binary"):
            with self.subTest(form), proxy.connect() as reader, proxy.connect() as writer:
                writer.execute("TRUNCATE target")
                self.wait_for_replica(reader, form)
                with reader.cursor().copy(f"COPY source TO STDOUT (FORMAT {form}) /* out {form} */") as out, \
                        writer.cursor().copy(f"COPY target FROM STDIN (FORMAT {form}) /* in {form} */") as into:
                    for block in out:
                        into.write(block)
                self.assertEqual(servers.primary.value("SELECT count(*) FROM source JOIN target USING (id, name)"), 50000)
                self.assertEqual(servers.ran(f"/* out {form} */"), {"replica1": 1})
                self.assertEqual(servers.ran(f"/* in {form} */"), {"primary": 1})

    def test_a_bad_row_half_way(self):
        with proxy.connect() as client:
            with self.assertRaises(psycopg.errors.InvalidTextRepresentation) as caught:
                with client.cursor().copy("COPY target FROM STDIN") as copy:
                    for number in range(20000):
                        copy.write(f"{number}\tfine\n")
                    copy.write("not a number\tbad\n")
                    for number in range(20000):
                        copy.write(f"{number}\tfine\n")
            self.assertIn("line 20001", caught.exception.diag.context)
            self.assertEqual(client.execute("SELECT 1").fetchone(), (1,))
        self.assertEqual(self.count(), 0)

    def test_the_client_fails_it(self):
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query("COPY target FROM STDIN"))
            client.read_until("G")
            client.send(raw.frame("d", b"1\tone\n"), raw.frame("f", b"changed my mind\0"))
            answer = client.answer()
            self.assertEqual((answer.sqlstates, answer.status), (["57014"], "I"))
            self.assertEqual(client.query("SELECT 2").values, ["2"])
        self.assertEqual(self.count(), 0)

    def test_the_client_vanishes_half_way(self):
        client = raw.logged_in(proxy.port)
        client.send(raw.query("COPY target FROM STDIN /* vanishing */"))
        client.read_until("G")
        client.send(raw.frame("d", b"1\tone\n") * 1000)
        client.close()
        wait_until(lambda: servers.primary.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%vanishing%'"
                                                 " AND state = 'active' AND application_name <> 'test'") == 0,
                   message="the COPY is ended on the server")
        self.assertEqual(self.count(), 0)
        self.assertEqual(proxy.ask("DELETE FROM target RETURNING 1"), [])

    def test_the_reader_vanishes_half_way(self):
        client = raw.logged_in(proxy.port)
        client.send(raw.query("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000)) TO STDOUT /* unread */"))
        for _ in range(100):
            client.read_frame()
        client.close()
        for server in servers.servers():
            wait_until(lambda s=server: s.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* unread */%'"
                                                " AND state = 'active' AND application_name <> 'test'") == 0,
                       message="the COPY is ended on the server")
        self.assertEqual(proxy.ask("SELECT 1"), [(1,)])

    def test_copy_done_and_a_query_in_one_packet(self):
        with raw.logged_in(proxy.port) as client:
            client.send(raw.query("COPY target FROM STDIN"), raw.frame("d", b"1\tone\n2\ttwo\n"), raw.frame("c"),
                        raw.query("SELECT count(*) FROM target, (SELECT txid_current()) AS on_primary"))
            answer = client.answers(2)
            self.assertEqual((answer.types, answer.values), ("GCZTDCZ", ["2"]))

    def test_in_a_transaction(self):
        with proxy.connect(autocommit=False) as client:
            with client.cursor().copy("COPY target FROM STDIN") as copy:
                copy.write_row((1, "one"))
            self.assertEqual(client.execute("SELECT count(*) FROM target").fetchone(), (1,))
            client.rollback()
        self.assertEqual(self.count(), 0)


class CopyOnTheWire(unittest.TestCase):
    def setUp(self):
        servers.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (id int, name text)")
        self.twins = Twins(self, servers.primary.port, proxy.port)

    def test_extended_protocol(self):
        self.twins.ask(raw.parse("COPY target FROM STDIN"), raw.bind(), raw.execute(), raw.SYNC,
                       raw.frame("d", b"1\tone\n"), raw.frame("c"), raw.SYNC, ready=1)
        self.twins.query("ROLLBACK")
        self.twins.ask(raw.parse("COPY (SELECT 1, 2) TO STDOUT"), raw.bind(), raw.describe("P"), raw.execute(), raw.SYNC)

    def test_strays_outside_copy_are_ignored(self):
        self.twins.ask(raw.frame("d", b"stray"), raw.frame("c"), raw.frame("f", b"why\0"), raw.query("SELECT 1"))
        self.twins.query("SELECT 2")

    def test_flush_and_sync_during_copy_are_ignored(self):
        self.twins.ask(raw.query("COPY target FROM STDIN"), raw.frame("d", b"1\tone\n"), raw.FLUSH, raw.SYNC,
                       raw.frame("d", b"2\ttwo\n"), raw.frame("c"))
        self.twins.query("SELECT id FROM target ORDER BY id FOR UPDATE")

    def test_a_query_during_copy_fails_it(self):
        self.twins.ask(raw.query("COPY target FROM STDIN"), raw.frame("d", b"1\tone\n"), raw.query("SELECT 1"))

    def test_two_copies_in_one_string(self):
        self.twins.ask(raw.query("COPY target FROM STDIN; SELECT 5; COPY target FROM STDIN"),
                       raw.frame("d", b"1\tone\n"), raw.frame("c"), raw.frame("d", b"2\ttwo\n"), raw.frame("c"))

    def test_copy_of_a_table_that_is_not_there(self):
        self.twins.ask(raw.query("COPY no_such_table FROM STDIN"), raw.frame("d", b"1\n"), raw.frame("c"),
                       raw.query("SELECT 1"), ready=2)


if __name__ == "__main__":
    unittest.main()
