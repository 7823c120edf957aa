"""Members come from Patroni's REST API and leave with it; without its answer, what is known goes on.

Its answers are as Patroni 3 gives them, served by the test; the servers are real.
"""

import http.server
import itertools
import json
import ssl
import threading
import unittest

from tests.support.certificates import Authority
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


class RestApi:
    """GET /cluster of a Patroni node that says what a test wants; with a (certificate, key) by https."""

    def __init__(self, certificate=None):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = api.answer() if self.path == "/cluster" else (404, b"")
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if not certificate:  # Patroni's own does without, and ends its answer by closing
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.members, self.status, self.asked = [], 200, 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self):
        self.asked += 1
        return self.status, json.dumps({"members": self.members, "scope": "shop"}).encode()

    def say(self, leader, *replicas, **tags):
        self.members = [{"name": s.name, "role": "leader" if s is leader else "replica",
                         "state": "running" if s is leader else "streaming", "host": "127.0.0.1", "port": s.port,
                         "api_url": f"{self.url}/patroni", "timeline": 1, **({} if s is leader else {"lag": 0}),
                         **({"tags": tags[s.name]} if s.name in tags else {})}
                        for s in (leader, *replicas) if s]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Patroni(unittest.TestCase):
    marks = itertools.count()

    def setUp(self):
        self.servers = Cluster(replicas=2)
        self.addCleanup(self.servers.stop)
        self.servers.run("CREATE TABLE ledger (id int)")
        self.api = RestApi()
        self.addCleanup(self.api.stop)

    def start(self, replica=None, *apis, **settings):
        proxy = Proxy(self.servers.primary.url(), replica, patroni=[api.url for api in apis or [self.api]],
                      discovery_interval="100ms", health_interval="200ms", reconnect_delay="100ms",
                      consistency="eventual", **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def replicas(self, proxy):
        return {each["name"] for each in json.loads(proxy.get("/status")[1])["servers"] if each["role"] == "replica"}

    def named(self, *servers):
        return {f"127.0.0.1:{server.port}" for server in servers}

    def test_members_come_and_go(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one)
        proxy = self.start()
        wait_until(lambda: self.replicas(proxy) == self.named(one), message="the member is a replica")
        with Load(proxy.connect, lambda c: c.execute("SELECT count(*) FROM ledger /* members */")) as load:
            wait_until(lambda: self.servers.ran("/* members */").get("replica1", 0) > 10, message="it is read from")
            self.api.say(primary, one, two)
            wait_until(lambda: self.servers.ran("/* members */").get("replica2", 0) > 10, message="so is the new one")
            self.api.say(primary, two)
            wait_until(lambda: self.replicas(proxy) == self.named(two), message="the other has left")
            load.wait_progress()
        self.assertEqual(load.errors, [])
        self.assertGreaterEqual(len(proxy.log_lines("INFO Replicas found")), 2)

    def test_a_promoted_member_takes_the_writes(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        proxy = self.start()
        wait_until(lambda: self.replicas(proxy) == self.named(one, two), message="both are replicas")
        primary.kill()
        one.promote()
        self.api.say(one, two)
        proxy.ask("INSERT INTO ledger VALUES (1)")
        self.assertEqual(one.value("SELECT count(*) FROM ledger"), 1)

    def test_without_an_answer_the_members_stay(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        proxy = self.start()
        wait_until(lambda: self.replicas(proxy) == self.named(one, two), message="both are replicas")
        self.api.status = 503
        proxy.wait_log("WARN Patroni does not answer.*503")
        self.api.status = 500
        proxy.wait_log("WARN Patroni does not answer.*500")
        self.assertEqual(self.replicas(proxy), self.named(one, two))
        self.api.status = 200
        proxy.wait_log("INFO Patroni answers again")

    def test_the_next_node_is_asked_and_the_urls_count_from_the_start(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        dead = RestApi()
        dead.status = 500
        self.addCleanup(dead.stop)
        self.api.status = 500
        self.api.say(primary, one, two, replica2={"noloadbalance": True})
        proxy = self.start(one.url(), dead, self.api)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy without Patroni")
        self.assertEqual(self.replicas(proxy), self.named(one))
        self.api.status = 200
        proxy.wait_log("INFO Patroni answers again")
        self.assertGreater(dead.asked, 1)
        self.assertEqual(self.replicas(proxy), self.named(one))  # replica2 is not for reads
        self.api.say(primary, one, two)
        wait_until(lambda: self.replicas(proxy) == self.named(one, two), message="now it is")

    def fail_over(self, proxy):
        """The first replica becomes the primary, which the URL does not name; both others follow it."""
        primary, (one, two) = self.servers.primary, self.servers.replicas
        primary.stop()
        one.promote()
        primary.follow(one)
        primary.start()
        two.follow(one)
        two.restart()
        self.api.say(one, primary, two)
        proxy.wait_log("Primary changed")
        wait_until(lambda: proxy.health()[0] == 200, 30, "all are back")
        wait_until(lambda: proxy.ask("EXPLAIN ROUTE SELECT FROM ledger")[0][0] == "replica", message="they are read")

    def forget(self, *left):
        """Patroni names these alone from now on, and has been asked since."""
        self.api.say(None, *left)
        asked = self.api.asked
        wait_until(lambda: self.api.asked > asked + 3, message="that is heard")

    def test_a_primary_that_leaves_stays_until_another_has_its_place(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        proxy = self.start()
        self.fail_over(proxy)
        self.forget(primary, two)  # the Patroni beside it has died
        proxy.ask("INSERT INTO ledger VALUES (1)")
        self.assertEqual(one.value("SELECT count(*) FROM ledger"), 1)
        self.assertEqual(proxy.log_lines("No primary")[1:], [])  # but for the failover
        one.kill()
        two.promote()
        proxy.ask("INSERT INTO ledger VALUES (2)")
        wait_until(lambda: self.replicas(proxy) == self.named(primary), message="now it has left")

    def reader(self, proxy, server):
        """A client whose reads stay on that server: without a primary nobody can tell whether another has what it saw."""
        def tries():
            connection, mark = proxy.connect(), f"/* reader {next(self.marks)} end */"
            connection.execute(f"SELECT count(*) FROM ledger {mark}")
            if server.statements(mark):
                return connection
            connection.close()
            return None
        return wait_until(tries, message="a read of its own choice")

    def check_writes_wait(self, proxy, leave):
        """Of the acting primary, which is dead, nothing is said any more: the one of the URL is a standby."""
        self.fail_over(proxy)
        self.servers.replicas[0].kill()
        with Load(proxy.connect, lambda c: c.execute("INSERT INTO ledger VALUES (1)"), clients=4) as writes, \
                Load(lambda: self.reader(proxy, self.servers.replicas[1]),
                     lambda c: c.execute("SELECT count(*) FROM ledger, generate_series(1, 100000)"), clients=8) as reads:
            reads.wait_progress(30)
            leave()
            reads.wait_progress(60)
            self.servers.replicas[1].promote()
            writes.wait_progress()
        self.assertEqual(reads.errors, [])
        self.assertEqual({error.sqlstate for error in writes.errors} - {"08006"}, set())

    def test_writes_wait_while_the_primary_has_gone_and_left(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        self.check_writes_wait(self.start(failover_wait="10min"), lambda: self.forget(primary, two))

    def test_writes_wait_where_a_reload_leaves_standbys_alone(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        proxy = self.start(two.url(), failover_wait="10min")
        self.check_writes_wait(proxy, lambda: proxy.reload(patroni=[]))

    def secure_api(self, authority, **issued):
        """Says what there is, by https, with a certificate of this authority."""
        api = RestApi(authority.issue(f"api{len(issued)}", **issued))
        self.addCleanup(api.stop)
        api.say(self.servers.primary, *self.servers.replicas)
        return api

    def test_https_is_asked_where_its_certificate_is_vouched_for(self):
        ours, theirs = (Authority(self.servers.directory, name) for name in ("ours", "theirs"))
        proxy = self.start(None, self.secure_api(ours), patroni_ca_file=ours.certificate)
        wait_until(lambda: self.replicas(proxy) == self.named(*self.servers.replicas), message="members are found")
        proxy.reload(patroni_ca_file=theirs.certificate)
        proxy.wait_log("WARN Patroni does not answer.*certificate verify failed")
        proxy.reload(patroni_ca_file=ours.certificate)
        proxy.wait_log("INFO Patroni answers again")

    def test_https_is_not_asked_of_another_host_or_without_authorities(self):
        ours = Authority(self.servers.directory, "ours")
        for api, settings in ((self.secure_api(ours, addresses=("127.0.0.9",)), {"patroni_ca_file": ours.certificate}),
                              (self.secure_api(ours), {})):
            proxy = self.start(None, api, **settings)
            proxy.wait_log("WARN Patroni does not answer.*certificate verify failed")
            self.assertEqual(self.replicas(proxy), set())

    def test_a_reload_may_leave_patroni(self):
        primary, (one, two) = self.servers.primary, self.servers.replicas
        self.api.say(primary, one, two)
        proxy = self.start(one.url())
        wait_until(lambda: self.replicas(proxy) == self.named(one, two), message="both are replicas")
        proxy.reload(patroni=[])
        wait_until(lambda: self.replicas(proxy) == self.named(one), message="the configured one is left")


if __name__ == "__main__":
    unittest.main()
