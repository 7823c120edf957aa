"""The servers and the proxies that are measured beside each other, and the yardstick that drives them.

Used by bench/run and bench/emulated.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

from local_postgres import Pair, free_port, wait_until
from tables import NAMES

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIOS = "simple extended prepared tpcb churn rows1k narrow copy pipeline fanin".split()
NEED_PREPARED = "prepared:tpcb:pipeline:one:rated"  # PgBouncer before 1.21 cannot
SERVER_SETTINGS = {"max_connections": 700, "shared_buffers": "'256MB'", "autovacuum": "off", "max_wal_size": "'4GB'"}


def yardstick():
    for folder in (os.environ.get("PGSTEER_YARDSTICK"), ROOT.parent / "shared/bench"):
        if folder and (pathlib.Path(folder) / "bench.py").exists():
            return pathlib.Path(folder)
    sys.exit("no ../shared/bench beside the repository; set PGSTEER_YARDSTICK to its folder")


def pgbouncer_version():
    text = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", text).groups()))


class Field:
    """The servers and the proxies that run while something is measured."""

    def __init__(self, binary, folder):
        self.binary, self.folder = pathlib.Path(binary).resolve(), folder
        self.pair = Pair("pgsteer-bench.", "postgres", "", "bench", SERVER_SETTINGS, auth="trust")
        self.results = self.pair.root / "results.jsonl"
        self.ports, self.pids, self.pgsteer = {}, {}, None

    def start(self):
        self.pair.start_primary()
        port = str(self.pair.primary.port)
        subprocess.run(["pgbench", "-i", "-s", "10", "-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "bench"],
                       check=True, capture_output=True)
        self.pair.start_replica()
        self.pair.wait_for_replay(120)
        for name in NAMES:
            self.ports[name] = free_port()
        self.start_proxies()

    def start_proxies(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        variables = {"DATABASE_URL": self.pair.url(self.pair.primary.port),
                     "DATABASE_REPLICA_URL": self.pair.url(self.pair.replica.port),
                     "PGSTEER_AUTH": "trust", "PGSTEER_POOL_SIZE": "10",
                     "PGSTEER_LISTEN": f"127.0.0.1:{self.ports['pgsteer']}", "PGSTEER_ADMIN_LISTEN": "off",
                     "PATH": os.environ["PATH"]}
        with open(self.pair.root / "pgsteer.log", "ab") as log:
            self.pgsteer = subprocess.Popen(
                [self.binary], env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        self.pids["pgsteer"] = self.pgsteer.pid
        wait_until(lambda: self.answers("pgsteer"), 20, "pgsteer to answer")
        self.start_peer("haproxy", "haproxy", "/usr/sbin/haproxy")
        self.start_peer("pgbouncer", "pgbouncer" if pgbouncer_version() >= (1, 21) else "pgbouncer-old", "/usr/sbin/pgbouncer")

    def start_peer(self, name, template, binary):
        environment = {**os.environ, "RUN": str(self.pair.root), "PGPORT": str(self.pair.primary.port), "POOL": "10"}
        subprocess.run([self.folder / "peers/start.sh", template, name, str(self.ports[name]), binary], env=environment,
                       check=True, stdout=subprocess.DEVNULL)
        self.pids[name] = int((self.pair.root / f"{name}.pid").read_text())

    def answers(self, name):
        command = ["psql", "-XAtq", "-h", "127.0.0.1", "-p", str(self.ports[name]), "-U", "postgres", "-d", "bench", "-c", "SELECT 1"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def targets(self):
        skip = {"haproxy": ",skip=idle"}  # it would need a server connection for each client
        if pgbouncer_version() < (1, 21):
            skip["pgbouncer"] = f",skip={NEED_PREPARED}"
        for name, port in self.ports.items():
            yield f"--target={name}=127.0.0.1:{port},{self.pids[name]}{skip.get(name, '')}"

    def measure(self, command, *options):
        subprocess.run([sys.executable, self.folder / "bench.py", command, *self.targets(), "--out", self.results, *options],
                       check=True)

    def count_system_calls(self, scenarios, rounds, seconds):
        """What `bench.py counts` does for system calls, where it ends early for want of an instruction counter."""
        sys.path.insert(0, str(self.folder))
        import bench  # noqa: PLC0415: the yardstick, known only now
        wanted = argparse.Namespace(user="postgres", dbname="bench", scale=10)
        targets = [bench.Target(text.removeprefix("--target=")) for text in self.targets()]
        for key in scenarios:
            for number in range(rounds):
                for target in (t for t in targets if key not in t.skip):
                    load = lambda key=key, target=target: bench.run_pgbench(wanted, target, key, secs=seconds, log=False)
                    result, counts = bench.perf_stat(target, ["raw_syscalls:sys_enter"], load)
                    record = {"kind": "counts", "scenario": key, "round": number, "target": target.name}
                    record |= {"error": result["error"]} if "error" in result else {
                        "syscalls": counts["raw_syscalls:sys_enter"] / result["txn"]}
                    with open(self.results, "a") as file:
                        file.write(json.dumps(record) + "\n")
                    print(f"{key:9} {number} {target.name:15} " + (record.get("error") or
                          f"syscalls/txn {record['syscalls']:.2f}"), flush=True)

    def stop_proxies(self):
        for name, pid in self.pids.items():
            try:
                os.kill(pid, 9 if name != "pgsteer" else 15)
            except ProcessLookupError:
                continue
            if name != "pgsteer":
                wait_until(lambda pid=pid: not is_alive(pid), 10, f"{name} to end")
                shutil.rmtree(self.pair.root / name, ignore_errors=True)
        self.pids.clear()
        if self.pgsteer:
            self.pgsteer.wait(timeout=60)

    def close(self):
        self.stop_proxies()
        self.pair.close()


def is_alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
