"""Conversations written down, one message a line, replayed on a server and past the proxy.

    # why this transcript exists
    setup TRUNCATE t                     run on the primary before each replay, as the application's user
    a> Query SELECT 1                    client a sends (a client logs in when first named)
    a> Parse s SELECT $1::int            the name comes first; "-" is the unnamed one
    a> Bind - s 42 NULL                  portal, statement, values; BindBinary asks for binary results
    a> FunctionCall 1574 seq             the function's oid, values as text
    a< 1                                 reads up to the first ReadyForQuery, compares
    a< until C                           reads up to the first message of a type, compares
    a. closed                            the connection is at its end
    x> login user=app application_name=x a client's startup parameters, before its first message
"""

import os
import shlex

from tests.support import raw
from tests.support.compare import shown


def _name(word):
    return "" if word == "-" else word


def _bytes(rest):
    return rest.encode().decode("unicode_escape").encode("latin-1")


def _values(words):
    return [None if word == "NULL" else word for word in words]


def _bind(rest, result_format=0):
    portal, statement, *values = shlex.split(rest)
    return raw.bind(_values(values), _name(statement), _name(portal), result_format)


def _function_call(rest):
    oid, *values = shlex.split(rest)
    return raw.function_call(int(oid), _values(values))


def _parse(rest):
    name, _, sql = rest.partition(" ")
    return raw.parse(sql, _name(name))


def _execute(rest):
    portal, *rows = rest.split()
    return raw.execute(_name(portal), int(rows[0]) if rows else 0)


def _of_kind(make):
    def message(rest):
        kind, _, name = rest.partition(" ")
        return make(kind, _name(name or "-"))
    return message


_MESSAGES = {
    "Query": lambda rest: raw.query(rest),
    "Parse": _parse,
    "Bind": _bind,
    "BindBinary": lambda rest: _bind(rest, result_format=1),
    "Execute": _execute,
    "Describe": _of_kind(raw.describe),
    "Close": _of_kind(raw.close),
    "Sync": lambda rest: raw.SYNC,
    "Flush": lambda rest: raw.FLUSH,
    "Terminate": lambda rest: raw.TERMINATE,
    "FunctionCall": _function_call,
    "CopyData": lambda rest: raw.frame("d", _bytes(rest)),
    "CopyDone": lambda rest: raw.frame("c"),
    "CopyFail": lambda rest: raw.frame("f", raw.text(rest)),
    "Frame": lambda rest: raw.frame(rest[0], _bytes(rest[2:])),
    "Bytes": _bytes,
}


def message(step):
    """The bytes of what a client sends: "Query SELECT 1"."""
    kind, _, arguments = step.partition(" ")
    return _MESSAGES[kind](arguments)


class Transcript:
    """The steps of one file."""

    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
        steps = [line for line in lines if line.strip() and not line.startswith("#")]
        self.setup = [line.removeprefix("setup ") for line in steps if line.startswith("setup ")]
        self._steps = [line for line in steps if not line.startswith("setup ")]

    def inside_batches(self):
        """Which calls of play()'s `between`, counted from 0, come between two messages that one client sends in a row."""
        senders = [step[:2] for step in self._steps if not step[2:].strip().startswith("login ")]
        return [at for at in range(1, len(senders)) if senders[at] == senders[at - 1] and senders[at][1] == ">"]

    def play(self, port, between=lambda: None):
        """Runs the conversation against `port`, calling `between` before each step and at the end; [(step, what
        came)] of each reading step."""
        clients, logins, heard = {}, {}, []
        try:
            for step in self._steps:
                who, what, rest = step[0], step[1], step[2:].strip()
                if what == ">" and rest.startswith("login "):
                    logins[who] = dict(pair.split("=", 1) for pair in shlex.split(rest)[1:])
                    continue
                between()
                if who not in clients:
                    clients[who] = raw.logged_in(port, **logins.get(who, {}))
                if what == ">":
                    clients[who].send(message(rest))
                else:
                    heard.append((step, self._read(clients[who], what, rest)))
            between()
        except Exception as error:
            error.add_note(f"in {self.name}: {step}")
            raise
        finally:
            for client in clients.values():
                client.close()
        return heard

    @staticmethod
    def _read(client, what, rest):
        if what == "." and rest == "closed":
            return client.is_closed()
        assert what == "<", f"unknown step {what}{rest}"
        answer = client.read_until(rest.split()[1]) if rest.startswith("until ") else client.answers(int(rest))
        return shown(answer.frames), answer.closed, dict(client.parameters)
