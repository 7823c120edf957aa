"""Makes a history to be checked: sessions that write and read lists through a proxy while its servers suffer."""

import itertools
import random
import threading
import time

import psycopg

from tests.support.cluster import Cluster
from tests.support.history import MAY_BE_LOST, Operation, check
from tests.support.proxy import Proxy
from tests.support.template import USER

KEYS = 24
_SCHEMA = (
    "CREATE TABLE list (key text PRIMARY KEY, numbers int[] NOT NULL DEFAULT '{}')",
    f"INSERT INTO list SELECT 'k' || n FROM generate_series(1, {KEYS}) n",
    "CREATE FUNCTION append(k text, n int) RETURNS void LANGUAGE sql AS "
    "'UPDATE list SET numbers = numbers || n WHERE key = k'",
    "CREATE FUNCTION whole(k text) RETURNS int[] LANGUAGE sql STABLE AS 'SELECT numbers FROM list WHERE key = k'",
)
_APPEND = "UPDATE list SET numbers = numbers || {n} WHERE key = '{k}'"
_WHOLE = "SELECT numbers FROM list WHERE key = '{k}'"

# How a write or a read is put to the server; each is one unit or one block.
WRITES = {
    "a statement": [_APPEND],
    "a prepared statement": None,
    "a function": ["SELECT append('{k}', {n})"],
    "a block": ["BEGIN", _WHOLE, _APPEND, "COMMIT"],
    "a savepoint": ["BEGIN", "SAVEPOINT s", _APPEND, "RELEASE s", "COMMIT"],
    "several statements": [f"{_WHOLE}; {_APPEND}"],
    "a WITH query": ["WITH done AS (" + _APPEND + " RETURNING key) SELECT * FROM done"],
    MAY_BE_LOST: ["SET synchronous_commit = off", _APPEND, "RESET synchronous_commit"],
    "a pinned session": ["CREATE TEMP TABLE mine AS SELECT 1 AS a", _APPEND, "SELECT a FROM mine", "DROP TABLE mine"],
}
READS = {
    "a statement": [_WHOLE],
    "a prepared statement": None,
    "a function": ["SELECT whole('{k}')"],
    "a read-only block": ["BEGIN READ ONLY", _WHOLE, "COMMIT"],
    "a block": ["BEGIN", _WHOLE, "COMMIT"],
    "a pinned session": ["CREATE TEMP TABLE mine AS SELECT 1 AS a", _WHOLE, "DROP TABLE mine"],
    "a register": ["SELECT numbers[array_upper(numbers, 1)] FROM list WHERE key = '{k}'"],
}
_RARE = {"a pinned session", MAY_BE_LOST}
# Nothing was begun: it waited and was refused, or the session was not there any more.
_WITHOUT_EFFECT = {"57P03", "53300", "25006", "40001", "40P01"}


class Run:
    """A cluster, a proxy and the sessions. `level` is the proxy's consistency."""

    def __init__(self, level, sessions=12, replicas=2, seed=0, **settings):
        self._random = random.Random(seed)
        self._sessions, self._seed = sessions, seed
        self._stop = threading.Event()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.operations, self.errors = [], {}
        self.servers = Cluster(replicas=replicas, log_statement="none")
        try:
            self.servers.run(*_SCHEMA)
            self.proxy = Proxy(self.servers.primary.url(), self.servers.replica_url(), consistency=level, pool_size=4,
                               backend_rotation="always", health_interval="100ms", reconnect_delay="100ms", **settings)
        except BaseException:
            self.servers.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self.proxy.stop()
        self.servers.stop()

    def go(self, seconds, faults):
        """Load for so long, one fault after the other meanwhile; then the verdict."""
        workers = [threading.Thread(target=self._session, args=(f"s{n}", self._seed * 1000 + n), daemon=True)
                   for n in range(self._sessions)]
        for worker in workers:
            worker.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._random.choice(faults)(self)
        self._stop.set()
        for worker in workers:
            worker.join(60)
        self.delay(0)
        self.servers.heal()
        return self.verdict()

    def verdict(self, is_global=False):
        rows = self.servers.primary.ask("SELECT key, numbers FROM list")
        return check(self.operations, {key: list(numbers) for key, numbers in rows}, is_global)

    # Sessions

    def _session(self, name, seed):
        dice = random.Random(seed)
        for number in itertools.count(1):
            if self._stop.is_set():
                return
            try:
                with psycopg.connect(**self.proxy.parameters(), autocommit=True, prepare_threshold=None) as connection:
                    self._work(connection, f"{name}.{number}", dice)
            except psycopg.Error as error:
                self._count(error)
                self._stop.wait(0.02)

    def _count(self, error):
        with self._lock:
            state = error.sqlstate or "connection"
            self.errors[state] = self.errors.get(state, 0) + 1

    def _work(self, connection, session, dice):
        for index in range(dice.randint(20, 400)):
            if self._stop.is_set():
                return
            key = f"k{dice.randint(1, KEYS)}"
            kind = "write" if dice.random() < 0.2 else "read"
            shapes = WRITES if kind == "write" else READS
            how = dice.choice([shape for shape in shapes if shape not in _RARE or dice.random() < 0.1])
            operation = Operation(session, index, kind, key, how, 0.0, is_register=how == "a register")
            if kind == "write":
                operation.number = next(self._numbers)
            self._perform(connection, operation, shapes[how])
            if dice.random() < 0.3:
                time.sleep(dice.random() * 0.03)

    def _perform(self, connection, operation, statements):
        operation.started = time.monotonic()
        try:
            answer = self._ask(connection, operation, statements)
            operation.outcome = "ok"
            if operation.kind == "read":
                operation.seen = answer
        except psycopg.Error as error:
            operation.outcome = "failed" if error.sqlstate in _WITHOUT_EFFECT else "unknown"
            raise
        finally:
            operation.ended = time.monotonic()
            with self._lock:
                self.operations.append(operation)

    @staticmethod
    def _ask(connection, operation, statements):
        seen = None
        if statements is None:
            sql = ("UPDATE list SET numbers = numbers || %s WHERE key = %s" if operation.kind == "write"
                   else "SELECT numbers FROM list WHERE key = %s")
            values = (operation.number, operation.key) if operation.kind == "write" else (operation.key,)
            cursor = connection.execute(sql, values, prepare=True)
            seen = cursor.fetchone()[0] if operation.kind == "read" else None
        for statement in statements or ():
            cursor = connection.execute(statement.format(k=operation.key, n=operation.number))
            if operation.kind == "read" and statement.startswith("SELECT"):
                seen = cursor.fetchone()[0]
        if operation.is_register:
            return () if seen is None else (seen,)
        return tuple(seen or ())

    # Faults, each over when it returns

    def wait(self, seconds):
        self._stop.wait(seconds)

    def delay(self, milliseconds):
        for replica in self.servers.replicas:
            replica.configure(recovery_min_apply_delay=f"{milliseconds}ms")
            if replica.is_running():
                replica.reload()

    def victim(self):
        return self._random.choice(self.servers.replicas)


def quiet(run):
    run.wait(0.5)


def lag(run):
    for replica in run.servers.replicas:
        replica.configure(recovery_min_apply_delay=f"{run.proxy and random.choice((0, 20, 100, 300))}ms")
        replica.reload()
    run.wait(0.8)


def freeze(run):
    replica = run.victim()
    replica.freeze()
    run.wait(0.7)
    replica.resume()
    run.wait(0.3)


def kill(run):
    replica = run.victim()
    replica.kill()
    run.wait(0.3)
    replica.start()
    replica.wait_ready()
    run.wait(0.3)


def pause(run):
    replica = run.victim()
    replica.ask("SELECT pg_wal_replay_pause()")
    run.wait(0.6)
    replica.ask("SELECT pg_wal_replay_resume()")


def hang_up(run):
    server = random.choice(run.servers.servers())
    server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (USER,))
    run.wait(0.3)


def crash_primary(run):
    """With WAL on its way: what was acknowledged is there again, since only processes die."""
    run.servers.primary.kill()
    run.wait(0.2)
    run.servers.primary.start()
    run.servers.primary.wait_ready()
    run.wait(0.5)


def switch_over(run):
    """A planned one: the primary stops when its standbys have all of its WAL; one of them goes on."""
    old, new = run.servers.primary, run.servers.replicas[0]
    others = run.servers.replicas[1:]
    run.delay(0)
    old.stop()
    new.promote()
    for standby in [old, *others]:
        if standby.is_running():
            standby.stop()
        standby.follow(new)
        standby.configure(recovery_target_timeline="latest")
        standby.start()
    run.servers.primary, run.servers.replicas = new, [*others, old]
    for server in run.servers.servers():
        server.wait_ready()
    run.wait(1)


REPLICA_FAULTS = [quiet, lag, freeze, kill, pause, hang_up]
ALL_FAULTS = [*REPLICA_FAULTS, crash_primary, switch_over]
