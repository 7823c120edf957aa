"""A pgsteer in front of a pair of servers, and a part of docs/performance.md. Used by bench/offload, bench/consistency and bench/judging."""
import os
import pathlib
import subprocess
import time

from local_postgres import free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/performance.md"
BINARY = ROOT / "build/release/pgsteer"


class Proxy:
    """Ready when a read has been sent to the replica: by then the database's catalog is known. Without one: to the primary."""

    def __init__(self, binary, pair, with_replica=True, **variables):
        self.port = free_port()
        replica = {"DATABASE_REPLICA_URL": pair.url(pair.replica.port)} if with_replica else {}
        reader = pair.replica if with_replica else pair.primary
        settings = {"DATABASE_URL": pair.url(pair.primary.port), **replica, "PGSTEER_POOL_SIZE": "10", "PGSTEER_LISTEN": f"127.0.0.1:{self.port}", "PGSTEER_ADMIN_LISTEN": "off",
                    "PGSTEER_REPLICA_WARMUP": "0s", "PATH": os.environ["PATH"], **variables}
        with open(pair.root / "pgsteer.log", "ab") as log:
            self.process = subprocess.Popen([binary], env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        read = ["psql", "-XAtqc", "/* ready */ SELECT count(*) FROM pg_class", pair.url(self.port)]
        wait_until(lambda: subprocess.run(read, capture_output=True, check=False).returncode == 0
                   and any("ready" in text for text in reader.calls(pair.database)), 30, "pgsteer to read")

    def cpu_seconds(self):
        """Of all its threads, since its start."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def executed(server, database, is_counted):
    """How many statements the server ran whose text is counted."""
    return sum(calls for text, calls in server.calls(database).items() if is_counted(text))


def forget_statements(pair):
    for server in (pair.primary, pair.replica):
        server.query("SELECT pg_stat_statements_reset()")


def write_part(name, text):
    """Between the two marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = DOCUMENT.read_text().split(begin)
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
