"""A real PostgreSQL primary and its streaming hot standbys, in a temporary directory on free ports.

Started once a test file (setUpModule); tests ask the servers themselves what they ran, by their logs.
"""

import contextlib
import os
import re
import signal
import subprocess
import urllib.parse

import psycopg2

from tests.support.ports import free_port
from tests.support.template import (DATABASE, PASSWORD, PG_BIN, SUPERUSER, USER, as_server_user, own,
                                    remove_scratch_directory, scratch_directory, template)
from tests.support.waiting import wait_until

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "wal_level": "replica",
    "wal_keep_size": "1GB",
    "max_wal_size": "2GB",
    "hot_standby_feedback": "on",
    "wal_retrieve_retry_interval": "100ms",
    "autovacuum": "off",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "log_statement": "all",
    "log_line_prefix": "%p|%u|%d|%a|",
    "log_min_messages": "warning",
    "lc_messages": "C",
    "timezone": "UTC",
}
_STATEMENT = re.compile(r"^(\d+)\|([^|]*)\|([^|]*)\|([^|]*)\|LOG:  (?:statement|execute [^:]*|fastpath[^:]*): ?(.*)$")


class Server:
    """One PostgreSQL server: its data directory, its processes, its log."""

    def __init__(self, name, directory, settings):
        self.name = name
        self.port = free_port()
        self.directory = directory
        self.data = f"{directory}/{name}"
        self.log_path = f"{directory}/{name}.log"
        self.process = None
        self._settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": directory, **settings}
        subprocess.run(["cp", "-a", template(), self.data], check=True)

    def follow(self, primary):
        """Makes this a streaming standby of `primary`; before the first start."""
        open(f"{self.data}/standby.signal", "w").close()
        self._settings["primary_conninfo"] = (
            f"host=127.0.0.1 port={primary.port} user=replicator application_name={self.name}")

    def rewind(self, source):
        """pg_rewind of the stopped server: what `source` does not have is undone, so that it can follow it."""
        done = subprocess.run(as_server_user(
            [f"{PG_BIN}/pg_rewind", "-D", self.data, "--no-sync", "--source-server",
             f"host={source.directory} port={source.port} user={SUPERUSER} dbname=postgres"]),
            cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def configure(self, **settings):
        """Changes settings for the next start (or reload())."""
        self._settings.update(settings)
        self._write_settings()

    def _write_settings(self):
        with open(f"{self.data}/postgresql.conf", "w") as conf:
            for name, value in self._settings.items():
                conf.write("%s = '%s'\n" % (name, value.replace("'", "''")))
        own(self.data)

    def start(self):
        """Starts the server without waiting for it."""
        self._write_settings()
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                as_server_user([f"{PG_BIN}/postgres", "-D", self.data]), cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_ready(self):
        """Waits until the server answers queries."""
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended: {self.log()[-2000:]}")
            try:
                self.connect().close()
                return True
            except psycopg2.OperationalError:
                return False
        wait_until(answers, 30, f"{self.name} accepts connections")

    def restart(self):
        """Stops the server if it runs, then starts it and waits."""
        if self.is_running():
            self.stop()
        self.start()
        self.wait_ready()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, mode=signal.SIGINT):
        """Shuts the server down: SIGINT fast, SIGTERM smart, SIGQUIT immediate."""
        if not self.is_running():
            return
        self.resume()
        self.process.send_signal(mode)
        self.process.wait(timeout=60)

    def kill(self):
        """kill -9 for every process of the server at once: a crash of the machine, but for the RSTs."""
        os.kill(self.process.pid, signal.SIGSTOP)  # so that it starts no more children
        wait_until(lambda: _state(self.process.pid) == "T", message=f"{self.name} stops")
        children = self._children()
        for pid in [*children, self.process.pid]:
            _signal(pid, signal.SIGKILL)
        self.process.wait(timeout=60)
        # Orphans are somebody else's to reap: gone or a zombie, they hold nothing any more.
        wait_until(lambda: all(_state(pid) in (None, "Z") for pid in children), message=f"{self.name}'s children end")

    def freeze(self):
        """SIGSTOP for every process: the kernel still accepts connections, nobody answers."""
        for pid in [self.process.pid, *self._children()]:
            _signal(pid, signal.SIGSTOP)

    def resume(self):
        """Undoes freeze()."""
        for pid in [*self._children(), self.process.pid]:
            _signal(pid, signal.SIGCONT)

    def _children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        try:
            with open(path) as children:
                return [int(pid) for pid in children.read().split()]
        except FileNotFoundError:
            return []

    def promote(self):
        """Makes a standby a primary and waits until it is."""
        self.ask("SELECT pg_promote()")

    def reload(self):
        """Has the server read its configuration files again."""
        self.process.send_signal(signal.SIGHUP)

    def connect(self, database=DATABASE, user=SUPERUSER):
        """A direct connection over the unix socket, in autocommit; not past any proxy."""
        connection = psycopg2.connect(host=self.directory, port=self.port, user=user, dbname=database,
                                      application_name="test")
        connection.autocommit = True
        return connection

    def ask(self, sql, parameters=None, database=DATABASE):
        """Runs one statement directly; the rows, if it has any."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, parameters=None):
        """The single value of a query run directly."""
        return self.ask(sql, parameters)[0][0]

    def url(self, user=USER, password=PASSWORD, database=DATABASE, host="127.0.0.1", port=None, **options):
        """The URL an operator would write for this server."""
        quote = urllib.parse.quote
        login = quote(user, safe="") + (":" + quote(password, safe="") if password else "")
        query = "?" + urllib.parse.urlencode(options) if options else ""
        return f"postgresql://{login}@{host}:{port or self.port}/{database}{query}"

    def log(self):
        """All the server has logged."""
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def statements(self, marker=""):
        """(backend pid, statement) of each statement with `marker` in it that this server ran."""
        found = []
        for line in self.log().splitlines():
            match = _STATEMENT.match(line) if marker in line else None
            if match and match[4] != "test":
                found.append((int(match[1]), match[5]))
        return found

    def backends(self, user=USER):
        """pids of the connections `user` has here, those of the tests aside."""
        rows = self.ask("SELECT pid FROM pg_stat_activity WHERE usename = %s AND application_name <> 'test'"
                        " AND backend_type = 'client backend' ORDER BY pid", (user,))
        return [pid for pid, in rows]


def _state(pid):
    """R, S, T, Z ... of a process, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Cluster:
    """A primary and `replicas` standbys, all running and in step once made."""

    def __init__(self, replicas=1, **settings):
        self.directory = scratch_directory("pgsteer-test-")
        self._settings = settings
        self.primary = Server("primary", self.directory, settings)
        self.replicas = []
        try:
            self.primary.start()
            for _ in range(replicas):
                self.add_replica(wait=False)
            for server in self.servers():
                server.wait_ready()
            self.wait_for_replay()
        except BaseException:
            self.stop()
            raise

    def servers(self):
        return [self.primary, *self.replicas]

    @property
    def replica(self):
        return self.replicas[0]

    def add_replica(self, wait=True):
        """Starts one more standby."""
        replica = Server(f"replica{len(self.replicas) + 1}", self.directory, self._settings)
        replica.follow(self.primary)
        self.replicas.append(replica)
        replica.start()
        if wait:
            replica.wait_ready()
            self.wait_for_replay()
        return replica

    def replica_url(self, **options):
        """All replicas as DATABASE_REPLICA_URL takes them."""
        return ",".join(replica.url(**options) for replica in self.replicas)

    def wait_for_replay(self):
        """Waits until every running replica has replayed all the primary has committed."""
        position = self.primary.value("SELECT pg_current_wal_lsn()")
        for replica in self.replicas:
            if replica.is_running():
                wait_until(lambda r=replica: r.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (position,)),
                           30, f"{replica.name} replays up to {position}")

    def run(self, *statements):
        """Runs statements directly on the primary as the application's user and waits for the replicas."""
        connection = self.primary.connect(user=USER)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()
        self.wait_for_replay()

    @contextlib.contextmanager
    def gate(self, table):
        """Until this ends, whoever reads the table waits, on every server: standbys have replayed the lock."""
        holder = self.primary.connect()
        try:
            holder.autocommit = False
            holder.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            self.primary.ask("SELECT pg_logical_emit_message(true, 'gate', 'a commit, that flushes the lock as well')")
            self.wait_for_replay()
            yield
            holder.rollback()
            self.primary.ask("SELECT pg_logical_emit_message(true, 'gate', 'a commit, that flushes the end of the lock as well')")
        finally:
            holder.close()

    def ran(self, marker):
        """How many statements with `marker` in them each server ran: {name: count}, zeroes left out."""
        counts = {server.name: len(server.statements(marker)) for server in self.servers()}
        return {name: count for name, count in counts.items() if count}

    def statements(self, marker):
        """Those with `marker` in them that any server ran."""
        return [statement for server in self.servers() for statement in server.statements(marker)]

    def heal(self):
        """Brings back every server a test has stopped, killed or frozen."""
        for server in self.servers():
            if server.is_running():
                server.resume()
            else:
                server.start()
        for server in self.servers():
            server.wait_ready()
        self.wait_for_replay()

    def stop(self):
        """Ends all servers and removes what they left."""
        for server in reversed(self.servers()):
            server.stop(signal.SIGQUIT)
        remove_scratch_directory(self.directory)
