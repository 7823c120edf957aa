"""The load under which servers fail: clients that write and read, reconnect, and count what went wrong."""

import collections
import ctypes
import re
import threading
import time

import psycopg

from tests.support.waiting import scaled, wait_until

CLIENTS = 50
PAUSE = 0.02  # of each client between two statements
RECONNECT_PAUSE = 0.1  # after a connection that could not be made
PATIENCE = 30  # how long a peer is waited for
AFTERMATH = 12  # how long a peer is watched after a fault: health checks that time out come to their end in it

_LIBPQ = ctypes.CDLL("libpq.so.5")
_VERBOSE = 2
_CODE = re.compile(r"\b((?=[A-Z]*[0-9])[0-9A-Z]{5}): ")


def _tell_codes(client):
    """Has libpq put the SQLSTATE in its messages: psycopg drops the error a connection ends with, but for the text."""
    _LIBPQ.PQsetErrorVerbosity(ctypes.c_void_p(client.pgconn.pgconn_ptr), _VERBOSE)
    return client


def _code(error):
    """The SQLSTATE of an error, None where it came with none."""
    found = _CODE.search(str(error))
    return error.sqlstate or (found and found[1])


class FaultLoad:
    """Half of the clients insert rows with ids of their own, the others read, until stopped.

    `connect(writes)` gives a connection. What is tested must do all that is expected of it; of a peer
    (`is_tested` false) it is written down in `failures` that it did not.
    """

    def __init__(self, connect, is_tested=True):
        self.connect, self.is_tested = connect, is_tested
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.written, self.write_times, self.read_times = [], [], []
        self.errors = collections.Counter()
        self.failures = []
        self.slowest, self.ended = 0.0, None
        self.begun = {}  # statements that are not answered yet: {client: when}
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        writes = number % 2 == 1
        client, count = self._connect(writes), 0
        while client is not None and not self.stopping.wait(PAUSE):
            count += 1
            self.begun[number] = begun = time.monotonic()
            try:
                self._write(client, f"{number}-{count}") if writes else self._read(client)
            except psycopg.Error as error:
                self._count_error(_code(error) or "broken connection", writes)
            with self.lock:
                del self.begun[number]
                self.slowest = max(self.slowest, time.monotonic() - begun)
            if client.closed:
                client = self._connect(writes)
        if client is not None:
            client.close()

    def _connect(self, writes):
        """A connection, as soon as there is one; None: the load ends."""
        while not self.stopping.is_set():
            try:
                return _tell_codes(self.connect(writes))
            except psycopg.Error as error:
                self._count_error(_code(error) or "no connection", writes)
            self.stopping.wait(RECONNECT_PAUSE)
        return None

    def _count_error(self, what, writes):
        with self.lock:
            self.errors[f"{what} {'write' if writes else 'read'}"] += 1

    def _write(self, client, key):
        client.execute("INSERT INTO ledger VALUES (%s)", (key,))
        with self.lock:
            self.written.append(key)
            self.write_times.append(time.monotonic())

    def _read(self, client):
        client.execute("SELECT count(*) FROM ledger WHERE id = '0'")
        with self.lock:
            self.read_times.append(time.monotonic())

    def wait_progress(self, count=500):
        """Waits until as much more is written, and read."""
        self._expect_progress(0)  # apart, so that a peer that comes back late has time for the rest
        self._expect_progress(count)

    def watch_aftermath(self):
        """Waits until a peer has done what it does about a fault; what is tested does it at once."""
        if not self.is_tested:
            time.sleep(AFTERMATH)

    def _expect_progress(self, count):
        goals = len(self.write_times) + count, len(self.read_times) + count
        self.expect(lambda: len(self.write_times) > goals[0] and len(self.read_times) > goals[1])

    def expect(self, condition, message=None):
        """Waits for the condition; without a message, what a peer fails to do shows in the figures."""
        try:
            wait_until(condition, 60 if self.is_tested else PATIENCE, message or "more is written and read")
        except AssertionError as late:
            if self.is_tested:
                raise AssertionError(f"{late}; errors: {self.errors}") from late
            self.failures += [message] if message else []

    def stop(self):
        """Ends the load when each client has its answer. Those of a peer that hang are counted and left."""
        self.ended = time.monotonic()
        self.stopping.set()
        deadline = self.ended + scaled(60 if self.is_tested else PATIENCE)
        for thread in self.threads:
            thread.join(timeout=max(0, deadline - time.monotonic()))
        with self.lock:
            hanging = [time.monotonic() - begun for begun in self.begun.values()]
        assert not (hanging and self.is_tested), f"{len(hanging)} clients hang"
        if hanging:
            self.errors["still without an answer at the end"] = len(hanging)
        self.slowest = max(self.slowest, *hanging, 0)

    def gap(self, times):
        """The longest time between two of these, or the last and the end of the load."""
        times = [*times, self.ended]
        return max((after - before for before, after in zip(times, times[1:])), default=0)
