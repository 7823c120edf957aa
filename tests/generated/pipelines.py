"""Pipelines made from a seed by two interleaved clients, sent to a server itself and past pgsteer, and what comes back.

Messages are cut anywhere, batches end in Sync or Flush, names and portals are given again, closed in the middle, and errors
come anywhere. The direct side runs first: what it answers tells when a client is in a block.
"""

import random

from tests.support import raw
from tests.support.compare import shown

SETUP = ("CREATE TABLE pipe0 (id int PRIMARY KEY, v text)", "CREATE TABLE pipe1 (id int PRIMARY KEY, v text)", "CREATE TABLE pipes (a int, b text)",
         "INSERT INTO pipes SELECT g, repeat('x', g) FROM generate_series(1, 20) g")
_RESET = "TRUNCATE pipe0, pipe1; INSERT INTO pipe0 SELECT g, 'v' FROM generate_series(1, 5) g; INSERT INTO pipe1 TABLE pipe0"
_WAIT = 20


def _number(rng):
    return rng.choice([0, None, "x"]) if rng.random() < .1 else rng.randrange(8)


def _text(rng):
    if rng.random() < .05:
        return "L" * rng.choice([4000, 4090, 4096, 5000, 8192, 16000, 65000, 65536, 70000, 262100, 262144, 300000])
    return rng.choice(["", "a", "b'c", "long " * 20, None])


_KINDS = {
    "read": [("SELECT 1", ()), ("SELECT $1::int", (_number,)), ("SELECT $1::text", (_text,)), ("SELECT length($1::text)", (_text,)), ("", ()), ("  ", ()),
             ("SELECT * FROM generate_series(1, $1::int) g", (_number,)), ("SELECT * FROM pipes ORDER BY a", ()), ("SELECT a, b FROM pipes WHERE a < $1 ORDER BY a", (_number,)),
             ("SELECT count(*), max(v) FROM {table}", ()), ("SELECT 10/(3-a) FROM pipes ORDER BY a", ()), ("VALUES (1, 'a'), (2, $1)", (_text,)),
             ("SELECT repeat('y', 3000) FROM generate_series(1, $1::int)", (_number,))],
    "write": [("INSERT INTO {table} VALUES ($1, $2)", (_number, _text)), ("UPDATE {table} SET v = $2 WHERE id = $1", (_number, _text)), ("DELETE FROM {table} WHERE id > $1", (_number,)),
              ("UPDATE {table} SET v = v RETURNING id", ()), ("SELECT id FROM {table} ORDER BY id FOR UPDATE", ())],
    "block": [("BEGIN", ()), ("BEGIN READ ONLY", ()), ("COMMIT", ()), ("COMMIT", ()), ("ROLLBACK", ()), ("SAVEPOINT s", ()), ("ROLLBACK TO s", ()), ("RELEASE s", ())],
    "setting": [("SET DateStyle = 'German'", ()), ("SET LOCAL work_mem = '1MB'", ()), ("SET work_mem = '2MB'", ()), ("SHOW work_mem", ()), ("SHOW DateStyle", ()), ("RESET ALL", ()),
                ("SET client_encoding = 'LATIN1'", ()), ("SET application_name = 'piped'", ()), ("SET plan_cache_mode = force_generic_plan", ())],
    "prepare": [("SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements ORDER BY 1", ()), ("SELECT count(*) FROM pg_prepared_statements", ())],
    "cursor": [("DECLARE cur CURSOR FOR SELECT * FROM pipes ORDER BY a", ()), ("FETCH 2 FROM cur", ()), ("CLOSE cur", ()), ("SELECT name, statement FROM pg_cursors ORDER BY 1", ())],
    "other": [("SELEC 1", ()), ("SELECT nocolumn", ()), ("DO $$ BEGIN RAISE NOTICE 'hi'; END $$", ()), ("COPY pipes TO STDOUT", ()), ("SELECT 1; SELECT 2", ()), ("SELECT $2::int", (_number, _number))],
}


class Client:
    """What the generator knows of one."""

    def __init__(self, number):
        self.number = number
        self.statements = {}
        self.status, self.is_open, self.is_skipping = "I", False, False


class Generator:
    """Steps of pipelines: (client, pieces to send, how many ReadyForQuery or answers to read)."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.weights = [10, rng.choice([0, 3, 6]), rng.choice([0, 1, 3]), rng.choice([0, 0, 2]), rng.choice([0, 0, 2]), rng.choice([0, 1]), 1]
        self.names = ["", "s1", "s2", "s3"][:rng.choice([2, 3, 4])]

    def _statement(self, client):
        sql, makers = self.rng.choice(self.rng.choices(list(_KINDS.values()), self.weights)[0])
        return sql.replace("{table}", f"pipe{client.number}"), makers

    def _run(self, client, name, portal):
        rng = self.rng
        values = [make(rng) for make in client.statements.get(name, ("", ()))[1]] + (["1"] if rng.random() < .02 else [])
        out = [raw.bind(values, name, portal, rng.choice([0, 0, 0, 1]))]
        if rng.random() < .1:
            out.append(raw.FLUSH)
        out += [raw.describe("P", portal)] * rng.choice([0, 0, 0, 1, 1, 1, 2])
        out += [raw.execute(portal, rng.choice([0, 0, 0, 1, 2, 100])) for _ in range(rng.choice([0, 1, 1, 1, 1, 2]))]
        return out + ([raw.close("P", portal)] if rng.random() < .08 else [])

    def _messages(self, client):
        rng, out = self.rng, []
        for _ in range(rng.choice([1, 1, 2, 3, 5, 10])):
            chance, name, portal = rng.random(), rng.choice(self.names), rng.choice(["", "", "", "p1", "p2"])
            if chance < .3:
                if rng.random() < .3 and name in client.statements:
                    out.append(raw.close("S", name))
                statement = self._statement(client)
                out.append(raw.parse(statement[0], name))
                if not name or name not in client.statements:
                    client.statements[name] = statement
                out += [raw.describe("S", name)] * rng.choice([0, 1])
                out += self._run(client, name, portal) if rng.random() < .8 else []
            elif chance < .8:
                out += self._run(client, name, portal)
            elif chance < .9:
                out.append(rng.choice([raw.describe, raw.close])("S", name))
            else:
                out.append(rng.choice([raw.describe("P", portal), raw.close("P", portal), raw.execute(portal, 2), raw.FLUSH, raw.SYNC]))
        return out

    def _cut(self, data):
        rng, chance = self.rng, self.rng.random()
        if chance < .05 and len(data) < 600:
            return [data[i:i + 1] for i in range(len(data))]
        cuts = sorted(rng.randrange(len(data)) for _ in range(rng.choice([1, 2, 5]) if chance > .6 else 0))
        return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]

    def step(self, client):
        if not client.is_open and self.rng.random() < .15:
            texts = [sql for sql, makers in (self._statement(client) for _ in range(3)) if not makers]
            return client, self._cut(raw.query("; ".join(texts))), 1, 0
        messages = self._messages(client)
        if self.rng.random() < .12 and not client.is_skipping:
            messages = [m for m in messages if m != raw.SYNC]
            due = sum(m[:1] in b"PBDCE" for m in messages)
            if due and not any(b"COPY" in m for m in messages):
                client.is_open = True
                return client, self._cut(b"".join([*messages, raw.FLUSH])), 0, due
        client.is_open = False
        messages.append(raw.SYNC)
        return client, self._cut(b"".join(messages)), sum(m == raw.SYNC for m in messages), 0


def _read(connection, ready, due):
    """Up to that many ReadyForQuery, or answers or an error."""
    if ready:
        return connection.answers(ready, timeout=_WAIT).frames
    frames = []
    while due > 0 and (not frames or frames[-1].type != "E"):
        frames.append(connection.read_frame(_WAIT))
        due -= frames[-1].type in "123TnCsI"
    return frames


def _seen(frames):
    """As they are compared: which of two names of one text an error tells, and what a failed block refuses first, aside."""
    out = []
    for kind, body in shown(frames):
        if kind == "E" and body["C"] in ("08P01", "26000", "25P02"):
            body = "refused" if "pgsteer" not in body["M"] else body
        out.append((kind, body))
    return out


def compare(servers, proxy, seed, steps=25):
    """How many steps of this seed's pipelines ran; raises AssertionError with the first that was answered otherwise."""
    generator, clients, script = Generator(seed), [Client(0), Client(1)], []
    servers.run(_RESET)
    connections = [raw.logged_in(servers.primary.port) for _ in clients]
    for _ in range(steps):
        client = generator.rng.choice(clients)
        _, pieces, ready, due = generator.step(client)
        for piece in pieces:
            connections[client.number].send(piece)
        frames = _read(connections[client.number], ready, due)
        client.is_skipping = not ready and frames[-1].type == "E"
        script.append((client.number, pieces, ready, due, frames))
    for connection in connections:
        connection.close()
    servers.run(_RESET)
    connections = [raw.logged_in(proxy.port) for _ in clients]
    try:
        for number, (who, pieces, ready, due, expected) in enumerate(script):
            for piece in pieces:
                connections[who].send(piece)
            frames = _read(connections[who], ready, due)
            assert _seen(frames) == _seen(expected), (
                f"seed {seed}, step {number} of client {who}: {b''.join(pieces)[:2000]}\n"
                f"directly: {str(_seen(expected))[:2000]}\npast pgsteer: {str(_seen(frames))[:2000]}")
    finally:
        for connection in connections:
            connection.close()
    return len(script)
