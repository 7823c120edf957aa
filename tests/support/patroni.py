"""A cluster that a real Patroni keeps: its members, and the Raft node that stands for the store they share.

Patroni is the command `patroni`, or that of the directory PGSTEER_TEST_PATRONI (pip install --target).
"""

import json
import os
import shutil
import signal
import ssl
import subprocess
import urllib.request

import psycopg2
import yaml

from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.template import (DATABASE, PASSWORD, PG_BIN, SUPERUSER, USER, as_server_user, own,
                                    remove_scratch_directory, scratch_directory)
from tests.support.waiting import scaled, wait_until

SCOPE = "shop"
TTL = 20  # the least that Patroni takes: so long a leader that died stays the leader
_PARAMETERS = {"fsync": "off", "shared_buffers": "16MB", "max_connections": 60, "wal_log_hints": "on",
               "wal_keep_size": "256MB", "wal_retrieve_retry_interval": "100ms", "lc_messages": "C"}


def command(name):
    """The words that run one of Patroni's programs, and its environment."""
    where = os.environ.get("PGSTEER_TEST_PATRONI")
    found = f"{where}/bin/{name}" if where else shutil.which(name)
    if not found or not os.path.exists(found):
        return None, None
    return ["/usr/bin/python3", found], {**os.environ, **({"PYTHONPATH": where} if where else {})}


def is_installed():
    return command("patroni")[0] is not None and command("patroni_raft_controller")[0] is not None


def version():
    """As `patroni --version` says: "4.1.5"."""
    words, environment = command("patroni")
    return subprocess.run([*words, "--version"], env=environment, capture_output=True, text=True,
                          check=True).stdout.split()[-1]


def _start(name, config, log_path):
    words, environment = command(name)
    with open(log_path, "a") as log:
        return subprocess.Popen(as_server_user([*words, config]), cwd="/", env=environment,
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)


class Member:
    """One Patroni and the PostgreSQL server it keeps."""

    def __init__(self, cluster, name, **tags):
        self.cluster, self.name, self.tags = cluster, name, tags
        self.port, self.api_port = free_port(), free_port()
        self.data, self.config = f"{cluster.directory}/{name}", f"{cluster.directory}/{name}.yml"
        self.log_path = f"{cluster.directory}/{name}.log"
        self.process = None
        self._write_config()

    def _write_config(self):
        api = {"listen": f"127.0.0.1:{self.api_port}", "connect_address": f"127.0.0.1:{self.api_port}"}
        if self.cluster.authority:
            certificate, key = self.cluster.authority.issue(self.name)
            own(certificate)
            own(key)
            api.update(certfile=certificate, keyfile=key)
        login = {"superuser": {"username": SUPERUSER, "password": "super"},
                 "replication": {"username": "replicator", "password": "replicate"},
                 "rewind": {"username": SUPERUSER, "password": "super"}}
        settings = {
            "scope": SCOPE, "name": self.name, "restapi": api, "tags": self.tags,
            "ctl": {"cacert": self.cluster.authority.certificate} if self.cluster.authority else {},
            "raft": {"data_dir": f"{self.cluster.directory}/raft-{self.name}",
                     "partner_addrs": [self.cluster.store_address]},
            "bootstrap": {"dcs": {"ttl": TTL, "loop_wait": 1, "retry_timeout": 3,
                                  "maximum_lag_on_failover": 1 << 30,
                                  "postgresql": {"use_pg_rewind": True, "use_slots": True,
                                                 "parameters": _PARAMETERS}},
                          "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"]},
            "postgresql": {"listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                           "data_dir": self.data, "bin_dir": PG_BIN, "use_unix_socket": True,
                           "authentication": login, "pgpass": f"{self.cluster.directory}/{self.name}.pgpass",
                           "parameters": {"unix_socket_directories": self.cluster.directory},
                           "pg_hba": ["local all all trust", "host replication replicator 127.0.0.1/32 scram-sha-256",
                                      "host all all 127.0.0.1/32 scram-sha-256"],
                           "basebackup": [{"checkpoint": "fast"}, "no-sync"],
                           "remove_data_directory_on_diverged_timelines": True},
        }
        with open(self.config, "w") as file:
            file.write(yaml.safe_dump(settings))
        own(self.config)

    @property
    def api(self):
        return f"{self.cluster.scheme}://127.0.0.1:{self.api_port}"

    def start(self):
        self.process = _start("patroni", self.config, self.log_path)

    def postmaster(self):
        """The pid of its postgres; None where none runs."""
        try:
            with open(f"{self.data}/postmaster.pid") as file:
                pid = int(file.readline())
            with open(f"/proc/{pid}/comm") as comm:
                return pid if comm.read().strip() == "postgres" else None
        except (FileNotFoundError, ValueError):
            return None

    def signal_patroni(self, number):
        self.process.send_signal(number)

    def kill_patroni(self):
        """Its postgres goes on, kept by nobody."""
        self.process.kill()
        self.process.wait()

    def signal_postgres(self, number):
        """To all its processes."""
        pid = self.postmaster()
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True,
                                  check=False).stdout.split() if pid else []
        for each in [pid, *map(int, children)] if pid else []:
            try:
                os.kill(each, number)
            except ProcessLookupError:
                pass

    def stop(self):
        """Patroni ends, its postgres with it, and it leaves the cluster."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(timeout=scaled(30))
            except subprocess.TimeoutExpired:
                self.kill_patroni()
        self.signal_postgres(signal.SIGCONT)
        self.signal_postgres(signal.SIGKILL)

    def ask(self, sql, parameters=None, database=DATABASE):
        connection = psycopg2.connect(host=self.cluster.directory, port=self.port, user=SUPERUSER, dbname=database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def url(self):
        return f"postgresql://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{DATABASE}"


class PatroniCluster:
    """`size` members, running; the first is the leader."""

    def __init__(self, size=3, tls=False):
        self.directory = scratch_directory("pgsteer-patroni-")
        self.authority = Authority(self.directory) if tls else None
        self.scheme = "https" if tls else "http"
        self.store_address = f"127.0.0.1:{free_port()}"
        self.members, self.store = [], None
        try:
            self._start_store()
            for _ in range(size):
                self.add()
                self.wait_steady()
                if len(self.members) == 1:
                    self._fill()
        except BaseException:
            self.stop()
            raise

    def _start_store(self):
        config = f"{self.directory}/store.yml"
        with open(config, "w") as file:
            file.write(yaml.safe_dump({"raft": {"self_addr": self.store_address,
                                                "data_dir": f"{self.directory}/raft-store"}}))
        own(config)
        self.store = _start("patroni_raft_controller", config, f"{self.directory}/store.log")

    def _fill(self):
        first = self.members[0]
        first.ask(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_stats", database="postgres")
        first.ask(f"CREATE DATABASE {DATABASE} OWNER {USER}", database="postgres")
        first.ask(f"ALTER SCHEMA public OWNER TO {USER}")

    def add(self, **tags):
        member = Member(self, f"node{len(self.members) + 1}", **tags)
        self.members.append(member)
        member.start()
        return member

    def says(self):
        """Its members by name, as the first REST API that answers tells them."""
        trust = ssl._create_unverified_context() if self.authority else None
        for member in self.members:
            try:
                with urllib.request.urlopen(f"{member.api}/cluster", timeout=3, context=trust) as answer:
                    return {each["name"]: each for each in json.load(answer)["members"]}
            except (OSError, ValueError):
                continue
        return {}

    def named(self, name):
        return next(member for member in self.members if member.name == name)

    def leader(self):
        """The member that leads and is up; None while there is none."""
        found = [each["name"] for each in self.says().values()
                 if each["role"] in ("leader", "master") and each["state"] == "running"]
        return self.named(found[0]) if found else None

    def is_steady(self, names=None):
        """There is a leader, and the members named (all) are up and on its timeline."""
        members = self.says()
        up = {name for name, each in members.items() if each.get("state") in ("running", "streaming")}
        wanted = set(names or [member.name for member in self.members if member.process.poll() is None])
        return (self.leader() is not None and wanted <= up
                and len({members[name].get("timeline") for name in wanted}) == 1)

    def wait_steady(self, names=None, timeout=90):
        wait_until(lambda: self.is_steady(names), timeout, f"the cluster is complete: {self.directory}", interval=0.2)

    def control(self, *arguments):
        """patronictl; what it says."""
        words, environment = command("patronictl")
        alive = next(member for member in self.members if member.process.poll() is None)
        done = subprocess.run([*words, "-c", alive.config, *arguments], env=environment, cwd="/",
                              capture_output=True, text=True, timeout=scaled(120), check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self):
        for member in self.members:
            member.stop()
        if self.store is not None:
            self.store.kill()
            self.store.wait()
        remove_scratch_directory(self.directory)
