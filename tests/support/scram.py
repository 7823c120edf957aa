"""The client's side of SCRAM-SHA-256 (RFC 5802, 7677), for raw.py: written out so that tests can break it."""

import base64
import hashlib
import hmac
import os


class ScramClient:
    """One exchange: first() -> server-first -> final() -> server-final -> verify()."""

    def __init__(self, password, nonce=None, channel_binding=b"n,,"):
        self._password = password.encode()
        self._nonce = nonce or base64.b64encode(os.urandom(18)).decode()
        self._binding = channel_binding
        self._bare = f"n=,r={self._nonce}"

    def first(self):
        return self._binding + self._bare.encode()

    def final(self, server_first):
        text = server_first.decode()
        fields = dict(part.split("=", 1) for part in text.split(","))
        assert fields["r"].startswith(self._nonce), "server nonce does not begin with ours"
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = _hmac(salted, b"Client Key")
        without_proof = "c=%s,r=%s" % (base64.b64encode(self._binding).decode(), fields["r"])
        self._signed = f"{self._bare},{text},{without_proof}".encode()
        self._server_key = _hmac(salted, b"Server Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), self._signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final):
        expected = base64.b64encode(_hmac(self._server_key, self._signed)).decode()
        assert server_final.decode() == f"v={expected}", "the server does not know the password"


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()
