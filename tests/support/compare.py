"""The same bytes to a server and to the proxy before it: what comes back must be the same."""

import difflib
import os
import re

from tests.support import raw

# Differ between any two connections, or name the connection's own process.
_OWN = "K"


def shown(frames):
    """Frames as a test compares and prints them."""
    return [(f.type, _fields(f.body)) if f.type in "EN" else (f.type, f.body) for f in frames if f.type not in _OWN]


def _fields(body):
    """Of an error or notice. In a failed block a Parse of the proxy's own may be what the server refuses."""
    fields = raw.fields(body)
    if fields.get("C") == "25P02":
        return {code: text for code, text in fields.items() if code not in "FLR"}
    return fields


class Twins:
    """Two clients with the same login, one past the proxy. Each call runs on both and compares."""

    def __init__(self, test, direct_port, proxy_port, **login):
        self.test = test
        self.direct, self.proxied = (raw.logged_in(port, **login) for port in (direct_port, proxy_port))
        test.addCleanup(self.direct.close)
        test.addCleanup(self.proxied.close)

    def ask(self, *parts, ready=1, msg=None):
        """Sends to both and compares up to the ready-th ReadyForQuery; the proxy's Answer."""
        expected, got = (self._one(client, parts, ready) for client in (self.direct, self.proxied))
        self.test.assertEqual(shown(got.frames), shown(expected.frames), msg)
        self.test.assertEqual(self.proxied.parameters, self.direct.parameters, msg)
        return got

    def query(self, sql):
        return self.ask(raw.query(sql), msg=sql)

    @staticmethod
    def _one(client, parts, ready):
        client.send(*parts)
        return client.answers(ready)


def _lines(path):
    """A result file's lines, without the directories that each run has of its own."""
    with open(path, errors="surrogateescape") as file:
        return [re.sub(r"/[^\s']*/(regress|isolation|libpq_pipeline)-[a-z-]+", "DIRECTORY", line) for line in file]


def differing_files(one, other, report=None):
    """({name: differing lines}, how many) of the *.out files in two directories; `report` gets a diff."""
    names = sorted(name for name in os.listdir(one) if name.endswith(".out"))
    different, shown_lines = {}, []
    for name in names:
        there = f"{other}/{name}"
        diff = list(difflib.unified_diff(_lines(f"{one}/{name}"), _lines(there) if os.path.exists(there) else [], name, name))
        if diff:
            different[name.removesuffix(".out")] = sum(line[:1] in "+-" for line in diff) - 2
            shown_lines += diff
    if report:
        with open(report, "w", errors="surrogateescape") as file:
            file.writelines(shown_lines)
    return different, len(names)
