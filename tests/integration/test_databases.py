"""Limits of single databases, over all users that work in them, and connections that several users share."""

import threading
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy, run
from tests.support.waiting import scaled, wait_until

OTHER = {"user": "other", "password": "other pass"}
QUIET = {"user": "quiet", "password": "quiet pass"}


def setUpModule():
    global servers
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())


def users(**limits):
    """`users` of the tests; limits of one as other={"pool_size": 1}."""
    return [{"name": login["user"], "password": login["password"], **limits.get(login["user"], {})}
            for login in (OTHER, QUIET)]


def start(test, *databases, of_users=None, **settings):
    proxy = Proxy(servers.primary.url(), servers.replica.url(), users=users(**(of_users or {})),
                  databases=list(databases), **settings)
    test.addCleanup(proxy.stop)
    return proxy


def refusals(port, **login):
    with raw.RawClient(port) as client:
        return client.login(**login).errors


def opened(*names):
    """Connections to the primary of these users: {(user, database): how many}."""
    rows = servers.primary.ask(
        "SELECT usename::text, datname::text, count(*) FROM pg_stat_activity WHERE usename = ANY(%s)"
        " AND application_name <> 'test' GROUP BY 1, 2", (list(names),))
    return {(user, database): count for user, database, count in rows}


def total(*names):
    return sum(opened(*names).values())


def write(client):
    """The transaction's number: later ones have higher ones."""
    cursor = client.cursor()
    cursor.execute("SELECT txid_current()")
    return cursor.fetchone()[0]


def wait_old(user):
    """Waits until a connection has been the user's for so long that it may be given to others."""
    wait_until(lambda: servers.primary.ask("SELECT 1 FROM pg_stat_activity WHERE usename = %s"
                                           " AND backend_start < clock_timestamp() - make_interval(secs => %s)",
                                           (user, scaled(0.5))))


class Watch:
    """Looks at the connections of some users all the time; `most` is how many there were at once."""

    def __init__(self, count):
        self._count, self._stopping, self.most = count, threading.Event(), 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        while not self._stopping.is_set():
            self.most = max(self.most, self._count())


class Limits(unittest.TestCase):
    def test_clients_of_one_database(self):
        proxy = start(self, {"name": "second", "max_clients": 2})
        one, two = proxy.connect(dbname="second"), proxy.connect(dbname="second", **OTHER)
        self.addCleanup(one.close)
        refused = refusals(proxy.port, database="second", **QUIET)
        self.assertEqual([(e["S"], e["C"], e["M"]) for e in refused],
                         [("FATAL", "53300", 'too many connections for database "second"')])
        self.assertIn("max_clients", refused[0]["D"] + refused[0]["H"])
        self.assertEqual(proxy.ask("SELECT current_database()::text", **QUIET), [("app",)])
        two.close()
        wait_until(lambda: not refusals(proxy.port, database="second", **QUIET), message="there is room again")

    def test_is_refused_in_the_servers_words(self):
        proxy = start(self, {"name": "second", "max_clients": 1})
        self.addCleanup(servers.primary.ask, "ALTER DATABASE second CONNECTION LIMIT -1")
        servers.primary.ask("ALTER DATABASE second CONNECTION LIMIT 0")
        servers_own = refusals(servers.primary.port, database="second", **OTHER)
        servers.primary.ask("ALTER DATABASE second CONNECTION LIMIT -1")
        with proxy.connect(dbname="second"):
            got = refusals(proxy.port, database="second", **OTHER)
        self.assertEqual([[e[key] for key in "SCM"] for e in got], [[e[key] for key in "SCM"] for e in servers_own])

    def test_a_users_limit_is_named_before_the_databases(self):
        proxy = start(self, {"name": "app", "max_clients": 1}, of_users={"other": {"max_clients": 1}})
        with proxy.connect(**OTHER):
            self.assertEqual([e["M"] for e in refusals(proxy.port, **OTHER)], ['too many connections for role "other"'])
            self.assertEqual([e["M"] for e in refusals(proxy.port, **QUIET)],
                             ['too many connections for database "app"'])

    def test_of_two_pool_sizes_the_smaller_counts(self):
        proxy = start(self, {"name": "app", "pool_size": 3}, {"name": "second", "pool_size": 40},
                      of_users={"other": {"pool_size": 2}, "quiet": {"pool_size": 4}}, pool_size=7)
        for login, database, size in (({}, "app", 3), (OTHER, "app", 2), (QUIET, "app", 3), ({}, "second", 40),
                                      (OTHER, "second", 2), ({}, "postgres", 7), (QUIET, "postgres", 4)):
            proxy.ask("SELECT 1", dbname=database, **login)
            user = login.get("user", "app")
            with self.subTest(user=user, database=database):
                wait_until(lambda u=user, d=database, s=size: proxy.metric(
                    "pgsteer_pool_size", user=u, database=d, role="primary") == s)

    def test_pool_size_bounds_each_pool(self):
        proxy = start(self, {"name": "app", "pool_size": 2})
        with Watch(lambda: max(opened("other", "quiet").values(), default=0)) as watch, \
                Load(lambda: proxy.connect2(**OTHER), write, clients=4) as one, \
                Load(lambda: proxy.connect2(**QUIET), write, clients=4) as two:
            wait_until(lambda: opened("other", "quiet") == {("other", "app"): 2, ("quiet", "app"): 2})
            one.wait_progress()
        self.assertEqual((watch.most, one.errors, two.errors), (2, [], []))

    def test_pool_mode(self):
        proxy = start(self, {"name": "second", "pool_mode": "session"}, of_users={"quiet": {"pool_mode": "transaction"}})
        for login, database, pins in (({}, "second", 1), (OTHER, "second", 1), (QUIET, "second", 0), (OTHER, "app", 0)):
            with self.subTest(database=database, **login), proxy.connect(dbname=database, **login) as client:
                client.execute("SELECT 1")
                wait_until(lambda n=pins: proxy.metric("pgsteer_clients_pinned") == n)
            wait_until(lambda: proxy.metric("pgsteer_clients_pinned") == 0)

    def test_reload(self):
        proxy = start(self)
        with proxy.connect(**OTHER) as client:
            proxy.reload(databases=[{"name": "app", "max_clients": 1, "pool_size": 4}])
            self.assertEqual([e["C"] for e in refusals(proxy.port, **QUIET)], ["53300"])
            wait_until(lambda: proxy.metric("pgsteer_pool_size", user="other", database="app", role="primary") == 4)
            client.execute("SELECT 1")
            proxy.reload(databases=[])
            self.assertEqual(refusals(proxy.port, **QUIET), [])


class Connections(unittest.TestCase):
    def test_no_more_than_allowed_under_load_and_nobody_starves(self):
        proxy = start(self, {"name": "app", "max_connections": 3}, acquire_timeout="20s", pool_size=5)
        with Watch(lambda: total("other", "quiet")) as watch, \
                Load(lambda: proxy.connect2(**OTHER), write, clients=8) as one, \
                Load(lambda: proxy.connect2(**QUIET), write, clients=8) as two:
            for load in (one, two, one, two):
                load.wait_progress(100)
        self.assertEqual((one.errors, two.errors), ([], []))
        self.assertEqual(watch.most, 3)

    def test_reads_on_a_replica_share_too(self):
        proxy = start(self, {"name": "app", "max_connections": 1}, consistency="eventual", acquire_timeout="20s")

        def read(client):
            client.cursor().execute("SELECT 1 /* shared */")

        with Load(lambda: proxy.connect2(**OTHER), read, clients=3) as one, \
                Load(lambda: proxy.connect2(**QUIET), read, clients=3) as two:
            one.wait_progress(100)
            two.wait_progress(100)
        self.assertEqual((one.errors, two.errors), ([], []))

    def test_an_idle_connection_is_given_up(self):
        proxy = start(self, {"name": "app", "max_connections": 1})
        with proxy.connect(**OTHER) as one, proxy.connect(**QUIET) as two:
            for _ in range(3):
                write(one)
                self.assertEqual(opened("other", "quiet"), {("other", "app"): 1})
                write(two)
                self.assertEqual(opened("other", "quiet"), {("quiet", "app"): 1})

    def test_first_come_first_served(self):
        proxy = start(self, {"name": "app", "max_connections": 1}, acquire_timeout="20s")
        holder, same, another = (proxy.connect2(**login) for login in (OTHER, OTHER, QUIET))
        for client in (holder, same, another):
            self.addCleanup(client.close)
        numbers, threads = {}, []

        def take(client, name):
            numbers[name] = write(client)

        holder.autocommit = False
        write(holder)
        for waiting, (client, name) in enumerate(((another, "another"), (same, "same")), 1):
            threads.append(threading.Thread(target=take, args=(client, name), daemon=True))
            threads[-1].start()
            wait_until(lambda n=waiting: proxy.metric("pgsteer_clients_waiting") == n)
        wait_old("other")
        holder.commit()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(numbers, key=numbers.get), ["another", "same"])

    def test_who_waits_in_vain_is_told_for_what(self):
        proxy = start(self, {"name": "app", "max_connections": 1}, acquire_timeout=f"{scaled(2)}s")
        with proxy.connect(**QUIET) as waits, proxy.connect(autocommit=False, **OTHER) as holds:
            holds.execute("SELECT txid_current()")
            with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
                waits.execute("SELECT txid_current()")
            self.assertIn('All 1 backends that max_connections allows database "app"', caught.exception.diag.message_detail)
            self.assertIn("max_connections of the database", caught.exception.diag.message_hint)
            holds.commit()
            waits.execute("SELECT txid_current()")

    def test_over_all_databases_of_one_user(self):
        proxy = start(self, of_users={"other": {"max_connections": 2}}, acquire_timeout="20s")
        with Watch(lambda: total("other")) as watch, \
                Load(lambda: proxy.connect2(**OTHER), write, clients=4) as one, \
                Load(lambda: proxy.connect2(dbname="second", **OTHER), write, clients=4) as two, \
                Load(lambda: proxy.connect2(**QUIET), write, clients=4) as three:
            for load in (one, two, three, one, two):
                load.wait_progress()
        self.assertEqual((one.errors, two.errors, three.errors), ([], [], []))
        self.assertEqual(watch.most, 2)

    def test_limits_of_users_and_databases_at_once(self):
        proxy = start(self, {"name": "app", "max_connections": 2}, {"name": "second", "max_connections": 1},
                      of_users={"other": {"max_connections": 1}, "quiet": {"max_connections": 2}}, acquire_timeout="30s")
        loads = [Load(lambda login=login, database=database: proxy.connect2(dbname=database, **login), write, clients=2)
                 for login in (OTHER, QUIET) for database in ("app", "second")]
        with Watch(lambda: total("other")) as of_other, Watch(lambda: total("other", "quiet")) as of_all, \
                loads[0], loads[1], loads[2], loads[3]:
            for load in loads + loads:
                load.wait_progress(20, timeout=40)
        self.assertEqual([load.errors for load in loads], [[]] * 4)
        self.assertEqual(of_other.most, 1)
        self.assertLessEqual(of_all.most, 3)

    def test_a_lower_limit_after_a_reload(self):
        proxy = start(self, {"name": "app", "max_connections": 4}, acquire_timeout="20s")
        with Load(lambda: proxy.connect2(**OTHER), write, clients=6) as load:
            wait_until(lambda: total("other") == 4)
            proxy.reload(databases=[{"name": "app", "max_connections": 2}])
            wait_until(lambda: total("other") == 2)
            with Watch(lambda: total("other")) as watch:
                load.wait_progress(100)
        self.assertEqual((load.errors, watch.most), ([], 2))

    def test_sessions_that_keep_theirs(self):
        proxy = start(self, {"name": "app", "max_connections": 1, "pool_mode": "session"}, acquire_timeout="20s")
        first = proxy.connect(**OTHER)
        second = []
        thread = threading.Thread(target=lambda: second.append(proxy.connect(**QUIET)), daemon=True)
        thread.start()
        wait_until(lambda: proxy.metric("pgsteer_clients_waiting") == 1)
        self.assertEqual(opened("other", "quiet"), {("other", "app"): 1})
        first.close()
        thread.join()
        with second[0] as client:
            self.assertEqual(client.execute("SELECT current_user::text").fetchone(), ("quiet",))


class Configuration(unittest.TestCase):
    def check(self, *arguments, **environment):
        return run(*arguments, environment={"DATABASE_URL": servers.primary.url(), **environment})

    def test_is_printed_as_it_is_read(self):
        done = self.check("--print-config", PGSTEER_DATABASES="name=app max_connections=20 pool_size=5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("name=app pool_size=5 max_connections=20", done.stdout)

    def test_says_what_was_meant(self):
        done = self.check("--check-config", PGSTEER_DATABASES="name=app max_conections=20")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('did you mean "max_connections"?', done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
