"""One session twice: on a server itself and past pgsteer, and what an application sees of each."""

from psycopg import pq

_FIRST_USER_OID = 16384
_COPY_OUT, _FATAL = pq.ExecStatus.COPY_OUT, pq.ExecStatus.FATAL_ERROR


class Side:
    """A connection through libpq, and everything that it says."""

    def __init__(self, url):
        self.connection = pq.PGconn.connect(url.encode())
        assert self.connection.status == pq.ConnStatus.OK, self.connection.error_message.decode()
        self.notices, self.named = [], 0
        self.connection.notice_handler = lambda result: self.notices.append(
            tuple((result.error_field(f) or b"").decode() for f in (pq.DiagnosticField.SEVERITY, pq.DiagnosticField.MESSAGE_PRIMARY)))

    def close(self):
        self.connection.finish()

    def run(self, sql, how):
        """What came of it: a list of results, and the notices."""
        self.notices.clear()
        if how == "simple":
            self.connection.send_query(sql.encode())
        elif how == "parameters":
            self.connection.send_query_params(sql.encode(), [])
        else:
            self.named += 1
            name = f"p{self.named}".encode() if self.named % 3 else b""
            self.connection.send_prepare(name, sql.encode())
            prepared = self._results()
            if prepared[0][0] == "error":
                return prepared, list(self.notices)
            self.connection.send_query_prepared(name, [])
        return self._results(), list(self.notices)

    def _results(self):
        out = []
        while (result := self.connection.get_result()) is not None:
            out.append(self._outcome(result))
            if result.status == _COPY_OUT:
                out.append(("copied", tuple(self._copied())))
            if self.connection.status != pq.ConnStatus.OK:
                break
        return out

    def _copied(self):
        lines = []
        while True:
            size, data = self.connection.get_copy_data(0)
            if size <= 0:
                return sorted(lines)
            lines.append(bytes(data))

    @staticmethod
    def _outcome(result):
        if result.status == _FATAL:
            fields = (pq.DiagnosticField.SEVERITY, pq.DiagnosticField.SQLSTATE, pq.DiagnosticField.MESSAGE_PRIMARY)
            return ("error", *((result.error_field(f) or b"").decode() for f in fields))
        types = [min(result.ftype(i), _FIRST_USER_OID) for i in range(result.nfields)]
        names = [result.fname(i) for i in range(result.nfields)]
        rows = sorted((tuple(result.get_value(r, c) for c in range(result.nfields)) for r in range(result.ntuples)), key=repr)
        return ("result", result.command_status, names, types, rows)
