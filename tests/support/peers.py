"""Other proxies that scenarios of failing servers run through: PgBouncer with a HAProxy switch, and Pgpool-II.

Each is given the servers as [(server, port)], the primary first. A port may be a relay's.
"""

import contextlib
import csv
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import psycopg
import psycopg2

from tests.support.ports import free_port
from tests.support.template import (DATABASE, PASSWORD, USER, as_server_user, own, remove_scratch_directory,
                                    scratch_directory)
from tests.support.waiting import wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))


def _binary(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert found, f"no {name}: deploy/install-dependencies bench"
    return found


def versions():
    """What the peers are, with their versions: {program: version}."""
    found = {}
    for name in ("pgbouncer", "haproxy", "pgpool"):
        done = subprocess.run([_binary(name), "-v" if name == "haproxy" else "--version"], capture_output=True,
                              text=True, check=False)
        found[name] = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)[0]
    return found


class _Process:
    """A program that runs in a directory until stopped, with what it starts."""

    def __init__(self, directory, command, stop_signal):
        self._stop_signal = stop_signal
        with open(f"{directory}/log", "a") as log:
            self._process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             start_new_session=True)

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):  # its children, or what would not end
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Peer:
    """What both have: a directory, programs in it, clients."""

    is_tested = False

    def __init__(self, servers):
        self.servers = servers
        self.directory = scratch_directory("pgsteer-peer-")
        self.port = free_port()
        self._processes = []
        try:
            self._start()
            wait_until(lambda: all(self.uses(server) for server, _ in servers), 30, f"{self.name} is up")
        except BaseException:
            self.stop()
            raise

    def _write(self, name, text):
        path = f"{self.directory}/{name}"
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)
        own(path)
        return path

    def _run(self, *command, stop_signal=signal.SIGTERM):
        command = as_server_user(list(command), stop_signal.name.removeprefix("SIG"))
        self._processes.append(_Process(self.directory, command, stop_signal))

    def _parameters(self, database):
        return {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD, "dbname": database,
                "connect_timeout": 10}

    def stop(self):
        """Ends all programs and removes what they left."""
        for process in reversed(self._processes):
            process.stop()
        remove_scratch_directory(self.directory)


class PgBouncer(_Peer):
    """PgBouncer, which connects to HAProxy, which asks each server's agent for the server's role."""

    name = "PgBouncer and HAProxy"

    def _start(self):
        agents = [free_port() for _ in self.servers]
        self._switch = {"primary": free_port(), "replica": free_port()}
        with open(f"{_HERE}/role_check.py") as script:  # where the servers' user may read it
            path = self._write("role_check.py", script.read())
        self._run(sys.executable, path, *(f"{agent}:{port}" for agent, (_, port) in zip(agents, self.servers)))
        self._run(_binary("haproxy"), "-db", "-f", self._write("haproxy.cfg", self._haproxy_settings(agents)))
        self._write("userlist.txt", f'"{USER}" "{PASSWORD}"\n')
        self._run(_binary("pgbouncer"), self._write("pgbouncer.ini", self._pgbouncer_settings()))

    def _haproxy_settings(self, agents):
        """As Patroni's documentation has it, with a check each second instead of every third."""
        text = f"""
global
    maxconn 500
    stats socket {self.directory}/haproxy.sock
defaults
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 1s
"""
        for role, port in self._switch.items():
            text += f"""
listen {role}
    bind 127.0.0.1:{port}
    option httpchk GET /{role}
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
"""
            for agent, (server, server_port) in zip(agents, self.servers):
                text += f"    server {server.name} 127.0.0.1:{server_port} check port {agent}\n"
        return text

    def _pgbouncer_settings(self):
        """Transaction mode, all else by default but for the time between attempts to connect (15 s)."""
        databases = "\n".join(f"{role} = host=127.0.0.1 port={port} dbname={DATABASE}"
                              for role, port in self._switch.items())
        return f"""
[databases]
{databases}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir = {self.directory}
auth_type = scram-sha-256
auth_file = {self.directory}/userlist.txt
pool_mode = transaction
max_client_conn = 200
server_login_retry = 1
"""

    def connect(self, writes):
        """A connection to the database that leads to the primary, or to the replicas."""
        return psycopg.connect(**self._parameters("primary" if writes else "replica"), autocommit=True,
                               prepare_threshold=None)

    def uses(self, server):
        """Whether HAProxy knows the server in one of the two roles; before its first checks it has all in both."""
        with socket.socket(socket.AF_UNIX) as stats:
            try:
                stats.connect(f"{self.directory}/haproxy.sock")
                stats.sendall(b"show stat\n")
                lines = stats.makefile().read().splitlines()
            except OSError:
                return False
        states = sorted(row["status"] for row in csv.DictReader(lines) if row["svname"] == server.name)
        return states == ["DOWN", "UP"]


class Pgpool(_Peer):
    """Pgpool-II in streaming replication mode."""

    name = "Pgpool-II"

    def _start(self):
        self._write("pool_passwd", f"{USER}:TEXT{PASSWORD}\n")
        hba = self._write("pool_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n")
        pcp = self._write("pcp.conf", "")
        settings = {**self._own_settings(), **self._backends()}
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        self._run(_binary("pgpool"), "-n", "-D", "-f", self._write("pgpool.conf", text), "-a", hba, "-F", pcp,
                  stop_signal=signal.SIGINT)

    def _backends(self):
        settings = {}
        for number, (server, port) in enumerate(self.servers):
            settings |= {f"backend_hostname{number}": "127.0.0.1", f"backend_port{number}": port,
                         f"backend_weight{number}": 1, f"backend_flag{number}": "ALLOW_TO_FAILOVER",
                         f"backend_application_name{number}": server.name}
        return settings

    def _own_settings(self):
        checks = {f"{check}_{what}": value for check in ("sr_check", "health_check")
                  for what, value in (("period", 1), ("user", USER), ("password", f"TEXT{PASSWORD}"),
                                      ("database", DATABASE))}
        return {
            "backend_clustering_mode": "streaming_replication",
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "pcp_port": free_port(),
            **dict.fromkeys(("socket_dir", "pcp_socket_dir", "wd_ipc_socket_dir", "logdir"), self.directory),
            "pid_file_name": f"{self.directory}/pgpool.pid",
            "enable_pool_hba": "on",
            "pool_passwd": f"{self.directory}/pool_passwd",
            "num_init_children": 64,  # one for each client; times max_pool, what a server allows
            "max_pool": 1,
            "load_balance_mode": "on",
            "delay_threshold": 10 << 20,
            **checks,
            # A restart must not be taken for a crash: nobody would attach a primary again. All are said, for
            # some defaults are not what the sample file calls default.
            "health_check_timeout": 2,
            "health_check_max_retries": 2,
            "health_check_retry_delay": 1,
            "connect_timeout": 2000,
            "failover_on_backend_error": "off",
            "failover_on_backend_shutdown": "off",
            "search_primary_node_timeout": 30,
            "auto_failback": "on",
            "auto_failback_interval": 5,
        }

    def connect(self, writes):
        """A connection: Pgpool-II itself tells writes from reads."""
        return psycopg.connect(**self._parameters(DATABASE), autocommit=True, prepare_threshold=None)

    def uses(self, server):
        """Whether Pgpool-II has the server attached."""
        number = [each for each, _ in self.servers].index(server)
        try:
            with contextlib.closing(psycopg2.connect(**self._parameters(DATABASE))) as client:
                client.autocommit = True
                cursor = client.cursor()
                cursor.execute("SHOW pool_nodes")
                names = [column.name for column in cursor.description]
                return dict(zip(names, cursor.fetchall()[number]))["status"] == "up"
        except psycopg2.Error:
            return False


PEERS = (PgBouncer, Pgpool)
