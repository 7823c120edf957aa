"""Repeats on a standby what a session has just done on the primary, and says what would have come of it there."""

import json
import re
import time

from tests.oracle.relay import log_in
from tests.support.raw import Answer, Closed, columns, fields, query

# What a statement can leave in its session, and the settings a proxy would carry over.
_STATE = """SELECT 'held', pg_catalog.concat_ws(' ',
 (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()),
 (SELECT pg_catalog.string_agg(name, ',' ORDER BY name) FROM pg_catalog.pg_prepared_statements),
 (SELECT pg_catalog.string_agg(name, ',' ORDER BY name) FROM pg_catalog.pg_cursors),
 (SELECT pg_catalog.string_agg(c, ',' ORDER BY c) FROM pg_catalog.pg_listening_channels() c),
 (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()))
UNION ALL SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction\\_%'
UNION ALL SELECT 'session_authorization', SESSION_USER
UNION ALL SELECT 'role', pg_catalog.current_setting('role')"""

# Done in silence by a standby too, but to itself, or with nothing to show that it was done.
_EFFECTS = re.compile(
    r"\b(pg_stat_(reset|clear|force)\w*|pg_reload_conf|pg_terminate_backend|pg_cancel_backend|pg_rotate_logfile|setseed"
    r"|pg_log_backend_memory_contexts|lo_export|pg_file_\w+|pg_export_snapshot|pg_wal_replay_\w+|pg_backup_\w+)\s*\(", re.I)
_READ_TAG = re.compile(r"^(SELECT|COPY|EXPLAIN|SHOW)\b")
_SHOWN = "TDHdCI"  # with errors and notices, what an application sees of an answer
_PATIENCE = 60


def _shown(frames):
    """An answer as an application sees it; positions in source files of the server do not count."""
    seen = []
    for f in frames:
        if f.type in "EN":
            said = fields(f.body)
            seen.append((f.type, tuple(said.get(key, "") for key in "CMDHW")))
        elif f.type in _SHOWN:
            seen.append((f.type, f.body))
    return seen


def _same_rows(left, right):
    """Equal but for the order of rows, which a query without ORDER BY leaves open."""
    return sorted(map(repr, left)) == sorted(map(repr, right))


class Cluster:
    """What a witness needs to know of the servers: a control connection to each."""

    def __init__(self, primary, standby):
        self.primary, self.standby = primary, standby
        self._control = primary.connect("postgres").cursor()
        self._replayed = standby.connect("postgres").cursor()
        self._last = None

    def catch_up(self):
        """Waits until the standby has replayed all that the primary has done so far."""
        self._control.execute("SELECT pg_current_wal_insert_lsn()")
        if self._control.fetchone()[0] == self._last:
            return
        # A commit flushes all before it, what an aborted transaction wrote included.
        self._control.execute("SELECT pg_logical_emit_message(true, 'oracle', '')")
        self._control.execute("SELECT pg_current_wal_flush_lsn(), pg_current_wal_insert_lsn()")
        flushed, self._last = self._control.fetchone()
        deadline = time.monotonic() + _PATIENCE
        while not self._has_replayed(flushed):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the standby does not replay {flushed}")

    def _has_replayed(self, position):
        self._replayed.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (position,))
        return self._replayed.fetchone()[0]


class Witness:
    """One client session. Writes one JSON object a statement to `out`."""

    def __init__(self, cluster, server, startup, session, out, router=None):
        self._router, self._routed = router, {}
        self._cluster, self._server, self._startup = cluster, server, startup
        self._session, self._out = session, out
        self._status, self._before = "I", None
        self._standby, self._standby_state, self._standby_fresh = None, None, None
        self._block = None
        self._state = self._ask_state(server)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._drop_standby()

    def before(self, body):
        """Called before the primary gets the statement."""
        self._before = self._status
        if self._router is not None:
            self._routed = self._router.ask(body[:-1].decode("utf-8", "surrogateescape"), self._session)

    def after(self, body, frames):
        """Called with the primary's answer."""
        answer = Answer(frames)
        self._status = answer.status
        record = {"session": self._session, "sql": body[:-1].decode("utf-8", "surrogateescape"),
                  "tag": (answer.tags or [""])[-1], "sqlstate": (answer.sqlstates or [""])[-1], **self._routed}
        if self._before == self._status == "I":
            record.update(self._judge(body, frames))
        else:
            record.update(self._follow_block(body, frames))
        record["holds"] = json.loads(self._state)[0][1]
        if self._status == "I" and self._before != "I":
            self._state = self._ask_state(self._server)
        self._out.write(json.dumps(record) + "\n")
        self._out.flush()

    # Outside blocks

    def _judge(self, body, frames):
        self._cluster.catch_up()
        was, self._state = self._state, self._ask_state(self._server)
        twin = self._on_standby(body, was)
        verdict = self._compare(body, frames, twin)
        if verdict["verdict"] in ("right", "order") and (was != self._state or _is_effective(body)):
            verdict = {"verdict": "wrong", "why": "its effect would be missing on the primary"}
        if verdict["verdict"] == "wrong" and "why" not in verdict:
            verdict = self._recheck(body, frames, was, verdict)
        return verdict

    def _compare(self, body, frames, twin):
        if twin is None:
            return {"verdict": "refused", "why": "the standby ended the session"}
        here, there = _shown(frames), _shown(twin)
        if here == there:
            return {"verdict": "right"}
        errors = Answer(frames).errors, Answer(twin).errors
        if errors[1]:
            kind = "refused" if not errors[0] else "another error"
            return {"verdict": kind, "why": f"{errors[1][0]['C']} {errors[1][0]['M']}"}
        if _same_rows(here, there):
            return {"verdict": "order"}
        return {"verdict": "wrong", "primary": repr(here)[:600], "standby": repr(there)[:600]}

    def _recheck(self, body, frames, was, verdict):
        """A read that answers anew each time cannot be judged by its answer."""
        tags = Answer(frames).tags
        if was != self._state or not tags or not all(map(_READ_TAG.match, tags)):
            return verdict
        again = self._server.ask(query(body[:-1])).frames
        if not _same_rows(_shown(again), _shown(frames)):
            return {**verdict, "verdict": "unstable"}
        return verdict

    # Read-only blocks

    def _follow_block(self, body, frames):
        if self._before == "I" and self._block is None:
            self._cluster.catch_up()
            if self._is_read_only():
                self._block = "open"
                twin = self._on_standby(body, self._state)
                return self._block_verdict(body, frames, twin)
            self._block = "primary"
        try:
            if self._block == "primary":
                return {"verdict": "in a block"}
            return self._block_verdict(body, frames, self._ask_standby(body))
        finally:
            if self._status == "I":
                self._block = None

    def _block_verdict(self, body, frames, twin):
        verdict = {**self._compare(body, frames, twin), "block": "read only"}
        if verdict["verdict"] not in ("right", "order"):
            self._block = "primary"
            self._drop_standby()
        if self._status == "I":
            self._drop_standby()
        return verdict

    def _is_read_only(self):
        if self._status != "T":
            return False
        return self._server.query("SHOW transaction_read_only").values == ["on"]

    # The standby's session

    def _on_standby(self, body, state):
        if self._standby is None or self._standby_state != state:
            self._drop_standby()
            if not self._open_standby(state):
                return None
        twin = self._ask_standby(body)
        if twin is None or Answer(twin).status != "I":
            if self._block is None:
                self._drop_standby()
        elif not self._is_plain_read(body, twin) and self._ask_state(self._standby) != self._standby_fresh:
            self._drop_standby()
        return twin

    @staticmethod
    def _is_plain_read(body, twin):
        return not Answer(twin).errors and b"(" not in body and all(map(_READ_TAG.match, Answer(twin).tags))

    def _ask_standby(self, body):
        if self._standby is None:
            return None
        try:
            self._standby.send(query(body[:-1]))
            answer = self._standby.read_until("ZG")
        except (OSError, Closed):
            self._drop_standby()
            return None
        if answer.frames and answer.frames[-1].type == "Z":
            return answer.frames
        self._drop_standby()
        return None

    def _open_standby(self, state):
        """A new session with the settings that the primary's has."""
        self._standby, answer = log_in(self._cluster.standby.port, self._startup)
        if answer.closed:
            self._drop_standby()
            return False
        rows = [row for row in json.loads(state) if row[0] not in ("held", "role", "session_authorization")]
        last = [row for row in json.loads(state) if row[0] in ("role", "session_authorization")]
        last.sort(key=lambda row: row[0], reverse=True)
        for name, value in rows + last:
            self._standby.query(f"SELECT pg_catalog.set_config({_literal(name)}, {_literal(value)}, false)")
        self._standby_state, self._standby_fresh = state, self._ask_state(self._standby)
        return True

    def _drop_standby(self):
        if self._standby is not None:
            self._standby.close()
        self._standby = None

    @staticmethod
    def _ask_state(server):
        return json.dumps([[(value or b"").decode("utf-8", "replace") for value in columns(f.body)]
                           for f in server.query(_STATE).frames if f.type == "D"])


def _is_effective(body):
    """Whether the statement calls one of the functions above, string literals aside."""
    return bool(_EFFECTS.search(re.sub(r"'[^']*'", "''", body.decode("utf-8", "replace"))))


def _literal(value):
    return " E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
