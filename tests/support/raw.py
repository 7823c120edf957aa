"""A client that speaks the protocol by hand: any bytes out, frames in, for tests of the wire itself."""

import collections
import hashlib
import socket
import struct
import time

from tests.support.scram import ScramClient
from tests.support.template import DATABASE, PASSWORD, USER
from tests.support.waiting import scaled

PROTOCOL_3_0 = 196608
SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102

Frame = collections.namedtuple("Frame", "type body")


class Closed(Exception):
    """The other side closed the connection."""


def frame(kind, body=b""):
    """A message with its type byte and its length."""
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def text(value):
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def query(sql):
    return frame("Q", text(sql))


def parse(sql, name="", types=()):
    return frame("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def _arguments(values):
    """All in text format."""
    body = struct.pack("!hh", 0, len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            data = str(value).encode()
            body += struct.pack("!i", len(data)) + data
    return body


def bind(values=(), statement="", portal="", result_format=0):
    return frame("B", text(portal) + text(statement) + _arguments(values) + struct.pack("!hh", 1, result_format))


def function_call(oid, values=()):
    return frame("F", struct.pack("!i", oid) + _arguments(values) + struct.pack("!h", 0))


def describe(kind, name=""):
    return frame("D", kind.encode() + text(name))


def execute(portal="", rows=0):
    return frame("E", text(portal) + struct.pack("!i", rows))


def close(kind, name=""):
    return frame("C", kind.encode() + text(name))


SYNC, FLUSH, TERMINATE = frame("S"), frame("H"), frame("X")


def startup(protocol=PROTOCOL_3_0, **parameters):
    """A startup packet."""
    body = struct.pack("!i", protocol)
    for name, value in parameters.items():
        body += text(name) + text(value)
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def fields(body):
    """The fields of an ErrorResponse or NoticeResponse: {"S": "ERROR", "C": "42601", ...}."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def columns(body):
    """The values of a DataRow."""
    count, at, values = struct.unpack_from("!h", body)[0], 2, []
    for _ in range(count):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        values.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    return values


class Answer:
    """What came back up to ReadyForQuery (or the end of the connection)."""

    def __init__(self, frames, closed=False):
        self.frames = frames
        self.closed = closed

    @property
    def types(self):
        return "".join(f.type for f in self.frames)

    @property
    def rows(self):
        return [columns(f.body) for f in self.frames if f.type == "D"]

    @property
    def values(self):
        """The first column of each row, as text."""
        return [row[0].decode() if row[0] is not None else None for row in self.rows]

    @property
    def tags(self):
        return [f.body[:-1].decode() for f in self.frames if f.type == "C"]

    @property
    def errors(self):
        return [fields(f.body) for f in self.frames if f.type == "E"]

    @property
    def sqlstates(self):
        return [error["C"] for error in self.errors]

    @property
    def status(self):
        """Transaction status of the last ReadyForQuery: I, T or E."""
        ready = [f for f in self.frames if f.type == "Z"]
        return ready[-1].body.decode() if ready else None


class RawClient:
    """A connection to `port`. Made without login; call login() for one."""

    def __init__(self, port, host="127.0.0.1", timeout=10):
        self.timeout = scaled(timeout)
        self.socket = socket.create_connection((host, port), timeout=self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parameters = {}
        self.key = None
        self._buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def read_bytes(self, size, timeout=None):
        """Exactly `size` bytes."""
        deadline = time.monotonic() + (scaled(timeout) if timeout is not None else self.timeout)
        while len(self._buffer) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{size} bytes expected, {len(self._buffer)} came")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(262144)
            except ConnectionError as error:
                raise Closed(str(error)) from None
            if not data:
                raise Closed(f"closed with {len(self._buffer)} bytes unread")
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def read_all(self):
        """Everything up to the end of the connection."""
        data = bytearray(self._buffer)
        self.socket.settimeout(self.timeout)
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionError:
            pass
        return bytes(data)

    def read_frame(self, timeout=None):
        header = self.read_bytes(5, timeout)
        size = struct.unpack("!i", header[1:])[0] - 4
        assert 0 <= size < 1 << 30, f"bad frame {header!r}"
        return Frame(header[:1].decode("latin-1"), self.read_bytes(size, timeout) if size else b"")

    def read_until(self, types, timeout=None):
        """Frames up to and including the first of one of `types`, or to the end of the connection."""
        frames = []
        while True:
            try:
                frames.append(self.read_frame(timeout))
            except Closed:
                return Answer(frames, closed=True)
            if frames[-1].type == "S":
                name, value = frames[-1].body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            if frames[-1].type in types:
                return Answer(frames)

    def answer(self, timeout=None):
        """Everything up to ReadyForQuery."""
        return self.read_until("Z", timeout)

    def answers(self, count, timeout=None):
        """Everything up to the count-th ReadyForQuery."""
        frames = []
        for _ in range(count):
            part = self.answer(timeout)
            frames += part.frames
            if part.closed:
                return Answer(frames, closed=True)
        return Answer(frames)

    def ask(self, *parts, timeout=None):
        """Sends and reads to ReadyForQuery."""
        self.send(*parts)
        return self.answer(timeout)

    def query(self, sql, timeout=None):
        return self.ask(query(sql), timeout=timeout)

    def is_closed(self, timeout=5):
        """Whether the other side closes, after whatever it still sends."""
        return self.read_until("", timeout).closed

    def request_ssl(self):
        """Sends SSLRequest; the answer's byte."""
        self.send(struct.pack("!ii", 8, SSL_REQUEST))
        return self.read_bytes(1)

    def login(self, user=USER, password=PASSWORD, database=DATABASE, protocol=PROTOCOL_3_0, **parameters):
        """Startup and authentication as asked for. The Answer holds what came after, or the error."""
        self.send(startup(protocol, user=user, database=database, **parameters))
        seen, scram = [], None
        while True:
            part = self.read_until("REZ")
            seen += part.frames
            for each in part.frames:
                if each.type == "K":
                    self.key = each.body
            if part.closed or part.frames[-1].type != "R":
                return Answer(seen, part.closed)
            kind, body = struct.unpack_from("!i", part.frames[-1].body)[0], part.frames[-1].body[4:]
            if kind == 3:
                self.send(frame("p", text(password)))
            elif kind == 5:
                inner = hashlib.md5((password + user).encode()).hexdigest()
                self.send(frame("p", text("md5" + hashlib.md5(inner.encode() + body).hexdigest())))
            elif kind == 10:
                scram = ScramClient(password)
                self.send(frame("p", text("SCRAM-SHA-256") + struct.pack("!i", len(scram.first())) + scram.first()))
            elif kind == 11:
                self.send(frame("p", scram.final(body)))
            elif kind == 12:
                scram.verify(body)

    def cancel(self, port):
        """Sends this client's cancel request on a connection of its own, which is then closed by the other side."""
        with RawClient(port) as other:
            other.send(struct.pack("!ii", 8 + len(self.key), CANCEL_REQUEST), self.key)
            return other.is_closed()


def logged_in(port, **login):
    """A client past login, ready for queries."""
    client = RawClient(port)
    answer = client.login(**login)
    if answer.status != "I":
        client.close()
        raise AssertionError(f"login failed: {answer.frames}")
    return client
