"""Runs one driver's programs against the server itself and past pgsteer, each time on a new database.

A driver is a folder with three executables:
  install    makes the driver ready below $DRIVER_CACHE and prints its version as the last line
  exercise   prints what an application sees: a line "== NAME" begins a check, the lines behind it are the
             check's answer; a line that begins with "!!" is an exception nobody expected
  suite      (may be missing) runs the driver's own test suite; prints "OUTCOME NAME" a test
Both programs find the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE).
"""

import dataclasses
import os
import signal
import subprocess
import threading
import time

from tests.drivers.results import Result
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import DATABASE, PASSWORD, USER
from tests.support.waiting import scaled, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = f"{HERE}/.cache"
# Suites make roles of their own, and log in as them.
LOOKUP = {"auth_query": "SELECT rolname, rolpassword, rolvaliduntil FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin"}
LIMIT = {"install": 900, "exercise": 150, "suite": 1200}  # seconds


@dataclasses.dataclass(frozen=True)
class Setting:
    """One way to run pgsteer; shown as a column of docs/drivers.md."""
    name: str
    title: str
    replica: bool
    options: dict


SETTINGS = [
    Setting("transaction", "transaction mode", False, {"pool_mode": "transaction", "pool_size": 20}),
    Setting("rotating", "transaction mode, 8 connections, `backend_rotation: always`, a replica", True,
            {"pool_mode": "transaction", "pool_size": 8, "backend_rotation": "always"}),
    Setting("splitting", "transaction mode, 8 connections, `backend_rotation: always`, a replica, `transactions: split`", True,
            {"pool_mode": "transaction", "pool_size": 8, "backend_rotation": "always", "transactions": "split"}),
    Setting("session", "session mode, a replica", True, {"pool_mode": "session", "pool_size": 30}),
]


def drivers():
    """The names of all drivers, in the order of the document."""
    return sorted(name for name in os.listdir(HERE) if os.access(f"{HERE}/{name}/exercise", os.X_OK))


class Bench:
    """A primary and its standby, and pgsteer before them in each of `settings` in turn."""

    def __init__(self, settings):
        self._settings = settings

    def __enter__(self):
        self._servers = Cluster(replicas=1, max_prepared_transactions="10", max_connections="100",
                                log_statement="none", wal_keep_size="256MB", max_wal_size="512MB")
        return self

    def __exit__(self, *_):
        self._servers.stop()

    def try_driver(self, driver, programs):
        """Yields one Result a program that the driver has."""
        version = _run(driver, "install", {})[-1]
        for program in programs:
            if os.access(f"{HERE}/{driver}/{program}", os.X_OK):
                yield self._try_program(driver, program, version)

    def _try_program(self, driver, program, version):
        result = Result(driver, program, version)
        result.direct = self._direct(driver, program)
        result.unsteady = result.changed(self._direct(driver, program))
        for setting in self._settings:
            result.past[setting.name] = self._past(driver, program, setting)
        return result

    def _direct(self, driver, program):
        self._new_database(program)
        return _run(driver, program, {"PGPORT": str(self._servers.primary.port)})

    def _past(self, driver, program, setting):
        self._new_database(program)
        servers = self._servers
        users = LOOKUP if program == "suite" else {}
        proxy = Proxy(servers.primary.url(), servers.replica.url() if setting.replica else None, **users, **setting.options)
        if setting.options.get("backend_rotation") == "always":
            proxy.fill_pools(setting.options["pool_size"])
        with Watch(proxy):
            return _run(driver, program, {"PGPORT": str(proxy.port)})

    def _new_database(self, program):
        primary = self._servers.primary
        for pid, in primary.ask("SELECT gid FROM pg_prepared_xacts", database=DATABASE):
            primary.ask(f"ROLLBACK PREPARED '{pid}'", database=DATABASE)
        primary.ask(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", database="postgres")
        primary.ask(f"CREATE DATABASE {DATABASE} OWNER {USER} TEMPLATE template0", database="postgres")
        # Suites create roles, extensions and casts as they please.
        primary.ask(f"ALTER ROLE {USER} {'SUPERUSER' if program == 'suite' else 'NOSUPERUSER'}", database="postgres")
        primary.ask(f"ALTER SCHEMA public OWNER TO {USER}")
        self._wait_for_replay()

    def _wait_for_replay(self):
        position = self._servers.primary.ask("SELECT pg_current_wal_lsn()", database="postgres")[0][0]
        replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        wait_until(lambda: self._servers.replica.ask(replayed, (position,), database="postgres")[0][0], 60,
                   "the replica replays the new database")


class Watch:
    """Says when pgsteer dies and starts it again, so that the checks that follow still tell something."""

    def __init__(self, proxy):
        self._proxy = proxy
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        try:
            self._proxy.stop()
        except AssertionError as error:
            print(f"  pgsteer did not end well: {error}", flush=True)

    def _watch(self):
        while not self._is_over.wait(0.1):
            if not self._proxy.is_running():
                print(f"  PGSTEER DIED: {self._proxy.process.returncode}", flush=True)
                self._proxy.start_again()


def _run(driver, program, variables):
    """The lines that a program prints. Ends it, and says so in a line, where it takes too long."""
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGUSER": USER, "PGPASSWORD": PASSWORD, "PGDATABASE": DATABASE,
                   "DRIVER_CACHE": CACHE, "LC_ALL": "C.UTF-8", "TZ": "UTC", **variables}
    os.makedirs(CACHE, exist_ok=True)
    begun = time.monotonic()
    with open(f"{CACHE}/{driver}.{program}.err", "a") as errors:
        process = subprocess.Popen(["nice", f"{HERE}/{driver}/{program}"], cwd=f"{HERE}/{driver}", env=environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                                   errors="replace", start_new_session=True)
        try:
            lines = process.communicate(timeout=scaled(LIMIT[program]))[0].splitlines()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            lines = process.communicate()[0].splitlines() + [f"!! not done within {time.monotonic() - begun:.0f} s"]
    if process.returncode and program != "suite":
        if program == "install":
            raise SystemExit(f"{driver}/install failed with {process.returncode}: see {CACHE}/{driver}.install.err")
        lines += ["== the end", f"!! {program} ended with {process.returncode}"]
    return lines
