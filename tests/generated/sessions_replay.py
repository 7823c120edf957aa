"""Plays a script of sessions.py on a server itself and past pgsteer, compares every byte, and shrinks what differs."""

import json
import re
import struct
import time

from tests.generated.sessions import Generator
from tests.generated.sessions_sql import RESET
from tests.support import raw
from tests.support.compare import shown
from tests.support.transcript import message
from tests.support.waiting import wait_until

_WAIT = 10
_SHRINKING = 90  # seconds at most
_FIRST_USER_OID = 16384
_ANSWERED = {"Parse", "Bind", "BindBinary", "Describe", "Execute", "Close", "Sync", "Query", "FunctionCall"}


class _Due:
    """The messages of a step that are still to be answered."""

    def __init__(self, step):
        self._kinds = [kind for kind in (line.split(" ")[0] for line in step) if kind in _ANSWERED]

    def __bool__(self):
        return bool(self._kinds)

    def __repr__(self):
        return f"not answered: {' '.join(self._kinds)}"

    def heard(self, kind):
        """A message of this type came."""
        first = self._kinds[0]
        is_whole = first in ("Query", "FunctionCall")  # these end in ReadyForQuery alone
        if kind == "E" and not is_whole:
            while self._kinds and self._kinds[0] != "Sync":
                self._kinds.pop(0)
        elif kind == "Z" or not is_whole and (kind in "123n" or kind == "T" and first == "Describe" or kind in "CIs" and first == "Execute"):
            self._kinds.pop(0)


def _answers(client, step):
    """All that comes back; at its end what ends the client, if something does."""
    frames, due = [], _Due(step)
    try:
        client.send(*map(message, step))
        while due:
            frames.append(client.read_frame(_WAIT))
            if frames[-1].type not in "NAS":
                due.heard(frames[-1].type)
    except (raw.Closed, ConnectionError):
        frames.append(raw.Frame("closed", b""))
    except TimeoutError:
        frames.append(raw.Frame("late", repr(due).encode()))
    return frames


def _columns_told(body):
    """Of a RowDescription, with no number that only this server's catalog knows."""
    count, at, out = struct.unpack_from("!h", body)[0], 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        table, number, type_, *rest = struct.unpack_from("!ihihih", body, end + 1)
        out.append((body[at:end], table >= _FIRST_USER_OID, number, min(type_, _FIRST_USER_OID), *rest))
        at = end + 19
    return out


def _row(body):
    """A temporary schema's number is its connection's, and it may be there before its first object or not: docs/differences.md."""
    return [value and re.sub(rb"pg_temp_\d+", b"pg_temp", value).replace(b"{pg_temp,", b"{") for value in raw.columns(body)]


def _complaint(fields):
    """What an error or notice says, differences aside that docs/differences.md names."""
    if fields.get("C") == "25P02":
        return "refused"  # which of two errors
    if "pg_temp" in fields["M"]:
        return "nothing temporary"  # temporary schemas
    told = {**fields, "M": re.sub('prepared statement "(s1|s2|q1|q2)"', "a prepared statement", fields["M"])}  # two names of one text
    if "W" in told:  # PL/pgSQL writes a function's name once a connection, by the search_path of its first call
        told["W"] = re.sub(r"PL/pgSQL function (a[01]\.)?", "PL/pgSQL function ", told["W"])
    return told


def _seen(frames):
    """As they are compared. Notifications come when they come, and one batch may change several reported settings."""
    shapes = {"E": _complaint, "N": _complaint, "T": _columns_told, "D": _row}
    out, reported = [], []
    for kind, body in shown(frame for frame in frames if frame.type != "A"):
        if kind == "S":
            reported.append((kind, body))
            continue
        out += sorted(reported)
        reported.clear()
        out.append((kind, shapes[kind](body) if kind in shapes else body))
    return out + sorted(reported)


class Stage:
    """A server, a pgsteer before it, and how scripts are played: by clients at once, or one after another."""

    def __init__(self, servers, proxy, are_at_once=True):
        self.servers, self.proxy, self.are_at_once = servers, proxy, are_at_once
        self._connection = servers.primary.connect()

    def close(self):
        self._connection.close()

    def _ask(self, sql, parameters=None):
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def _reset(self):
        """Nothing of one script is there in the next."""
        for gid, in self._ask("SELECT gid FROM pg_prepared_xacts"):
            self._ask("ROLLBACK PREPARED %s", (gid,))
        self._ask(f"SET ROLE app; {RESET}; RESET ROLE")
        self.servers.wait_for_replay()

    def _are_gone(self, pids):
        """Whether what sessions held on their connections is free again."""
        return (not self._ask("SELECT 1 FROM pg_stat_activity WHERE pid = ANY (%s)", (pids,))
                and json.loads(self.proxy.get("/clients")[1])["total"] == 0
                and not self._ask("SELECT 1 FROM pg_stat_activity WHERE state <> 'idle' AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
                and not self._ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid IS NOT NULL"))

    def _leave(self, clients, is_direct):
        pids = [struct.unpack_from("!i", client.key)[0] for client in clients if is_direct]
        for client in clients:
            client.close()
        wait_until(lambda: self._are_gone(pids), message="the sessions are gone", interval=.005)

    def _play(self, port, script):
        """What came back in each step."""
        self._reset()
        clients, gone, heard = {}, set(), []
        is_direct = port == self.servers.primary.port
        try:
            for who, step in script:
                if who not in clients:
                    if not self.are_at_once:
                        self._leave(clients.values(), is_direct)
                        clients.clear()
                    clients[who] = raw.logged_in(port)
                heard.append([] if who in gone else _answers(clients[who], step))
                if heard[-1] and heard[-1][-1].type in ("closed", "late"):
                    gone.add(who)
        finally:
            self._leave(clients.values(), is_direct)
        return heard

    def difference(self, script):
        """(step, directly, past pgsteer) of the first step that is answered otherwise, or None."""
        heard = [self._play(port, script) for port in (self.servers.primary.port, self.proxy.port)]
        for number, (direct, proxied) in enumerate(zip(*heard)):
            if _seen(direct) != _seen(proxied):
                return number, _seen(direct), _seen(proxied)
        return None

    def compare(self, seed, steps=20):
        """Raises AssertionError with the least that is answered otherwise."""
        script = Generator(seed).script(steps)
        if not self.are_at_once:
            script.sort(key=lambda step: step[0])
        found = self.difference(script)
        if found is None:
            return
        script = script[:found[0] + 1]
        if self.difference(script) is None:  # what earlier scripts have left on a connection may be a part of it
            raise AssertionError(f"not a second time: {_told(seed, script, found)}")
        small = shrunk(script, self.difference)
        raise AssertionError(_told(seed, small, self.difference(small)))


def shrunk(script, difference):
    """Fewer steps, messages and statements that still make a difference."""
    until = time.monotonic() + _SHRINKING

    def differs(candidate):
        return time.monotonic() < until and difference(candidate) is not None

    script = _fewest(script, differs)
    for at in range(len(script)):
        def with_step(step, at=at):
            return [*script[:at], (script[at][0], step), *script[at + 1:]]
        step = _fewest(script[at][1], lambda lines: differs(with_step(lines)), kept=1)
        for number, line in enumerate(step):
            if line.startswith("Query ") and "; " in line:
                def with_texts(texts, number=number, step=step):
                    return [*step[:number], "Query " + "; ".join(texts), *step[number + 1:]]
                step = with_texts(_fewest(line[6:].split("; "), lambda texts: differs(with_step(with_texts(texts)))))
        script = with_step(step)
    return script


def _fewest(items, differs, kept=0):
    """Without what makes no difference, halves first; the last `kept` stay."""
    size = max(1, len(items) // 2)
    while size:
        at = 0
        while at + size <= len(items) - kept:
            fewer = items[:at] + items[at + size:]
            if differs(fewer):
                items = fewer
            else:
                at += size
        size //= 2
    return items


def _told(seed, script, found):
    """The script, to be written down as a transcript, and the answers that differ."""
    lines = [f"seed {seed}: the last step is answered otherwise"]
    for who, step in script:
        ready = sum(line.split(" ")[0] in ("Sync", "Query", "FunctionCall") for line in step)
        lines += [*(f"{'ab'[who]}> {line}" for line in step), f"{'ab'[who]}< {ready}"]
    if found is None:
        return "\n".join([*lines, "(not the last time)"])
    _, direct, proxied = found
    same = next((n for n, (a, b) in enumerate(zip(direct, proxied)) if a != b), min(len(direct), len(proxied)))
    return "\n".join([*lines, *(f"{where}: ...{str(side[max(0, same - 1):same + 3])[:1500]}" for where, side in (("directly", direct), ("past pgsteer", proxied)))])
