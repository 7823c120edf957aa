"""State that lives in a backend keeps its client there, reaches no other client, and lets go when it is gone."""

import unittest

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE TABLE thing (id int)", "INSERT INTO thing VALUES (1)", "CREATE SEQUENCE numbers")
    servers.primary.ask("CREATE EXTENSION dblink; CREATE EXTENSION isn")
    servers.run("CREATE FUNCTION dial(to_ text) RETURNS text LANGUAGE plpgsql AS"
                " $$BEGIN RETURN dblink_connect('by_function', to_); END$$")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=3, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(3)


class Pins(unittest.TestCase):
    def setUp(self):
        self.one, self.other = (raw.logged_in(proxy.port) for _ in range(2))
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def run_one(self, *statements):
        for sql in statements:
            answer = self.one.query(sql)
            self.assertEqual(answer.errors, [], sql)
        return answer

    def disturb(self):
        """Other clients use every backend there is."""
        with Load(proxy.connect2, lambda c: c.cursor().execute("DELETE FROM thing WHERE id = 0"), clients=2) as load:
            load.wait_progress(10)
        self.assertEqual(load.errors, [])

    def pinned(self):
        return proxy.metric("pgsteer_clients_pinned")

    def wait_unpinned(self):
        """The backend is free again: gauges are refreshed about once a second."""
        wait_until(lambda: self.pinned() == 0, message="no client is pinned")
        proxy.fill_pools(3)  # a connection that one client has marked for good is closed behind it
        pids = {self.one.query("SELECT pg_backend_pid(), txid_current()").values[0] for _ in range(9)}
        if len(pids) < 2:
            self.fail(f"backends do not rotate: {pids}\n{proxy.get('/clients')[1]}\n{proxy.get('/status')[1]}")

    def test_a_temporary_table(self):
        for end in ("DROP TABLE scratch", "DISCARD TEMP", "DISCARD ALL"):
            with self.subTest(end):
                self.run_one("CREATE TEMPORARY TABLE scratch (a int)", "INSERT INTO scratch VALUES (5)")
                for _ in range(5):
                    self.assertEqual(self.run_one("SELECT a FROM scratch").values, ["5"])
                    self.assertEqual(self.other.query("SELECT a FROM scratch").sqlstates, ["42P01"])
                self.disturb()
                self.assertEqual(self.run_one("SELECT a FROM scratch").values, ["5"])
                self.run_one(end)
                self.assertEqual(self.one.query("SELECT a FROM scratch").sqlstates, ["42P01"])
                self.wait_unpinned()

    def test_a_backend_that_dies_before_its_state_is_known_ends_the_session(self):
        for sql in ("CREATE TEMPORARY TABLE scratch (a int)", "SET work_mem = '9MB'"):
            with self.subTest(sql):
                client = raw.logged_in(proxy.port)
                self.addCleanup(client.close)
                with servers.primary.connect() as blocker, blocker.cursor() as cursor:
                    blocker.autocommit = False
                    cursor.execute("LOCK TABLE pg_catalog.pg_cursors IN ACCESS EXCLUSIVE MODE")  # asked for the state alone
                    self.assertEqual(client.query(sql).errors, [])
                    waiting = ("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'app'"
                               " AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)")
                    wait_until(lambda: servers.primary.ask(waiting), message="the proxy asks for the state")
                    servers.primary.ask(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) w")
                    wait_until(lambda: not servers.primary.ask(waiting), message="the backend is gone")
                    blocker.rollback()
                self.assertTrue(client.is_closed(), "as from a server that ended the session")

    def test_a_temporary_table_rolled_back(self):
        self.run_one("BEGIN", "CREATE TEMPORARY TABLE undone (a int)", "ROLLBACK")
        self.wait_unpinned()
        self.run_one("BEGIN", "CREATE TEMPORARY TABLE dropped (a int) ON COMMIT DROP", "COMMIT")
        self.wait_unpinned()

    def test_select_into_temp_and_create_as(self):
        self.run_one("SELECT 7 AS a INTO TEMP made", "CREATE TEMP TABLE made2 AS SELECT 8 AS a", "CREATE TEMP VIEW v AS SELECT 9 AS a")
        self.disturb()
        self.assertEqual(self.run_one("SELECT made.a + made2.a + v.a FROM made, made2, v").values, ["24"])

    def test_listen_and_notify(self):
        self.run_one("LISTEN news")
        self.disturb()
        self.other.query("NOTIFY news, 'hello'")
        got = self.one.read_until("A")
        self.assertEqual(got.frames[-1].body, self.other.key[:4] + b"news\0hello\0", "from the process its sender was told")
        # While idle, without a query of its own in between, a second one too.
        self.other.query("SELECT pg_notify('news', 'again')")
        self.assertTrue(self.one.read_until("A").frames[-1].body.endswith(b"news\0again\0"))
        own = [frame.body for frame in self.run_one("NOTIFY news, 'to itself'").frames if frame.type == "A"]
        self.assertEqual(own, [self.one.key[:4] + b"news\0to itself\0"])
        self.run_one("UNLISTEN news")
        self.wait_unpinned()
        self.other.query("NOTIFY news, 'nobody hears'")
        self.assertNotIn("A", self.one.query("SELECT txid_current()").types)

    def test_no_notification_is_lost_behind_the_end_of_a_unit(self):
        # One that comes while the proxy asks its own questions may sit in the same read as their answer.
        with raw.logged_in(servers.primary.port) as direct, \
                Load(proxy.connect2, lambda c: c.cursor().execute("SELECT 1"), clients=2):
            for number in range(300):
                self.run_one("LISTEN busy")
                direct.send(raw.query(f"NOTIFY busy, '{number}'"))
                ending = b"busy\0%d\0" % number
                while not self.one.read_until("A").frames[-1].body.endswith(ending):
                    pass
                direct.answer()
                self.run_one("UNLISTEN busy")

    def test_an_advisory_lock(self):
        self.run_one("SELECT pg_advisory_lock(77)")
        for _ in range(5):
            self.assertEqual(self.other.query("SELECT pg_try_advisory_lock(77)").values, ["f"])
        self.disturb()
        self.assertEqual(self.run_one("SELECT pg_advisory_unlock(77)").values, ["t"])
        self.wait_unpinned()
        self.assertEqual(self.other.query("SELECT pg_try_advisory_lock(77)").values, ["t"])
        self.assertEqual(self.other.query("SELECT pg_advisory_unlock_all()").errors, [])

    def test_a_with_hold_cursor(self):
        self.run_one("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 6)")
        self.assertEqual(self.run_one("FETCH 2 FROM held").values, ["1", "2"])
        self.disturb()
        self.assertEqual(self.run_one("FETCH 2 FROM held").values, ["3", "4"])
        self.assertEqual(self.other.query("FETCH 1 FROM held").sqlstates, ["34000"])
        self.run_one("CLOSE held")
        self.wait_unpinned()

    def test_sql_prepare(self):
        self.run_one("PREPARE plan (int) AS SELECT $1 * 2")
        self.disturb()
        self.assertEqual(self.run_one("EXECUTE plan(21)").values, ["42"])
        self.assertEqual(self.other.query("EXECUTE plan(21)").sqlstates, ["26000"])
        self.run_one("DEALLOCATE plan")
        self.assertEqual(self.one.query("EXECUTE plan(21)").sqlstates, ["26000"])
        self.wait_unpinned()

    def test_a_client_that_leaves_takes_its_state_along(self):
        for state, check, clean in (
                ("CREATE TEMP TABLE left_behind (a int)", "SELECT * FROM left_behind", "42P01"),
                ("PREPARE left_behind AS SELECT 1", "EXECUTE left_behind", "26000"),
                ("DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1", "FETCH left_behind", "34000")):
            with self.subTest(state):
                with raw.logged_in(proxy.port) as leaver:
                    self.assertEqual(leaver.query(state).errors, [])
                wait_until(lambda: self.pinned() == 0, message="no client is pinned")
                for _ in range(9):
                    self.assertEqual(self.other.query(check).sqlstates, [clean])
        with raw.logged_in(proxy.port) as leaver:
            leaver.query("SELECT pg_advisory_lock(78)")
            leaver.query("SET work_mem = '9MB'")
        wait_until(lambda: self.other.query("SELECT pg_try_advisory_lock(78)").values == ["t"], message="unlocked")
        self.other.query("SELECT pg_advisory_unlock_all()")
        for _ in range(9):
            self.assertEqual(self.other.query("SELECT current_setting('work_mem'), txid_current()").values, ["4MB"])

    def test_pinned_clients_use_up_the_pool_and_no_more(self):
        pinned = [raw.logged_in(proxy.port) for _ in range(3)]
        for client in pinned:
            self.addCleanup(client.close)
            self.assertEqual(client.query("CREATE TEMP TABLE mine (a int)").errors, [])
        proxy.reload(acquire_timeout="500ms")
        self.addCleanup(proxy.reload, acquire_timeout=None)
        self.assertEqual(self.other.query("DELETE FROM thing WHERE id = 0").sqlstates, ["53300"])
        for client in pinned:
            self.assertEqual(client.query("INSERT INTO mine VALUES (1)").tags, ["INSERT 0 1"])
        pinned[0].close()
        wait_until(lambda: self.other.query("DELETE FROM thing WHERE id = 0").tags == ["DELETE 0"],
                   message="the backend of a client that left serves others")

    def test_any_temporary_object(self):
        self.run_one("CREATE TABLE IF NOT EXISTS pairs (a int, b int)",
                     "CREATE STATISTICS pg_temp.own ON a, b FROM pairs")
        self.disturb()
        self.run_one("DROP STATISTICS pg_temp.own")
        self.wait_unpinned()

    def test_a_function_in_c_may_remember(self):
        servers.primary.ask("CREATE OR REPLACE FUNCTION remember(real) RETURNS real VOLATILE LANGUAGE c"
                            " AS '$libdir/pg_trgm', 'set_limit'")
        self.run_one("CREATE TABLE IF NOT EXISTS pairs (a int, b int)")  # DDL: the catalog is read anew
        client = raw.logged_in(proxy.port)
        self.addCleanup(client.close)

        def is_known():
            self.assertEqual(client.query("SELECT remember(0.7)").errors, [])
            return "function in C" in str(proxy.get("/clients"))
        wait_until(is_known, message="the catalog is read and the session pinned")
        self.disturb()
        self.assertEqual(client.query("SELECT current_setting('pg_trgm.similarity_threshold')").values, ["0.7"])

    def test_what_extensions_keep_in_a_backend(self):
        to = f"'{servers.primary.url()}'"
        for opens, asks, says in ((f"SELECT dblink_connect('own', {to})", "SELECT dblink_get_connections()", "{own}"),
                                  (f"SELECT dial({to})", "SELECT dblink_get_connections()", "{by_function}"),
                                  ("SELECT isn_weak(true)", "SELECT isn_weak()", "t")):
            with self.subTest(opens), raw.logged_in(proxy.port) as client:
                self.assertEqual(client.query(opens).errors, [])
                for _ in range(4):
                    self.disturb()
                    self.assertEqual(client.query(asks).values, [says])

    def test_what_a_library_says_when_it_is_loaded(self):
        """To who loads it, about what that session has set, whatever others have loaded or set."""
        said = []
        for port in (servers.primary.port, proxy.port):
            with raw.logged_in(port) as one, raw.logged_in(port) as other:
                heard = []
                for who, sql in ((other, "DO 'BEGIN END'"), (other, "DO 'BEGIN END'"), (other, "DO 'BEGIN END'"),
                                 (one, "SET plpgsql.unheard_of = true"), (one, "SELECT 1"), (other, "DO 'BEGIN END'"),
                                 (other, "DO 'BEGIN END'"), (other, "DO 'BEGIN END'"), (one, "LOAD 'plpgsql'"),
                                 (one, "SET plpgsql.unheard_of = true"), (one, "SHOW plpgsql.unheard_of")):
                    answer = who.query(sql)
                    heard.append((sql, answer.types, answer.sqlstates))
                said.append(heard)
        self.assertEqual(said[1], said[0])
        self.wait_unpinned()

    def test_a_custom_setting_once_reset_is_empty_on_every_backend(self):
        self.run_one("SET ours.once = 'x'", "RESET ours.once")
        for _ in range(6):
            self.assertEqual(self.run_one("SELECT current_setting('ours.once')").values, [""])
            self.assertEqual(self.run_one("SELECT current_setting('ours.once'), txid_current()").values[0], "")

    def test_a_pin_has_a_reason(self):
        self.run_one("CREATE TEMP TABLE reasoned (a int)")
        wait_until(lambda: self.pinned() == 1, message="counted")
        def reasons():
            return [name for name, value in proxy.metrics().items() if "pinned_sessions" in name and value == 1]
        wait_until(lambda: len(reasons()) == 1 and "temp" in reasons()[0], message="a metric tells why it is pinned")


class CustomSettings(unittest.TestCase):
    """PostgreSQL cannot forget the name of a custom setting: who never named it must not see that others did."""

    def test_another_clients_name_is_unknown(self):
        servers.run("CREATE TABLE tenants (id int)", "INSERT INTO tenants VALUES (1)", "GRANT SELECT ON tenants TO PUBLIC",
                    "CREATE FUNCTION whose() RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_setting('ours.tenant', true) $$",
                    "CREATE FUNCTION hidden() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('ours.tenant', true); END $$",
                    "CREATE VIEW seen AS SELECT coalesce(current_setting('ours.tenant', true), 'none') AS tenant FROM tenants")
        for rotation in ("always", "most_recent"):
            with self.subTest(rotation):
                other_proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation=rotation)
                self.addCleanup(other_proxy.stop)
                wait_until(lambda p=other_proxy: "Catalog read" in p.log() or p.ask("SELECT whose()") == 0,
                           message="the catalog is read")
                with raw.logged_in(other_proxy.port) as one, raw.logged_in(other_proxy.port) as other:
                    for n, named in enumerate(("SET ours.tenant = 'x'", "BEGIN; SET LOCAL ours.tenant = 'x'; COMMIT",
                                               "SELECT set_config('ours.tenant', 'x', false)")):
                        self.assertEqual(one.query(named).errors, [], named)
                        for _ in range(3):
                            self.assertEqual(other.query("SELECT current_setting('ours.tenant', true)").values, [None], named)
                            self.assertEqual(other.query("SHOW ours.tenant").sqlstates, ["42704"])
                            self.assertEqual(other.query("SELECT whose(), hidden()").rows[0], [None, None])
                            self.assertEqual(other.query("SELECT tenant FROM seen").values, ["none"])
                            for sql in ("BEGIN", "SELECT current_setting('ours.tenant', true)", "COMMIT"):
                                answer = other.query(sql)
                            self.assertIn(one.query("SELECT current_setting('ours.tenant')").values, ([""], ["x"]))


class Sequences(unittest.TestCase):
    def test_currval_is_right_or_refused_and_then_right(self):
        """The first question may come too late: others have used the backend. From then on it is kept."""
        servers.run("CREATE TABLE numbered (id serial, a int)")
        for drawn in ("SELECT nextval('numbers')", "INSERT INTO numbered (a) VALUES (1) RETURNING id"):
            with self.subTest(drawn):
                other_proxy = Proxy(servers.primary.url(), pool_size=2, backend_rotation="always")
                self.addCleanup(other_proxy.stop)
                with raw.logged_in(other_proxy.port) as one, raw.logged_in(other_proxy.port) as other:
                    value = one.query(drawn).values
                    self.assertEqual(one.query("SELECT lastval()").values, value)
                    for _ in range(4):
                        other.query(drawn)
                    answer = one.query("SELECT lastval()")
                    self.assertIn((answer.values, answer.sqlstates), ((value, []), ([], ["55000"])))
                    value = one.query(drawn).values
                    for _ in range(4):
                        other.query(drawn)
                    self.assertEqual(one.query("SELECT lastval()").values, value)

    def test_what_runs_any_sql_asks_where_its_text_does(self):
        with raw.logged_in(proxy.port) as one, raw.logged_in(proxy.port) as other:
            for _ in range(3):
                value = one.query("SELECT nextval('numbers')").values[0]
                for _ in range(4):
                    self.assertEqual(other.query("SELECT nextval('numbers')").errors, [])
                self.assertEqual(one.query("SELECT table_to_xml('thing', true, false, '')").errors, [])
                answer = one.query("SELECT query_to_xml('SELECT lastval() AS last', true, false, '')")
                if answer.sqlstates != ["55000"]:
                    self.assertIn(f"<last>{value}</last>", answer.values[0])

    def test_a_default_that_asks_is_right_at_once(self):
        with raw.logged_in(proxy.port) as one, raw.logged_in(proxy.port) as other:
            for sql in ("CREATE SEQUENCE drawn", "CREATE TABLE twice (a int DEFAULT nextval('drawn'), b int DEFAULT currval('drawn'))"):
                self.assertEqual(one.query(sql).errors, [])
            self.addCleanup(servers.run, "DROP TABLE twice", "DROP SEQUENCE drawn")
            for _ in range(5):
                answer = one.query("INSERT INTO twice DEFAULT VALUES RETURNING b - a")
                self.assertEqual((answer.values, answer.errors), (["0"], []))
                self.assertEqual(other.query("SELECT nextval('drawn')").errors, [])
                answer = one.query("INSERT INTO twice (a) VALUES (1) RETURNING b - (SELECT max(a) FROM twice)")
                self.assertEqual((answer.values, answer.errors), (["0"], []))


class PinnedServerDies(unittest.TestCase):
    def test_a_block_that_was_begun_with_its_first_statement_ends_with_its_process(self):
        with raw.logged_in(proxy.port) as client:
            answer = client.query("BEGIN; SELECT pg_backend_pid()")
            pid = int(answer.values[0])
            servers.primary.ask("SELECT pg_terminate_backend(%s)", (pid,))
            wait_until(lambda: pid not in servers.primary.backends(), message="it is gone")
            client.send(raw.query("SELECT 1"))
            answer = client.answer()
            self.assertEqual((answer.sqlstates, answer.closed), (["57P01"], True))

    def test_the_state_is_lost_and_the_client_is_told(self):
        with raw.logged_in(proxy.port) as client:
            self.assertEqual(client.query("CREATE TEMP TABLE gone (a int)").errors, [])
            pid = int(client.query("SELECT pg_backend_pid() FROM gone RIGHT JOIN (SELECT 1) x ON true").values[0])
            servers.primary.ask("SELECT pg_terminate_backend(%s)", (pid,))
            client.send(raw.query("SELECT * FROM gone"))
            answer = client.answer()
            self.assertIn(answer.sqlstates[0], ("57P01", "08006"))
        self.assertEqual(proxy.ask("SELECT 1"), [(1,)])


if __name__ == "__main__":
    unittest.main()
