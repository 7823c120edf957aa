"""A TCP relay in front of a server that can be told to misbehave: refuse, hang, or lose one or both directions.

What a lost direction holds back arrives when it is healed, as with TCP behind a partition: nothing is dropped.
"""

import selectors
import socket
import struct
import threading

from tests.support.ports import free_port

_CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST


class FaultProxy:
    """Relays `address`:`port` to 127.0.0.1:`target`. Its state is one of pass, refuse, and a set of lost directions."""

    def __init__(self, target, address="127.0.0.1", port=None):
        self.target, self.address, self.port = target, address, port or free_port()
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ, self._drain_wake)
        self._lost = frozenset()
        self._listener = None
        self._pairs = []
        self._jobs, self._lock = [], threading.Lock()
        self._is_running = True
        self._listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # What a test does

    def refuse(self):
        """No new connections, and those there are end with a reset: a machine whose server is gone."""
        self._do(self._close_all)

    def lose(self, *directions):
        """Nothing arrives any more in these directions: "to_server", "to_client"; both: a partition."""
        self._do(lambda: self._set_lost(frozenset(directions)))

    def partition(self):
        """Nothing arrives in either direction; new connections are accepted and hang."""
        self.lose("to_server", "to_client")

    def retarget(self, target):
        """New connections lead to another server."""
        self._do(lambda: setattr(self, "target", target))

    def heal(self):
        """All as at first; what was held back arrives."""
        self._do(self._heal)

    def count(self):
        """Connections that are open now."""
        return len(self._pairs)

    def stop(self):
        """Ends the relay and its connections."""
        if self._is_running:
            self._do(self._close_all)
            self._is_running = False
            self._waker.send(b"x")
            self._thread.join(timeout=10)
            for each in (self._selector, self._wake, self._waker):
                each.close()

    # The thread

    def _do(self, job):
        done = threading.Event()
        with self._lock:
            self._jobs.append((job, done))
        self._waker.send(b"x")
        assert done.wait(10), "the fault proxy hangs"

    def _run(self):
        while self._is_running:
            for key, _ in self._selector.select():
                key.data()
            with self._lock:
                jobs, self._jobs = self._jobs, []
            for job, done in jobs:
                job()
                done.set()

    def _drain_wake(self):
        self._wake.recv(_CHUNK)

    def _listen(self):
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.address, self.port))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            server.connect(("127.0.0.1", self.target))
        except OSError:
            _reset(client)
            _reset(server)
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (client, server)
        self._pairs.append(pair)
        self._watch(pair)

    def _watch(self, pair):
        client, server = pair
        for source, sink, direction in ((client, server, "to_server"), (server, client, "to_client")):
            is_watched = source in self._selector.get_map()
            if direction in self._lost and is_watched:
                self._selector.unregister(source)
            elif direction not in self._lost and not is_watched:
                self._selector.register(source, selectors.EVENT_READ,
                                        lambda a=source, b=sink, p=pair: self._copy(a, b, p))

    def _copy(self, source, sink, pair):
        if pair not in self._pairs:
            return
        try:
            data = source.recv(_CHUNK)
            if data:
                sink.settimeout(10)
                sink.sendall(data)
                return
        except OSError:
            pass
        self._close(pair, _reset)

    def _close(self, pair, how):
        for each in pair:
            if each in self._selector.get_map():
                self._selector.unregister(each)
            how(each)
        self._pairs.remove(pair)

    def _close_all(self):
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for pair in list(self._pairs):
            self._close(pair, _reset)

    def _set_lost(self, directions):
        self._lost = directions
        for pair in list(self._pairs):
            self._watch(pair)

    def _heal(self):
        if self._listener is None:
            self._listen()
        self._set_lost(frozenset())


def _reset(one):
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    except OSError:
        pass
    one.close()
