"""Sessions made from a seed by two clients: messages of every kind around statements that change what a session is.

A script is a list of steps, (client, what it sends up to the point where it waits for answers), written as in transcripts
(tests/support/transcript.py). Batches mix the extended protocol with Query, FunctionCall and COPY, names of statements are
names of cursors as well, and errors come anywhere. What comes back is compared by sessions_replay.py.
"""

import random
import re
import shlex

from tests.generated.sessions_sql import BOUND, bound, filled, statement, weights

# Of large objects and sequences, with what they are asked: lo_open, lo_unlink, nextval, version, current_setting, set_config.
_CALLS = [(952, "77<client> 393216"), (964, "77<client>"), (1574, "<schema>.q"), (89, ""), (2077, "work_mem"), (2077, "DateStyle"), (2078, "work_mem 4MB f"),
          (2078, "work_mem 4MB t"), (2078, "DateStyle German f"), (2078, "DateStyle German t")]
_ALONE = re.compile("PREPARE|EXECUTE|DEALLOC")  # not with other statements in one Query: see docs/differences.md, names of statements, mixed

# Left out for faults of pgsteer that are known:
# - EXECUTE of what Parse has named does not see the names that Parse has made if it is itself an EXECUTE or PREPARE.
_NOT_NAMED = re.compile("^(EXECUTE|PREPARE)")

_NEVER = re.compile("(?!)")


class Generator:
    """The steps of one script."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.weights = weights(rng)
        self.extended = rng.choice([0, .3, .6, .9])  # how many steps are of the extended protocol,
        self.batches = rng.choice([0, .3, .6])  # of these of several statements,
        self.between = rng.choice([0, 0, .1, .3])  # and of their parts a Query
        self.bound = ({}, {})  # each client's statements with parameters, by name

    def script(self, steps):
        rng = self.rng
        return [(client, self._step(client)) for client in (rng.randrange(2) for _ in range(steps))]

    def _step(self, client):
        rng, chance = self.rng, self.rng.random()
        if chance < .03:
            return [self._call(client)]
        if chance < .06:
            return self._copy(client, ["Query COPY {table} FROM STDIN"])
        if rng.random() >= self.extended:
            return [self._query(client, [1, 1, 1, 1, 2, 3])]
        out = []
        for _ in range(rng.choice([1, 1, 2, 3, 5]) if rng.random() < self.batches else 1):
            out += self._part(client)
        return out + (["Flush"] if rng.random() < .1 else []) + ["Sync"]

    def _part(self, client):
        rng, chance = self.rng, self.rng.random()
        if chance < .05:
            return self._copy(client, ["Close S copy", "Parse copy COPY {table} FROM STDIN", "Bind - copy", "Execute -"])
        if chance < .09:
            return ["Sync"]
        if rng.random() < self.between:
            return [self._query(client, [1, 1, 2])]
        if rng.random() < self.between / 4:
            return [self._call(client)]
        return self._statement(client)

    def _text(self, client, left_out):
        while left_out.search(text := statement(self.rng, client, self.weights)):
            pass
        return text

    def _query(self, client, counts, left_out=_NEVER):
        texts = [self._text(client, left_out) for _ in range(self.rng.choice(counts))]
        return "Query " + "; ".join(texts[:1] if any(map(_ALONE.search, texts)) else texts)

    def _call(self, client):
        oid, values = self.rng.choice(_CALLS)
        return f"FunctionCall {oid} {filled(self.rng, client, values)}"

    def _copy(self, client, start):
        rng = self.rng
        rows = [f"CopyData {rng.randrange(8) + rng.choice([0, 100, 200])}\\tcopied\\n" for _ in range(rng.choice([0, 1, 2]))]
        return [step.format(table=f"a{client}.t (id, v)") for step in start] + rows + [rng.choice(["CopyDone", "CopyDone", "CopyFail no"])]

    def _statement(self, client):
        """A statement made and run, one made before run, or a message on its own."""
        rng, chance = self.rng, self.rng.random()
        name, portal = rng.choice(["-", "-", "s1", "s2", "q1"]), rng.choice(["-", "-", "-", "p1", "c"])
        if .6 <= chance < .7:
            return [rng.choice([f"Describe S {name}", f"Close S {name}", f"Close P {portal}", f"Describe P {portal}", f"Execute {portal} {rng.choice([0, 1, 2])}", "Flush"])]
        made = self._made(client, name) if chance < .6 else []
        return made if made and rng.random() < .15 else made + self._run(client, name, portal)

    def _made(self, client, name):
        rng, kinds = self.rng, ()
        if rng.random() < .25:
            text, kinds = rng.choice(BOUND)
            text = filled(rng, client, text)
        else:
            text = self._text(client, _NEVER if name == "-" else _NOT_NAMED)
        out = [f"Close S {name}"] if name != "-" and rng.random() < .4 else []
        self.bound[client][name] = kinds
        return out + [f"Parse {name} {text}"] + ([f"Describe S {name}"] if rng.random() < .25 else [])

    def _run(self, client, name, portal):
        rng = self.rng
        values = [value for kind in self.bound[client].get(name, ()) for value in bound(rng, kind)]
        out = [" ".join([rng.choice(["Bind", "Bind", "Bind", "BindBinary"]), portal, name, *map(shlex.quote, values)])]
        out += ["Flush"] if rng.random() < .1 else []
        out += [f"Describe P {portal}"] if rng.random() < .5 else []
        out += [f"Execute {portal} {rng.choice([0, 0, 0, 1, 2])}" for _ in range(rng.choice([0, 1, 1, 1, 1, 2]))]
        return out + ([f"Close P {portal}"] if rng.random() < .1 else [])
