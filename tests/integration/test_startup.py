"""What a client says at startup holds for its session, as on a direct connection."""

import struct
import unittest

import psycopg

from tests.support import raw
from tests.support.cluster import Cluster
from tests.support.compare import Twins
from tests.support.proxy import Proxy


def setUpModule():
    global servers, proxy
    servers = Cluster(replicas=1)
    unittest.addModuleCleanup(lambda: servers.stop())
    servers.run("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.thing (id int)", "CREATE TABLE thing (name text)",
                "CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
    proxy = Proxy(servers.primary.url(), servers.replica.url(), pool_size=2, backend_rotation="always")
    unittest.addModuleCleanup(proxy.stop)
    proxy.fill_pools(2)


class Options(unittest.TestCase):
    def both_servers(self, client, expression):
        """The value of an expression on the replica and on the primary."""
        return (client.execute(f"SELECT {expression}").fetchone()[0],
                client.execute(f"SELECT {expression}, txid_current() > 0").fetchone()[0])

    def test_options_hold_on_every_server_and_for_no_other_client(self):
        with proxy.connect(options="-c work_mem=7MB -c search_path=elsewhere,public --statement_timeout=12345") as one, \
                proxy.connect() as other:
            for _ in range(3):
                for name, value, default in (("work_mem", "7MB", "4MB"), ("statement_timeout", "12345ms", "0"),
                                             ("search_path", "elsewhere,public", '"$user", public')):
                    self.assertEqual(self.both_servers(one, f"current_setting('{name}')"), (value, value))
                    self.assertEqual(self.both_servers(other, f"current_setting('{name}')"), (default, default))
            self.assertEqual(one.execute("SELECT * FROM thing").description[0].name, "id")
            self.assertEqual(other.execute("SELECT * FROM thing").description[0].name, "name")
            one.execute("SET work_mem = '9MB'")
            one.execute("RESET work_mem")
            self.assertEqual(one.execute("SHOW work_mem").fetchone(), ("7MB",))

    def test_parameters_outside_options(self):
        with raw.logged_in(proxy.port, application_name="first", DateStyle="German", TimeZone="Asia/Tokyo",
                           client_encoding="LATIN1", extra_float_digits="0") as one, raw.logged_in(proxy.port) as other:
            for key, value in (("application_name", "first"), ("DateStyle", "German, DMY"), ("TimeZone", "Asia/Tokyo"),
                               ("client_encoding", "LATIN1")):
                self.assertEqual(one.parameters[key], value)
                self.assertNotEqual(other.parameters[key], value)
            for _ in range(3):
                self.assertEqual(one.query("SELECT current_setting('DateStyle'), current_setting('extra_float_digits')")
                                 .rows, [[b"German, DMY", b"0"]])
                self.assertEqual(other.query("SELECT current_setting('DateStyle')").values, ["ISO, MDY"])

    def test_latin1_clients_get_latin1(self):
        with raw.logged_in(proxy.port, client_encoding="LATIN1") as client:
            answer = client.ask(raw.frame("Q", b"SELECT 'caf\xe9'\0"))
            self.assertEqual(answer.rows, [[b"caf\xe9"]])
        with raw.logged_in(proxy.port) as client:
            answer = client.ask(raw.frame("Q", "SELECT 'café'\0".encode()))
            self.assertEqual(answer.rows, [["café".encode()]])

    def test_application_name_reaches_the_servers(self):
        with proxy.connect(application_name="billing") as one, proxy.connect(application_name="reports") as other:
            for client, name in ((one, "billing"), (other, "reports")) * 3:
                self.assertEqual(self.both_servers(client, "current_setting('application_name')"), (name, name))

    def test_errors_are_the_servers(self):
        for parameters in ({"options": "-c no_such_setting=1"}, {"options": "-c work_mem=lots"},
                           {"options": "-x"}, {"no_such_setting": "1"}, {"client_encoding": "martian"},
                           {"DateStyle": "wrong"}, {"options": "-c shared_buffers=1GB"},
                           {"options": "-c log_statement=none"}):
            with self.subTest(**parameters):
                errors = []
                for port in (servers.primary.port, proxy.port):
                    with raw.RawClient(port) as client:
                        answer = client.login(**parameters)
                        errors.append([{key: e[key] for key in "SCM"} for e in answer.errors])
                self.assertTrue(errors[0])
                self.assertEqual(errors[1], errors[0])

    def test_notices_are_the_servers_and_come_where_its_own_do(self):
        name = "x" * 65  # too long for an identifier: the server cuts it, and says so
        for parameters in ({"application_name": name}, {"application_name": name, "options": "-c work_mem=7MB"},
                           {"application_name": name, "options": "-c client_min_messages=error"},
                           {"application_name": name, "options": "-c client_min_messages=notice"}):
            with self.subTest(**parameters):
                direct = self.greeting(servers.primary.port, parameters)
                for _ in range(3):
                    self.assertEqual(self.greeting(proxy.port, parameters), direct)

    def greeting(self, port, parameters):
        """What a client is told before its first query: the kinds of messages, without those that repeat, and notices."""
        with raw.RawClient(port) as client:
            answer = client.login(**parameters)
            types = [frame.type for frame in answer.frames]
            return [a for a, b in zip(types, [None, *types]) if a != b], [raw.fields(frame.body) for frame in answer.frames if frame.type == "N"]

    def test_a_custom_setting(self):
        with raw.logged_in(proxy.port, options="-c my.tenant=42") as client, raw.logged_in(proxy.port) as other:
            for _ in range(3):
                self.assertEqual(client.query("SELECT current_setting('my.tenant', true)").values, ["42"])
                self.assertIn(other.query("SELECT current_setting('my.tenant', true)").values, ([None], [""]))

    def test_the_session_sees_all_of_it_as_on_a_direct_connection(self):
        twins = Twins(self, servers.primary.port, proxy.port, options="-c work_mem=7MB -c DateStyle=SQL",
                      application_name="twin")
        for sql in ("SHOW work_mem", "SHOW DateStyle", "SELECT now() > '2001-01-01'", "SHOW application_name",
                    "RESET ALL", "SHOW work_mem", "DISCARD ALL", "SHOW DateStyle"):
            twins.query(sql)


class Versions(unittest.TestCase):
    def negotiated(self, port, protocol, **options):
        with raw.RawClient(port) as client:
            client.send(raw.startup(protocol, user="app", database="app", **options))
            first = client.read_frame()
            return first.type, first.body

    def test_newer_minor_versions_are_negotiated(self):
        for minor in (1, 2, 9, 9999):
            protocol = 3 << 16 | minor
            with self.subTest(minor):
                kind, body = self.negotiated(proxy.port, protocol)
                self.assertEqual((kind, struct.unpack_from("!ii", body)), ("v", (196608, 0)))
                self.assertEqual((kind, body), self.negotiated(servers.primary.port, protocol))

    def test_unknown_protocol_options_are_named(self):
        options = {"_pq_.unknown": "1", "_pq_.other": "x"}
        got = self.negotiated(proxy.port, 3 << 16 | 9999, **options)
        self.assertEqual(got, self.negotiated(servers.primary.port, 3 << 16 | 9999, **options))

    def test_login_goes_on_after_it(self):
        with raw.RawClient(proxy.port) as client:
            client.send(raw.startup(3 << 16 | 2, user="app", database="app"))
            self.assertEqual(client.read_frame().type, "v")
            self.assertEqual(client.read_frame().type, "R")

    def test_other_majors_are_refused(self):
        for protocol in (2 << 16, 4 << 16, 1 << 16, 0):
            with self.subTest(protocol), raw.RawClient(proxy.port) as client:
                client.send(raw.startup(protocol, user="app"))
                # Before 3.0 an error was a text without fields: whatever comes, it is an error, and then the end.
                said = client.read_all()
                self.assertIn(said[:1], (b"E", b""))

    def test_a_replication_startup_is_served_or_refused_clearly(self):
        for value in ("database", "true"):
            with self.subTest(value), raw.RawClient(proxy.port) as client:
                answer = client.login(replication=value)
                self.assertTrue(answer.errors and answer.errors[0]["M"] or answer.status == "I")


class Drivers(unittest.TestCase):
    def test_a_url_with_options(self):
        with psycopg.connect(proxy.url(options="-c work_mem=6MB", application_name="url")) as client:
            self.assertEqual(client.execute("SHOW work_mem").fetchone(), ("6MB",))


if __name__ == "__main__":
    unittest.main()
