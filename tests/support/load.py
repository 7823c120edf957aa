"""Clients that run statements in threads while a test does something to the servers."""

import threading
import time

from tests.support.waiting import scaled, wait_until


class Load:
    """`clients` threads, each with a connection of its own, each calling `work(connection)` until stopped.

    Counts what succeeded; keeps every exception. Use as a context manager.
    """

    def __init__(self, connect, work, clients=8, reconnect=False):
        self._connect, self._work, self._reconnect = connect, work, reconnect
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.done = 0
        self.errors = []
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=scaled(30))
            assert not thread.is_alive(), "a client hangs"

    def wait_progress(self, count=50, timeout=20):
        """Waits until `count` more units are done: the load runs, whatever happened before."""
        begun = self.done
        wait_until(lambda: self.done >= begun + count, timeout,
                   lambda: f"{count} more units of work, not {self.done - begun}; errors: {self.errors[:3]}")

    def _run(self):
        connection = None
        while not self._stopping.is_set():
            try:
                connection = connection or self._connect()
                begun = time.monotonic()
                self._work(connection)
                with self._lock:
                    self.done += 1
                    self.slowest = max(self.slowest, time.monotonic() - begun)
            except Exception as error:  # the test decides what was allowed
                with self._lock:
                    self.errors.append(error)
                if not self._reconnect:
                    break
                _close(connection)
                connection = None
        _close(connection)


def _close(connection):
    if connection is not None:
        connection.close()


def in_threads(functions):
    """Runs all functions at the same time; their results or exceptions, in order."""
    results = [None] * len(functions)

    def call(index, function):
        try:
            results[index] = function()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=call, args=item, daemon=True) for item in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=scaled(60))
        assert not thread.is_alive(), "a client hangs"
    return results
