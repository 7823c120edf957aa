"""Answers over HTTP which role a server has, as the agent beside it does in a cluster with a switch:

    role_check.py HTTP_PORT:SERVER_PORT ...

GET /primary is 200 where the server answers and is no standby, /replica where it is one; else 503. What a server
said more than a second ago does not count: one that hangs has no role.
"""

import contextlib
import http.server
import sys
import threading
import time

import psycopg2

PERIOD = 0.2
FRESH = 1


class Watch:
    """The role of one server, asked for again and again on a connection that is kept."""

    def __init__(self, port):
        self.port, self.role, self.seen = port, None, 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            with contextlib.suppress(psycopg2.Error):
                self._ask()
            self.role = None
            time.sleep(PERIOD)

    def _ask(self):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="trusted", dbname="postgres",
                                      application_name="test", connect_timeout=2)
        with contextlib.closing(connection):
            connection.autocommit = True
            cursor = connection.cursor()
            while True:
                cursor.execute("SELECT pg_is_in_recovery()")
                self.seen, self.role = time.monotonic(), "/replica" if cursor.fetchone()[0] else "/primary"
                time.sleep(PERIOD)

    def has_role(self, role):
        return self.role == role and time.monotonic() - self.seen < FRESH


def handler(watch):
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers for one server."""

        def do_GET(self):
            self.send_response(200 if watch.has_role(self.path) else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


def main():
    threads = []
    for pair in sys.argv[1:]:
        port, server = map(int, pair.split(":"))
        answering = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler(Watch(server)))
        threads.append(threading.Thread(target=answering.serve_forever))
        threads[-1].start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
