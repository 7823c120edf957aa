"""Another client of the same pool, who has something for it at every message boundary of a conversation."""

import itertools
import select

from tests.support import raw

# Each leaves something behind that the next client of the connection must not meet, and pins nothing.
_UNITS = [
    raw.query("SET search_path = pg_catalog; SET DateStyle = 'German'; SET application_name = 'disturber'"),
    raw.parse("SELECT 'disturbed'::text", "s") + raw.bind([], "s") + raw.execute() + raw.SYNC,
    raw.query("BEGIN; SET LOCAL work_mem = '1MB'; SET TimeZone = 'Asia/Kolkata'; COMMIT"),
    raw.parse("SELECT 'disturbed'::text", "") + raw.SYNC,
    raw.query("SET client_encoding = 'LATIN1'; SET standard_conforming_strings = off"),
    raw.query("SELECT 1/0"),
    raw.parse("SELECT nowhere", "q") + raw.SYNC,
    raw.query("RESET ALL"),
    raw.query("SET extra_float_digits = 0; SET bytea_output = 'escape'; SET default_transaction_isolation = 'serializable'"),
    raw.query("DEALLOCATE ALL"),
]
_PATIENCE = 0.004  # of one step: who has the connection may keep it


class Disturber:
    """Its units go one after the other; while somebody else has the connection, one of them waits for it."""

    def __init__(self, port):
        self._client = raw.logged_in(port)
        self._units = itertools.cycle(_UNITS)
        self._waits = False
        self.answered = 0

    def stir(self):
        """Sends the next unit, unless the last one is still waiting; takes its answer if it comes soon."""
        if not self._waits:
            self._client.send(next(self._units))
            self._waits = True
        if select.select([self._client.socket], [], [], _PATIENCE)[0]:
            self._take()

    def _take(self):
        answer = self._client.read_until("Z")
        assert not answer.closed, "the disturber was thrown out"
        self._waits = False
        self.answered += 1

    def finish(self):
        """Everybody else has left: what waits must be served."""
        if self._waits:
            self._take()
        self._client.close()
