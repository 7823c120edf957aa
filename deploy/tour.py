"""The tour that deploy/demo gives: each step says what it does, does it, and checks it by asking the servers.

    tour.py PGSTEER [--once]
"""
import argparse
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from local_postgres import Pair, ServerError, free_port, wait_until

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
PRIMARY, REPLICA = "primary", "replica"
TABLE = "product"
STATEMENTS = [
    (PRIMARY, "INSERT INTO product (name, price) VALUES ('teapot', 24.50) RETURNING id"),
    (REPLICA, "SELECT count(*) FROM product"),
    (REPLICA, "SELECT name, price FROM product WHERE id = 42"),
    (PRIMARY, "UPDATE product SET price = price + 1 WHERE id = 42"),
    (PRIMARY, "SELECT name FROM product WHERE id = 42 FOR UPDATE"),
    (PRIMARY, "WITH gone AS (DELETE FROM product WHERE id = 7 RETURNING name) SELECT name FROM gone"),
    (PRIMARY, "SELECT nextval('product_id_seq')"),
    (REPLICA, "SELECT max(price) FROM product WHERE name LIKE 'product 1%'"),
]
BENCHMARK_READ = "SELECT abalance FROM pgbench_accounts WHERE aid = ?"


class StepFailed(RuntimeError):
    """A step did not do what it says."""


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text=""):
    print(text, flush=True)


def title(number, text):
    say()
    say(paint(f"{number}. {text}", "1"))


def good(text):
    say(f"   {paint('✓', '32')} {text}")


def expect(condition, text):
    if not condition:
        raise StepFailed(f"did not hold: {text}")
    good(text)


def shape(sql):
    """A statement as pg_stat_statements keeps it: values are gone, blanks do not count."""
    return re.sub(r"\s+", " ", re.sub(r"'[^']*'|\$\d+|\b\d+(\.\d+)?\b", "?", sql)).strip(" ;").lower()


def executions(server, database, sql):
    return sum(n for text, n in server.calls(database).items() if shape(text) == shape(sql))


def is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Proxy:
    """pgsteer as an operator would start it: two variables, and ports only where its own are taken."""

    def __init__(self, binary, pair):
        self.binary, self.pair = os.path.abspath(binary), pair
        self.log_file = pair.root / "pgsteer.log"
        self.variables = {"DATABASE_URL": pair.url(pair.primary.port), "DATABASE_REPLICA_URL": pair.url(pair.replica.port)}
        self.port = self._port(6432, "PGSTEER_LISTEN")
        self.admin_port = self._port(6433, "PGSTEER_ADMIN_LISTEN")
        self.url = pair.url(self.port)
        self.process = None

    def _port(self, usual, variable):
        if is_free(usual):
            return usual
        port = free_port()
        self.variables[variable] = f"127.0.0.1:{port}"
        return port

    def start(self):
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TZ")}
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([self.binary], env={**environment, **self.variables}, cwd="/",
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.process.poll() is not None or self.health()[0] == 200, 20, "pgsteer to be healthy")
        if self.process.poll() is not None:
            raise StepFailed(f"pgsteer ended with status {self.process.returncode}")

    def health(self):
        """Status and body of /health; (0, None) while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/health", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, json.load(answer)
        except OSError:
            return 0, None

    def psql(self, *statements):
        """The statements in turn on one new connection; all rows they return."""
        commands = [part for sql in statements for part in ("-c", sql)]
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url, *commands], capture_output=True,
                              text=True, check=False, timeout=60)
        if done.returncode:
            raise StepFailed(f"{statements[0]}\n     {done.stderr.strip()}")
        return done.stdout.strip()

    def reason(self, sql):
        done = subprocess.run([self.binary, "route", "--json"], input=json.dumps({"sql": sql}) + "\n", text=True,
                              capture_output=True, check=True, timeout=20)
        return json.loads(done.stdout)["reason"]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Tour:
    """The steps in order; each raises when it does not hold."""

    def __init__(self, proxy, pair):
        self.proxy, self.pair = proxy, pair

    def answered_by(self, run, sql):
        """The servers whose own pg_stat_statements counted the statement while run() ran."""
        servers = [s for s in (self.pair.primary, self.pair.replica) if s.process.poll() is None]
        before = {s.name: executions(s, self.pair.database, sql) for s in servers}
        result = run()
        return result, {s.name: executions(s, self.pair.database, sql) - before[s.name] for s in servers}

    def fill(self):
        self.proxy.psql(f"CREATE TABLE {TABLE} (id serial PRIMARY KEY, name text NOT NULL, price numeric NOT NULL)")
        sql = f"INSERT INTO {TABLE} (name, price) SELECT 'product ' || n, n % 90 + 9.99 FROM generate_series(1, 1000) n"
        _, counts = self.answered_by(lambda: self.proxy.psql(sql), sql)
        expect(counts == {PRIMARY: 1, REPLICA: 0}, "the primary executed CREATE TABLE and INSERT")
        self.pair.wait_for_replay()
        there = self.pair.replica.query(f"SELECT count(*) FROM {TABLE}", self.pair.database)
        expect(there == "1000", "the 1000 rows have reached the replica by streaming replication")

    def split(self):
        say("   Who answered comes from pg_stat_statements on the two servers, why from `pgsteer route`.\n")
        wrong = 0
        for expected, sql in STATEMENTS:
            if expected == REPLICA:
                self.let_reads_leave()
            result, counts = self.answered_by(lambda sql=sql: self.proxy.psql(sql), sql)
            who = " and ".join(name for name, n in counts.items() if n) or "nobody"
            held = counts[expected] == 1 and sum(counts.values()) == 1
            wrong += not held
            say(f"   {sql}")
            say(f"     → {paint(who, '36' if who == REPLICA else '33')}   {self.proxy.reason(sql)}"
                f"{'' if held else paint('   expected: ' + expected, '31')}"
                f"{'   answer: ' + result.splitlines()[0] if result else ''}")
        say()
        expect(wrong == 0, f"{len(STATEMENTS)} statements, each executed once and on the right server")

    def let_reads_leave(self):
        """After a write the next read, of a new connection too, asks the primary how far a replica must be."""
        sql = f"SELECT id FROM {TABLE} LIMIT 1"
        wait_until(lambda: self.answered_by(lambda: self.proxy.psql(sql), sql)[1][REPLICA] == 1, 20,
                   "a read to leave the primary")

    def own_writes(self, times=50):
        """Writes and reads in turn on one connection: each read must see the writes before it."""
        write, read = f"INSERT INTO {TABLE} (name, price) VALUES ('cup', 3.50)", f"SELECT count(*) FROM {TABLE}"
        before = int(self.proxy.psql(read))
        text, counts = self.answered_by(lambda: self.proxy.psql(*[write, read, read] * times), read)
        seen = [int(line) for line in text.splitlines()]
        say(f"   {times} times on one connection: an INSERT, and at once two SELECT count(*)")
        say(f"   {counts[PRIMARY]} of the reads ran on the primary, {counts[REPLICA]} on the replica: those that found it"
            " had caught up")
        expect(seen == [before + 1 + n // 2 for n in range(2 * times)], "every read saw the writes before it")

    def benchmark(self, seconds=5):
        self.pgbench("-i", "-s", "1", "-q")
        self.pair.wait_for_replay()
        say(f"   pgbench for {seconds} s: 8 clients that read, and 2 that read and write, 200 transactions a second")
        both = (("-b", "select-only", "-c", "8", "-j", "2"), ("-b", "simple-update", "-c", "2", "-R", "200"))
        run = lambda: self.at_once(*(("-n", "-M", "prepared", "-T", str(seconds), *options) for options in both))
        texts, reads = self.answered_by(run, BENCHMARK_READ)
        done = [int(re.search(r"actually processed: (\d+)", text)[1]) for text in texts]
        total = sum(reads.values())
        share = 100 * reads[REPLICA] / total if total else 0
        say(f"   {done[0]} reads alone, {done[1]} transactions that write and read")
        say(f"   {total} SELECTs by the servers' own count: {reads[REPLICA]} on the replica, {reads[PRIMARY]} on the primary")
        expect(all("number of failed transactions: 0" in text for text in texts), "no transaction failed")
        expect(share > 70, f"{share:.0f} % of the reads left the primary")

    def at_once(self, *runs):
        """Several pgbench at the same time; what each printed."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return list(pool.map(lambda options: self.pgbench(*options), runs))

    def pgbench(self, *options):
        done = subprocess.run(["pgbench", *options, self.proxy.url], capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise StepFailed(f"pgbench {' '.join(options)}\n     {done.stderr.strip()}")
        return done.stdout

    def lose_replica(self):
        self.show_health(200, "healthy", "connected")
        self.pair.replica.stop()
        say("   The replica is stopped.")
        sql = f"SELECT count(*) FROM {TABLE}"
        _, counts = self.answered_by(lambda: [self.proxy.psql(sql) for _ in range(20)], sql)
        expect(counts == {PRIMARY: 20}, "20 reads after that: all answered, by the primary")
        wait_until(lambda: self.proxy.health()[0] == 503, 10, "/health to notice")
        self.show_health(503, "unhealthy", "disconnected")

    def replica_returns(self):
        self.pair.replica.start()
        say("   The replica is started again.")
        wait_until(lambda: self.proxy.health()[0] == 200, 60, "/health to be healthy again")
        self.show_health(200, "healthy", "connected")
        sql = f"SELECT count(*) FROM {TABLE}"
        _, counts = self.answered_by(lambda: [self.proxy.psql(sql) for _ in range(5)], sql)
        expect(counts[REPLICA] == 5, "reads go to it again, and pgsteer was not restarted")

    def show_health(self, status, word, replica):
        code, body = self.proxy.health()
        say(f"   GET /health → {code} {json.dumps(body, separators=(',', ':'))}")
        wanted = (status, word, "connected", replica)
        expect((code, body["status"], body["db_primary"], body["db_replica"]) == wanted, f"/health says {word}")


def run_tour(proxy, pair):
    title(1, "A primary and a streaming hot standby")
    pair.start_primary()
    good(f"primary on 127.0.0.1:{pair.primary.port}")
    pair.start_replica()
    good(f"replica on 127.0.0.1:{pair.replica.port}, in recovery: {pair.replica.query('SELECT pg_is_in_recovery()')}")
    title(2, "pgsteer before them")
    for name, value in proxy.variables.items():
        say(f"   {name}={value}")
    proxy.start()
    good(f"listening on 127.0.0.1:{proxy.port}, admin port 127.0.0.1:{proxy.admin_port}")
    tour = Tour(proxy, pair)
    title(3, "A table created and filled through the proxy")
    tour.fill()
    title(4, "Reads and writes, and the server that answered each")
    tour.split()
    title(5, "A session reads its own writes")
    tour.own_writes()
    title(6, "How many reads leave the primary")
    tour.benchmark()
    title(7, "The replica dies")
    tour.lose_replica()
    title(8, "The replica comes back")
    tour.replica_returns()


def stay_up(proxy):
    say()
    say(paint("The tour is over, everything is still up. Connect with:", "1"))
    say(f"   psql {proxy.url}")
    say(f"   curl http://127.0.0.1:{proxy.admin_port}/health")
    say(f"   curl http://127.0.0.1:{proxy.admin_port}/metrics")
    say(f"   tail -f {proxy.log_file}")
    say("Ctrl-C ends it and removes everything.")
    while proxy.process.poll() is None:
        time.sleep(0.5)
    raise StepFailed(f"pgsteer ended with status {proxy.process.returncode}")


def end_by_signal(number, _frame):
    raise KeyboardInterrupt(number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pgsteer")
    parser.add_argument("--once", action="store_true", help="end after the tour")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)

    pair = Pair("pgsteer-demo.", "app", "app-secret", "shop")
    proxy = Proxy(arguments.pgsteer, pair)
    toured, status = False, 1
    try:
        run_tour(proxy, pair)
        toured, status = True, 0
        if not arguments.once:
            stay_up(proxy)
        say(f"\n{paint('Every step held.', '1;32')}")
    except KeyboardInterrupt:
        status = 0 if toured else 130
        say("\nEnding.")
    except (StepFailed, ServerError, subprocess.SubprocessError, OSError) as error:
        status = 1
        say(f"   {paint('✗', '31')} {error}")
        if proxy.log_file.exists():
            say("   The last lines of pgsteer's log:")
            say("".join(f"     {line}\n" for line in proxy.log_file.read_text(errors="replace").splitlines()[-15:]))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        proxy.stop()
        pair.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
