"""What a block on a replica sets for itself, as PostgREST and its like begin every transaction: SET LOCAL in a query's
clothes. The block stays where it is, names mean what they mean from then on, and what cannot be followed is the primary's."""

import itertools
import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

CLAIMS = '{"sub": "it\'s 7"}'
ALL = "SELECT set_config('search_path', $1, true), set_config($2, $3, true), set_config('role', $4, true)"


def setUpModule():
    global servers, proxies
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.primary.ask("CREATE ROLE anon; CREATE ROLE careful; GRANT anon, careful TO app")
    servers.run("CREATE SEQUENCE numbers", "CREATE TABLE plain (id int)", "CREATE SCHEMA fit", "CREATE SCHEMA unfit", "GRANT USAGE ON SCHEMA fit, unfit TO public",
                "CREATE TABLE fit.thing (id int, owner text)", "CREATE TABLE fit.bare (id int)", "INSERT INTO fit.thing VALUES (1, 'it''s 7'), (2, 'other')",
                "CREATE FUNCTION fit.next() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM fit.thing'",
                "CREATE FUNCTION unfit.next() RETURNS bigint STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT last_value FROM public.numbers'",
                "GRANT SELECT ON fit.thing, fit.bare TO anon, careful",
                "ALTER TABLE fit.thing ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY own ON fit.thing TO anon USING (owner = current_setting('request.claims', true)::json ->> 'sub')",
                "CREATE TABLE fit.guarded (id int)", "GRANT SELECT ON fit.guarded TO careful", "INSERT INTO fit.guarded VALUES (1), (2)",
                "ALTER TABLE fit.guarded ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY drawn ON fit.guarded TO careful USING (id = unfit.next())")
    servers.wait_for_replay()
    proxies = {}
    for transactions in ("primary", "split"):
        proxy = Proxy(servers.primary.url(), servers.replica.url(), transactions=transactions, pool_size=3,
                      backend_rotation="always", reconnect_delay="100ms")
        unittest.addModuleCleanup(proxy.stop)
        wait_until(lambda of=proxy: of.health()[0] == 200 and "Catalog read" in of.log() or not of.ask("SELECT 1"),
                   message="the catalog is known")
        proxies[transactions] = proxy


class LocalSettings(unittest.TestCase):
    marks = itertools.count()
    begin, proxy = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", "primary"

    def setUp(self):
        self.client = raw.logged_in(proxies[self.proxy].port)
        self.addCleanup(self.client.close)
        self.prepared = set()

    def run_one(self, sql):
        answer = self.client.query(sql)
        self.assertEqual(answer.errors, [], sql)
        return answer

    def values(self, sql):
        return self.run_one(sql).values

    def where(self, sql):
        mark = f"/* local {next(self.marks)} end */"
        self.run_one(f"{sql} {mark}")
        return sorted(servers.ran(mark))

    def begin_on_replica(self):
        """After writes of others, that may take a while."""
        def tries():
            self.run_one(self.begin)
            if self.where("SELECT count(*) FROM plain") == ["replica1"]:
                return True
            self.run_one("COMMIT")
            return False
        wait_until(tries, message="the block reads on the replica")

    def set_all(self, path="fit", claims=CLAIMS, role="anon", name="request.claims", statement=""):
        parse = [] if statement in self.prepared else [raw.parse(ALL, statement)]
        self.client.send(*parse, raw.bind([path, name, claims, role], statement), raw.execute(), raw.SYNC)
        self.prepared |= {statement} - {""}
        answer = self.client.answer()
        self.assertEqual(answer.errors, [])
        self.assertEqual(answer.rows, [[path.encode(), claims.encode(), role.encode()]])

    def test_a_bound_one_is_followed(self):
        for statement in ("", "all", "all"):
            with self.subTest(statement):
                self.begin_on_replica()
                self.set_all(statement=statement)
                self.assertEqual(self.where("SELECT id FROM thing"), ["replica1"])
                self.assertEqual(self.values("SELECT id FROM thing"), ["1"])
                self.assertEqual(self.where("SELECT current_setting('request.claims', true)"), ["replica1"])
                self.assertEqual(self.values("SELECT next()"), ["1"])
                self.run_one("COMMIT")
                self.assertEqual(self.values("SELECT current_user"), ["app"])

    def test_a_statement_that_is_described_first_is_followed(self):
        self.begin_on_replica()
        self.client.send(raw.parse("SELECT set_config('search_path', $1, true)", "path"), raw.describe("S", "path"), raw.FLUSH)
        self.client.read_until("T")
        self.client.send(raw.bind(["unfit, fit"], "path"), raw.execute(), raw.SYNC)
        self.assertEqual(self.client.answer().values, ["unfit, fit"])
        self.assertEqual(self.where("SELECT next()"), ["primary"])
        self.assertEqual(self.values("SELECT current_setting('search_path')"), ["unfit, fit"])
        self.run_one("COMMIT")

    def test_what_names_mean_then_may_be_the_primarys(self):
        self.begin_on_replica()
        self.set_all(path="unfit", role="none")
        self.assertEqual(self.where("SELECT next()"), ["primary"])
        self.assertEqual(self.values("SELECT concat_ws(' ', current_setting('search_path'), current_setting('request.claims'))"),
                         ["unfit " + CLAIMS])
        self.run_one("COMMIT")

    def test_a_policy_counts_and_the_role_moves_along(self):
        self.begin_on_replica()
        self.set_all(role="careful")
        self.assertEqual(self.where("SELECT id FROM guarded"), ["primary"])
        self.assertEqual(self.values("SELECT id FROM guarded"), ["1"])
        self.assertEqual(self.values("SELECT current_user"), ["careful"])
        self.run_one("ROLLBACK")
        self.assertEqual(self.values("SELECT current_user"), ["app"])

    def test_constants_are_followed(self):
        self.begin_on_replica()
        self.assertEqual(self.where("SELECT set_config('search_path', 'unfit, fit', true)"), ["replica1"])
        self.assertEqual(self.where("SELECT id FROM bare"), ["replica1"])
        self.assertEqual(self.where("SELECT next()"), ["primary"])
        self.assertEqual(self.values("SELECT current_setting('search_path')"), ["unfit, fit"])
        self.run_one("COMMIT")

    def test_set_local_is_followed(self):
        self.begin_on_replica()
        self.assertEqual(self.where("SET LOCAL search_path TO fit"), ["replica1"])
        self.assertEqual(self.where("SELECT id FROM bare"), ["replica1"])
        self.assertEqual(self.where("SET LOCAL ROLE careful"), ["replica1"])
        self.assertEqual(self.where("SELECT id FROM bare"), ["replica1"])
        self.assertEqual(self.where("SELECT id FROM guarded"), ["primary"])
        self.assertEqual(self.values("SELECT concat_ws(' ', current_user, current_setting('search_path'))"), ["careful fit"])
        self.run_one("COMMIT")

    def test_the_next_transaction_of_a_chain_has_none_of_it(self):
        if self.proxy == "split":
            return  # COMMIT AND CHAIN moves it
        self.run_one("SET search_path = unfit, public")
        self.begin_on_replica()
        self.run_one("SELECT set_config('search_path', 'fit', true)")
        self.run_one("COMMIT AND CHAIN")
        self.assertEqual(self.client.query("SELECT next()").sqlstates, ["40001"])
        self.run_one("ROLLBACK")

    def test_what_is_not_known_is_the_primarys(self):
        for sql in ("SELECT set_config('search_path', 'un' || 'fit', true)", "SELECT set_config('search_path', 'fit', false)",
                    "SELECT set_config('search_path', 'unfit', true), next()", "SELECT set_config('search_path', 'unfit', true); SELECT 1",
                    "SET LOCAL search_path = unfit; SELECT 1", "SELECT set_config('search_path', 'unfit', true) WHERE true",
                    "SELECT set_config('transaction_isolation', 'read committed', true)", "SET LOCAL search_path = unfit, public"):
            with self.subTest(sql):
                self.begin_on_replica()
                mark = f"/* local {next(self.marks)} end */"
                self.client.query(f"{sql} {mark}")
                self.assertEqual(sorted(servers.ran(mark)), ["primary"])
                self.client.query("ROLLBACK")

    def test_a_null_is_the_primarys(self):
        self.begin_on_replica()
        self.client.send(raw.parse("SELECT set_config('app.x', $1, true)"), raw.bind([None]), raw.execute(), raw.SYNC)
        self.assertEqual(self.client.answer().errors, [])
        self.assertEqual(self.where("SELECT id FROM plain"), ["primary"])
        self.run_one("COMMIT")

    def test_a_pipeline_with_more_is_the_primarys(self):
        self.begin_on_replica()
        self.client.send(raw.parse("SELECT set_config('search_path', $1, true)"), raw.bind(["unfit"]), raw.execute(),
                         raw.parse("SELECT next()"), raw.bind([]), raw.execute(), raw.SYNC)
        self.assertEqual(self.client.answer().errors, [])
        self.assertEqual(self.where("SELECT 1"), ["primary"])
        self.run_one("COMMIT")

    def test_outside_a_block_nothing_stays(self):
        self.run_one("SELECT set_config('search_path', 'unfit', true)")
        self.assertNotEqual(self.values("SELECT current_setting('search_path')"), ["unfit"])


class InSplitBlocks(LocalSettings):
    begin, proxy = "BEGIN", "split"

    def test_it_is_said_again_before_a_write(self):
        self.begin_on_replica()
        self.set_all(role="app")
        self.assertEqual(self.where("INSERT INTO thing SELECT 3, current_setting('request.claims')"), ["primary"])
        self.assertEqual(self.values("SELECT owner FROM thing WHERE id = 3"), [CLAIMS])
        self.run_one("ROLLBACK")

