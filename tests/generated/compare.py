"""Runs generated statements twice, on a server itself and past pgsteer, and compares answers and effects."""

import os
import random

from tests.generated.pair import Side
from tests.generated.statements import Generator
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.template import DATABASE
from tests.support.waiting import wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))
_TWIN = "second"  # the other database of the template: the direct side works in it
_EFFECTS = (
    *(f"SELECT '{t}', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {t} t"
      for t in ("item", "part", "base", "scratch", "journal", "secret", "stored", "alt.item")),
    "SELECT 'counter', last_value, is_called FROM counter", "SELECT 'sta', provolatile, prosrc FROM pg_proc WHERE proname IN ('sta', 'flip') ORDER BY 3",
    "SELECT 'locks', count(*), array_agg(objid ORDER BY objid) FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
)
_AFTER = 200  # statements until new sessions begin


class Difference(AssertionError):
    """Something an application would notice; the text tells how to see it again."""


class Field:
    """The servers, pgsteer, and the two databases."""

    def __init__(self, count, **settings):
        self.servers = Cluster(replicas=1, max_locks_per_transaction="256", log_statement="none")
        with open(f"{_HERE}/schema.sql", encoding="utf-8") as file:
            schema = file.read()
        for database in (DATABASE, _TWIN):  # a name that every session knows: see docs/differences.md, custom settings
            self.servers.primary.ask(f"ALTER DATABASE {database} SET app.tenant = 'nobody'")
        self.servers.primary.ask("CREATE ROLE gen_reader")
        self.servers.primary.ask("GRANT gen_reader TO app")
        for database in (DATABASE, _TWIN):
            side = Side(self.servers.primary.url(database=database))
            results, _ = side.run(schema, "simple")
            assert all(r[0] == "result" for r in results), results[-1]
            side.close()
        # One session sees the others' writes at once on a server: `global` promises the same past pgsteer.
        settings = {"pool_size": count + 2, "backend_rotation": "always", "replica_warmup": "0s",
                    "consistency": "session" if count == 1 else "global", **settings}
        self.proxy = Proxy(self.servers.primary.url(), self.servers.replica.url(), **settings)
        self.servers.wait_for_replay()

    def sides(self):
        primary = self.servers.primary
        return Side(primary.url(database=_TWIN)), Side(primary.url(port=self.proxy.port))

    def effects(self):
        """Of both databases, as the servers' superuser sees them."""
        return [[self.servers.primary.ask(sql, database=database) for sql in _EFFECTS] for database in (_TWIN, DATABASE)]

    def settled_effects(self):
        """The same, once connections that were closed are done with what they held."""
        try:
            return wait_until(lambda: (both := self.effects()) and both[0] == both[1] and both)
        except AssertionError:
            return self.effects()

    def on_replica(self):
        return int(self.proxy.metric("pgsteer_units_total", target="replica"))

    def kept(self):
        """Why units went to the primary, the heaviest reasons first."""
        found = {name: int(value) for name, value in self.proxy.metrics().items()
                 if name.startswith('pgsteer_units_total{target="primary"') and value > 0}
        return sorted(((count, name.split('reason="')[1].split('"')[0]) for name, count in found.items()), reverse=True)

    def stop(self):
        self.proxy.stop()
        self.servers.stop()


def _is_excused(sql, direct, proxied):
    """Differences that docs/differences.md names."""
    if sql.startswith("EXPLAIN") and [r[:4] for r in direct[0]] == [r[:4] for r in proxied[0]]:
        return True  # a standby's own statistics
    codes = [[r[2] if r[0] == "error" else None for r in side[0]] for side in (direct, proxied)]
    return "0A000" in codes[0] and codes[0] != codes[1]  # a statement older than a change of its tables


def run(field, seed, statements, count=1, say=lambda text: None):
    """How many statements ran; raises Difference at the first that gave something else."""
    rng = random.Random(seed)
    done = 0
    while done < statements:
        generators = [Generator(rng, number) for number in range(count)]
        pairs = [field.sides() for _ in generators]
        history = []
        try:
            current = 0
            for _ in range(min(_AFTER, statements - done)):
                if generators[current].block is None:
                    current = rng.randrange(count)
                sql, how = generators[current].next_statement()
                history.append((current, how, sql))
                direct, proxied = (side.run(sql, how) for side in pairs[current])
                done += 1
                if direct != proxied and not _is_excused(sql, direct, proxied):
                    raise Difference(_told(seed, done, history, direct, proxied))
        finally:
            for pair in pairs:
                for side in pair:
                    side.close()
        direct, proxied = field.settled_effects()
        if direct != proxied:
            raise Difference(_told(seed, done, history, *[[a for a, b in zip(x, y) if a != b] for x, y in
                                                         ((direct, proxied), (proxied, direct))]))
        say(f"{done} statements")
    return done


def _told(seed, done, history, direct, proxied):
    lines = [f"seed {seed}, statement {done}; the last ones (session, how, text):"]
    lines += [f"  {session} {how:10} {sql}" for session, how, sql in history[-25:]]
    return "\n".join([*lines, f"directly: {direct}", f"past pgsteer: {proxied}"])
