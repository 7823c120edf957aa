"""Stands between psql and the primary: hands each Query on, and lets a witness repeat it on a standby."""

import socket
import struct
import threading

from tests.support.raw import GSSENC_REQUEST, SSL_REQUEST, Closed, RawClient, frame

_CANCEL_REQUEST = 80877102


class Incoming(RawClient):
    """The client's side of an accepted connection."""

    def __init__(self, accepted):  # pylint: disable=super-init-not-called
        self.socket = accepted
        self.timeout = 3600
        self.parameters, self.key = {}, None
        self._buffer = bytearray()

    def read_startup(self):
        """The startup packet as it came, encryption refused; None for a cancel request."""
        while True:
            header = self.read_bytes(4)
            body = self.read_bytes(struct.unpack("!i", header)[0] - 4)
            code = struct.unpack_from("!i", body)[0]
            if code == _CANCEL_REQUEST:
                return None
            if code not in (SSL_REQUEST, GSSENC_REQUEST):
                return header + body
            self.send(b"N")


def log_in(port, startup):
    """A connection to a server that trusts us, and its answer to the startup packet."""
    server = RawClient(port, timeout=120)
    server.send(startup)
    return server, server.answer()


def bytes_of(frames):
    return b"".join(frame(f.type, f.body) for f in frames)


def ask_with_copy(server, client, message):
    """One Query on the primary, the client's COPY data included. All frames up to ReadyForQuery."""
    server.send(message)
    frames = []
    while True:
        answer = server.read_until("ZG")
        frames += answer.frames
        client.send(bytes_of(answer.frames))
        if answer.closed:
            raise Closed("the primary ended the session")
        if answer.frames[-1].type == "Z":
            return frames
        _pass_copy_data(server, client)


def _pass_copy_data(server, client):
    while True:
        part = client.read_frame()
        server.send(frame(part.type, part.body))
        if part.type in "cf":
            return


def serve(listener, primary_port, make_witness):
    """Serves clients for ever: psql's \\connect opens the new connection before it closes the old one."""
    while True:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve_client, args=(Incoming(accepted), primary_port, make_witness),
                         daemon=True).start()


def _serve_client(client, primary_port, make_witness):
    try:
        _serve_one(client, primary_port, make_witness)
    except (Closed, OSError):
        pass
    finally:
        client.close()


def _serve_one(client, primary_port, make_witness):
    startup = client.read_startup()
    if startup is None:
        return
    server, answer = log_in(primary_port, startup)
    with server:
        client.send(bytes_of(answer.frames))
        if answer.closed:
            return
        with make_witness(server, startup) as witness:
            while (message := client.read_frame()).type != "X":
                if message.type != "Q":
                    raise AssertionError(f"psql sent message {message.type!r}")
                witness.before(message.body)
                frames = ask_with_copy(server, client, frame("Q", message.body))
                witness.after(message.body, frames)
