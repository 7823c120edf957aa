"""A running pgsteer: started with variables or a configuration file, watched, reloaded and ended.

Whatever a test does, the process must end with status 0 on SIGTERM and with no sanitizer report.
"""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import psycopg
import psycopg2
import yaml

from tests.support.ports import free_port
from tests.support.template import DATABASE, PASSWORD, USER
from tests.support.waiting import scaled, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get("PGSTEER_BINARY", f"{ROOT}/build/release/pgsteer"))
_SANITIZER = re.compile(r"(AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:)")


class Proxy:
    """One pgsteer process. `settings` are those of its configuration file, `environment` its variables."""

    def __init__(self, primary_url=None, replica_url=None, environment=None, arguments=(), ready=True, hosts=None,
                 name_server=None, **settings):
        self.directory = tempfile.mkdtemp(prefix="pgsteer-proxy-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.port = free_port()
        self.admin_port = free_port()
        self.log_path = f"{self.directory}/log"
        self.config_path = f"{self.directory}/pgsteer.yaml"
        self.settings = {"listen": f"127.0.0.1:{self.port}", "admin_listen": f"127.0.0.1:{self.admin_port}",
                         **settings}
        self._environment = dict(environment or {})
        if primary_url:
            self._environment["DATABASE_URL"] = primary_url
        if replica_url:
            self._environment["DATABASE_REPLICA_URL"] = replica_url
        self.hosts_path = f"{self.directory}/hosts"
        self._has_hosts = hosts is not None
        with open(f"{self.directory}/resolv.conf", "w") as file:
            file.write(f"nameserver {name_server or '127.0.0.1'}\noptions timeout:1 attempts:1\n")
        if self._has_hosts:
            self.write_hosts(hosts)
        self.write_config()
        self._start(arguments)
        if ready:
            try:
                self.wait_ready()
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise

    def write_config(self, text=None):
        """Writes the configuration file: the settings, or `text` as it is."""
        with open(self.config_path, "w") as file:
            file.write(yaml.safe_dump(self.settings) if text is None else text)

    def write_hosts(self, names):
        """What this process's own /etc/hosts says from now on: {name: [address, ...]}. In place: it is mounted."""
        lines = [f"{address} {name}\n" for name, addresses in names.items() for address in addresses]
        with open(self.hosts_path, "w") as file:
            file.write("".join(["127.0.0.1 localhost\n", *lines]))

    def _own_hosts(self):
        """Words before the command that give it these files for its /etc/hosts and resolv.conf."""
        if not self._has_hosts:
            return []
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        mount = 'cd "$0" && for file in hosts resolv.conf; do mount --bind $file /etc/$file || exit; done; exec "$@"'
        return ["unshare", "--mount", *user, "sh", "-c", mount, self.directory]

    def _start(self, arguments):
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith(("PG", "DATABASE_"))}
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._own_hosts(), BINARY, "--config", self.config_path, *arguments],
                env={**inherited, **self._environment}, cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_again(self, arguments=()):
        """Starts the process anew, with the same files and ports, after it has ended."""
        self._start(arguments)
        self.wait_ready()

    def wait_ready(self):
        """Waits until the process says it lives."""
        def lives():
            if self.process.poll() is not None:
                raise AssertionError(f"pgsteer ended with {self.process.returncode}:\n{self.log()}")
            return self.get("/livez")[0] == 200
        reads = self.log().count("Catalog ")
        wait_until(lives, 10, "pgsteer answers /livez")
        # Until the servers and the catalog are known, reads stay on the primary.
        if "DATABASE_REPLICA_URL" in self._environment or self.settings.get("database_replica_url"):
            with contextlib.suppress(AssertionError):
                wait_until(lambda: self.log().count("Catalog ") > reads, 5, "the catalog is read, or cannot be")
                wait_until(lambda: self.health()[0] == 200 or "failed" in self.log(), 5, "all servers are known, or out of reach")

    # Clients

    def parameters(self, **changes):
        """libpq parameters of a client of this proxy."""
        return {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD, "dbname": DATABASE,
                "connect_timeout": int(scaled(10)), **changes}

    def connect(self, **changes):
        """A psycopg 3 connection in autocommit."""
        autocommit = changes.pop("autocommit", True)
        prepare_threshold = changes.pop("prepare_threshold", None)
        return psycopg.connect(**self.parameters(**changes), autocommit=autocommit,
                               prepare_threshold=prepare_threshold)

    def connect2(self, **changes):
        """A psycopg2 connection in autocommit (simple protocol)."""
        connection = psycopg2.connect(**self.parameters(**changes))
        connection.autocommit = True
        return connection

    def ask(self, sql, parameters=None, **changes):
        """One statement on a connection of its own; its rows."""
        with self.connect(**changes) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def fill_pools(self, size):
        """Opens `size` backends on the primary and on the replica, so that rotation has something to rotate."""
        def connected():
            return json.loads(self.get("/clients")[1])["total"]

        wait_until(lambda: self.health()[0] == 200, message="both are known")
        others = connected()
        for begin in ("BEGIN", "BEGIN READ ONLY"):
            clients = [self.connect() for _ in range(size)]
            for client in clients:
                client.execute(begin)
                client.execute("SELECT 1")
            for client in clients:
                client.execute("COMMIT")
                client.close()
        # A client that leaves still asks, on a connection, how far the primary's WAL goes.
        wait_until(lambda: connected() <= others, message="they have left")

    def url(self, user=USER, password=PASSWORD, database=DATABASE, **options):
        """The URL an application would use."""
        return psycopg.conninfo.make_conninfo(**self.parameters(user=user, password=password, dbname=database,
                                                                **options))

    # Operators

    def get(self, path):
        """(status, body) of the admin port; (0, reason) where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=scaled(5)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def health(self):
        """(status, decoded body) of /health."""
        status, body = self.get("/health")
        return status, json.loads(body) if status else body

    def metrics(self):
        """The samples of /metrics: {"name{labels}": value}."""
        status, body = self.get("/metrics")
        assert status == 200, (status, body)
        samples = (line.rsplit(" ", 1) for line in body.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def metric(self, name, **labels):
        """The sum of the samples of one metric whose labels include these."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for sample, value in self.metrics().items()
                   if sample.split("{")[0] == name and all(label in sample for label in wanted))

    def log(self):
        """All that the process has written."""
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def log_lines(self, pattern=""):
        """The log's lines in which the regular expression is found."""
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, timeout=10, count=1):
        """Waits for `count` log lines with the pattern; returns them."""
        return wait_until(lambda: (lines := self.log_lines(pattern)) and len(lines) >= count and lines,
                          timeout, lambda: f"log line {pattern!r} in:\n{self.log()[-3000:]}")

    def reload(self, text=None, expect=r"[Cc]onfiguration reloaded", **changes):
        """Changes settings (or writes `text`), sends SIGHUP, waits for the log line that answers."""
        before = len(self.log_lines(expect))
        self.settings.update(changes)
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self.write_config(text)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_log(expect, count=before + 1)

    def rss(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait_ended(self, timeout=15):
        """Waits for the process to end by itself; its exit status."""
        try:
            return self.process.wait(timeout=scaled(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"pgsteer still runs after {scaled(timeout)} s:\n{self.log()[-3000:]}") from None

    def stop(self, expect=0):
        """Ends the process and checks that it ended well. Safe to call again."""
        if self.is_running():
            self.signal(signal.SIGTERM)
            # Clients a failed test left behind must not stretch the drain.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=scaled(5))
            if self.is_running():
                self.signal(signal.SIGTERM)
        status = self.wait_ended()
        log = self.log()
        report = _SANITIZER.search(log)
        assert not report, f"sanitizer report:\n{log[max(0, report.start() - 200):][:6000]}"
        assert status == expect, f"pgsteer ended with {status}, not {expect}:\n{log[-3000:]}"


def run(*arguments, environment=None, **kwargs):
    """Runs the binary to its end, as for `pgsteer --check-config`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_"))}
    return subprocess.run([BINARY, *arguments], env={**inherited, **(environment or {})}, capture_output=True,
                          text=True, timeout=scaled(30), check=False, **kwargs)
