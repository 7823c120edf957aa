"""Clients that write rows of their own and read them back while Patroni changes the servers."""

import collections
import threading
import time

import psycopg

from tests.support.waiting import scaled, wait_until

PAUSE = 0.02  # of each client between two statements
READS = 3     # after each write

Window = collections.namedtuple("Window", "write_gap read_gap slowest errors written")
Stale = collections.namedtuple("Stale", "client seen expected at")


class PatroniLoad:
    """Each client inserts (client, 1), (client, 2), ... and asks after each for the last number it sees."""

    def __init__(self, connect, clients=10):
        self.connect, self.stopping, self.lock = connect, threading.Event(), threading.Lock()
        self.written, self.errors, self.stale = {}, [], []  # (client, number) -> when acknowledged
        self.answers = {"write": [], "read": []}
        self.statements = []  # (begun, lasted)
        self.turns = collections.Counter()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self, client):
        connection, number, seen = None, 0, 0
        while not self.stopping.wait(PAUSE):
            is_write = number == 0 or self.turns[client] % (1 + READS) == 0
            self.turns[client] += 1
            number += is_write
            try:
                if connection is None or connection.closed:
                    connection = self.connect()
                seen = self._write(connection, client, number) if is_write else self._read(connection, client, seen)
            except psycopg.Error as error:
                what = f"{error.sqlstate or type(error).__name__} {'write' if is_write else 'read'}"
                with self.lock:
                    self.errors.append((time.monotonic(), what))
        if connection is not None:
            connection.close()

    def _write(self, connection, client, number):
        begun = time.monotonic()
        connection.execute("INSERT INTO ledger VALUES (%s, %s)", (client, number))
        self._note("write", begun, (client, number))
        return number

    def _read(self, connection, client, seen):
        begun = time.monotonic()
        found = connection.execute("SELECT coalesce(max(number), 0) FROM ledger WHERE client = %s",
                                   (client,)).fetchone()[0]
        if found < seen:
            with self.lock:
                self.stale.append(Stale(client, found, seen, time.monotonic()))
        self._note("read", begun)
        return found

    def _note(self, kind, begun, row=None):
        now = time.monotonic()
        with self.lock:
            self.answers[kind].append(now)
            self.statements.append((begun, now - begun))
            if row:
                self.written[row] = now

    def wait_progress(self, count=300):
        goals = {kind: len(times) + count for kind, times in self.answers.items()}
        wait_until(lambda: all(len(self.answers[kind]) > goal for kind, goal in goals.items()), 60,
                   f"more is written and read; errors: {self.errors[-3:]}")

    def between(self, begun, ended):
        """What clients have met in that time."""
        def gap(kind):
            times = [begun, *(t for t in self.answers[kind] if begun <= t <= ended)]
            return max((b - a for a, b in zip(times, times[1:])), default=0)
        with self.lock:
            return Window(gap("write"), gap("read"),
                          max((lasted for at, lasted in self.statements if begun <= at + lasted <= ended), default=0),
                          collections.Counter(what for at, what in self.errors if begun <= at <= ended),
                          sum(begun <= t <= ended for t in self.answers["write"]))

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=scaled(60))
            assert not thread.is_alive(), "a client hangs"

    def judge(self, rows):
        """When each lost write was acknowledged, the rows that are there twice, and when each read was answered that
        showed less than its session had seen, though that was not lost."""
        found = collections.Counter(rows)
        lost = [at for row, at in self.written.items() if not found[row]]
        stale = [s.at for s in self.stale
                 if any(found[s.client, n] for n in range(s.seen + 1, s.expected + 1)
                        if (s.client, n) in self.written)]
        return lost, [row for row, count in found.items() if count > 1], stale
