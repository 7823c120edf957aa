"""Certificates made by openssl for one test: an authority, a server's, an unrelated authority's."""

import os
import subprocess

from tests.support.template import own


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """A self-signed root in `directory`/`name`.crt."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        self.certificate, self._key = f"{directory}/{name}.crt", f"{directory}/{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN=pgsteer test {name}", "-keyout", self._key, "-out", self.certificate)

    def issue(self, name, host="localhost", addresses=("127.0.0.1",)):
        """(certificate, key) for a server at `host` and `addresses`."""
        certificate, key, request = (f"{self.directory}/{name}.{end}" for end in ("crt", "key", "csr"))
        names = ",".join([f"DNS:{host}"] + [f"IP:{address}" for address in addresses])
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={host}",
                 "-addext", f"subjectAltName={names}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-days", "2", "-copy_extensions", "copy", "-out", certificate)
        os.chmod(key, 0o600)
        return certificate, key


def for_server(authority, server):
    """Makes `server` speak TLS from its next start, with a certificate of `authority`."""
    certificate, key = authority.issue(server.name)
    own(certificate)
    own(key)
    server.configure(ssl="on", ssl_cert_file=certificate, ssl_key_file=key)
