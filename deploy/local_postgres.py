"""A real PostgreSQL primary and a streaming hot standby in a temporary directory, on free ports.

Used by the demo (deploy/tour.py) and the benchmark (bench/run). Needs Debian's postgresql-15. As
root the servers run as user postgres (PostgreSQL refuses root), else as the user who asks.
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "shared_preload_libraries": "'pg_stat_statements'",
    "pg_stat_statements.track": "'top'",
    "password_encryption": "'scram-sha-256'",
    "max_connections": 60,
    "hot_standby": "on",
    "fsync": "off",  # the directory is thrown away
    "log_timezone": "'UTC'",
}


class ServerError(RuntimeError):
    """A server or one of PostgreSQL's tools did not do what was asked."""


def as_server_user(command):
    """The same command as the user that owns the servers."""
    if os.geteuid() != 0:
        return [str(c) for c in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *map(str, command)]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls until condition() is true; its last value is returned, or ServerError says what was missing."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise ServerError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


class Server:
    """One PostgreSQL server: a data directory, a port and the process while it runs."""

    def __init__(self, name, root, port):
        self.name, self.root, self.port = name, pathlib.Path(root), port
        self.data, self.log_file = self.root / name, self.root / f"{name}.log"
        self.process = None

    def start(self):
        with open(self.log_file, "ab") as log:
            command = [BIN / "postgres", "-D", self.data, "-p", self.port, "-k", self.root]
            self.process = subprocess.Popen(as_server_user(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.root, start_new_session=True)
        wait_until(self.is_ready, 60, f"the {self.name} to accept connections ({self.log_file})")

    def is_ready(self):
        if self.process.poll() is not None:
            raise ServerError(f"the {self.name} did not start:\n{self.log_tail()}")
        return subprocess.run([BIN / "pg_isready", "-q", "-h", self.root, "-p", str(self.port)], check=False).returncode == 0

    def stop(self, how=signal.SIGINT):
        """SIGINT is PostgreSQL's fast shutdown: clients get 57P01."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=20)

    def query(self, sql, database="postgres"):
        """What the server itself says, asked directly on its own unix socket. Text, rows by lines."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.root), "-p", str(self.port), "-U", "postgres"]
        done = subprocess.run([*command, "-d", database, "-c", sql], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"{self.name}: {done.stderr.strip()}")
        return done.stdout.strip()

    def calls(self, database):
        """Statement text to number of executions in that database, from pg_stat_statements."""
        text = self.query(
            "SELECT coalesce(json_object_agg(query, calls), '{}') FROM (SELECT query, sum(calls) AS calls"
            " FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            f" WHERE d.datname = '{database}' GROUP BY query) t")
        return json.loads(text)

    def log_tail(self, lines=15):
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Pair:
    """Primary and standby with one application user and database; everything is gone after close()."""

    def __init__(self, prefix, user, password, database, settings=None, auth="scram-sha-256"):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))  # socket paths must be short
        self.user, self.password, self.database = user, password, database
        self.settings, self.auth = {**SETTINGS, **(settings or {})}, auth
        self.primary = Server("primary", self.root, free_port())
        self.replica = Server("replica", self.root, free_port())
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.root, owner.pw_uid, owner.pw_gid)

    def start_primary(self):
        self._tool("initdb", "-D", self.primary.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                   "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        self._write(self.primary.data / "postgresql.auto.conf", "".join(f"{k} = {v}\n" for k, v in self.settings.items()))
        self._write(self.primary.data / "pg_hba.conf",
                    "local all all trust\nlocal replication all trust\n"
                    f"host all all 127.0.0.1/32 {self.auth}\n")
        self.primary.start()
        if self.user != "postgres":
            self.primary.query(f"CREATE ROLE {self.user} LOGIN PASSWORD '{self.password}'")
        self.primary.query(f"CREATE DATABASE {self.database} OWNER {self.user}")
        self.primary.query("CREATE EXTENSION pg_stat_statements")

    def start_replica(self):
        self._tool("pg_basebackup", "-D", self.replica.data, "-h", self.root, "-p", self.primary.port, "-U", "postgres",
                   "-R", "-X", "stream", "-c", "fast", "--no-sync")
        self.replica.start()
        wait_until(lambda: self.primary.query("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1",
                   30, "the replica to stream")

    def wait_for_replay(self, seconds=30):
        """Until the replica has applied what the primary has flushed by now."""
        position = self.primary.query("SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: self.replica.query(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "t",
                   seconds, "the replica to catch up")

    def url(self, port):
        secret = f":{self.password}" if self.password else ""
        return f"postgresql://{self.user}{secret}@127.0.0.1:{port}/{self.database}"

    def close(self):
        for server in (self.replica, self.primary):
            server.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _tool(self, name, *arguments):
        done = subprocess.run(as_server_user([BIN / name, *arguments]), capture_output=True, text=True, check=False,
                              cwd=self.root, env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode:
            raise ServerError(f"{name} failed:\n{done.stdout}{done.stderr}")

    def _write(self, path, text):
        owner = path.parent.stat()
        path.write_text(text)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
