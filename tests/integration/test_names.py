"""Servers by name: a name may stand for several addresses, and for others than before; roles and members follow."""

import json
import os
import unittest

from tests.support.cluster import Cluster
from tests.support.fault_proxy import FaultProxy
from tests.support.load import Load
from tests.support.name_server import NameServer
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


class Names(unittest.TestCase):
    """Each server is reached at an address of its own on one port, as the pods of a headless service are."""

    def setUp(self):
        self.servers = Cluster(replicas=2)
        self.addCleanup(self.servers.stop)
        self.servers.run("CREATE TABLE ledger (id int)")
        self.port = free_port()
        self.relays = []

    def relay(self, server):
        """A new address, 127.0.0.2 and up, that leads to the server."""
        relay = FaultProxy(server.port, f"127.0.0.{len(self.relays) + 2}", self.port)
        self.relays.append(relay)
        self.addCleanup(relay.stop)
        return relay.address

    def url(self, name, **options):
        return self.servers.primary.url(host=name, port=self.port, **options)

    def start(self, primary, replica=None, hosts=None, **settings):
        settings = {"discovery_interval": "100ms", "health_interval": "200ms", "reconnect_delay": "100ms",
                    "reconnect_delay_max": "500ms", **settings}
        proxy = Proxy(primary, replica, hosts=hosts or {}, **settings)
        self.addCleanup(proxy.stop)
        return proxy

    def server_names(self, proxy):
        return {each["name"] for each in json.loads(proxy.get("/status")[1])["servers"] if each["role"] == "replica"}

    def named(self, *addresses):
        return {f"{address}:{self.port}" for address in addresses}

    def test_each_address_of_a_replicas_name_is_a_server(self):
        one, two = (self.relay(server) for server in self.servers.replicas)
        proxy = self.start(self.servers.primary.url(), self.url("many.test"), {"many.test": [one]}, consistency="eventual")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        self.assertEqual(self.server_names(proxy), {f"many.test:{self.port}"})
        with Load(proxy.connect, lambda c: c.execute("SELECT count(*) FROM ledger /* spread */")) as load:
            load.wait_progress()
            proxy.write_hosts({"many.test": [one, two]})
            wait_until(lambda: self.server_names(proxy) == self.named(one, two), message="two servers")
            wait_until(lambda: self.servers.ran("/* spread */").get("replica2", 0) > 20, message="the new one is read from")
            load.wait_progress()
            proxy.write_hosts({"many.test": [one]})
            self.relays[1].refuse()
            wait_until(lambda: self.server_names(proxy) == self.named(one), message="what is gone and not named is left out")
            wait_until(lambda: proxy.health()[0] == 200, message="healthy")
            three = self.relay(self.servers.replicas[1])
            proxy.write_hosts({"many.test": [one, three]})
            wait_until(lambda: self.server_names(proxy) == self.named(one, three), message="another one")
            load.wait_progress()
        self.assertEqual(load.errors, [])

    def test_an_address_that_serves_stays_although_it_is_not_named(self):
        one, two = (self.relay(server) for server in self.servers.replicas)
        proxy = self.start(self.servers.primary.url(), self.url("reader.test"), {"reader.test": [one]})
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        for address in (two, one, two):  # one of them at a time, as a cloud's reader endpoint answers
            proxy.write_hosts({"reader.test": [address]})
            wait_until(lambda: self.server_names(proxy) == self.named(one, two), message="both are servers")
            wait_until(lambda: proxy.health()[0] == 200, message="both are up")

    def test_without_expansion_a_name_is_one_server(self):
        one, two = (self.relay(server) for server in self.servers.replicas)
        proxy = self.start(self.servers.primary.url(), self.url("many.test", pgsteer_expand="off"),
                           {"many.test": [one, two]})
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        self.assertEqual(self.server_names(proxy), {f"many.test:{self.port}"})

    def test_connections_follow_a_name_that_moves(self):
        old, new = self.relay(self.servers.primary), self.relay(self.servers.primary)
        proxy = self.start(self.url("writer.test"), hosts={"writer.test": [old]})
        with Load(proxy.connect, lambda c: c.execute("INSERT INTO ledger VALUES (1)")) as load:
            load.wait_progress()
            proxy.write_hosts({"writer.test": [new]})
            proxy.wait_log(f"WARN Server's name leads to another address.*from={old} to={new}")
            # The catalog's connection, which carries nobody, ends when the catalog is read next.
            wait_until(lambda: self.relays[0].count() <= 1, message="connections to the old address end")
            load.wait_progress()
        self.assertEqual(load.errors, [])
        self.assertGreater(self.relays[1].count(), 0)

    def test_a_name_that_cannot_be_looked_up_for_a_while_changes_nothing(self):
        one, two = (self.relay(server) for server in self.servers.replicas)
        proxy = self.start(self.url("writer.test"), self.url("many.test"),
                           {"writer.test": [self.relay(self.servers.primary)], "many.test": [one, two]})
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        with Load(proxy.connect, lambda c: c.execute("INSERT INTO ledger VALUES (1)")) as load:
            proxy.write_hosts({})
            load.wait_progress(200)
        self.assertEqual(load.errors, [])
        self.assertEqual(self.server_names(proxy), self.named(one, two))

    def test_writes_wait_until_the_name_leads_to_the_new_primary(self):
        old, new = self.relay(self.servers.primary), self.relay(self.servers.replica)
        proxy = self.start(self.url("writer.test"), hosts={"writer.test": [old]})
        wait_until(lambda: proxy.health()[0] == 200, message="healthy, so that it can be lost")
        with proxy.connect() as client:
            client.execute("INSERT INTO ledger VALUES (1)")
            self.servers.wait_for_replay()
            self.servers.primary.kill()
            proxy.wait_log("WARN No primary")
            self.servers.replica.promote()
            proxy.write_hosts({"writer.test": [new]})
            client.execute("INSERT INTO ledger VALUES (2)")
        self.assertEqual(self.servers.replica.value("SELECT array_agg(id ORDER BY id) FROM ledger"), [1, 2])

    def test_of_all_addresses_of_the_primarys_name_the_primary_is_found(self):
        standby, other, primary = (self.relay(s) for s in (*self.servers.replicas, self.servers.primary))
        proxy = self.start(self.url("all.test"), hosts={"all.test": [standby, other, primary]})
        wait_until(lambda: proxy.health()[0] == 200, message="healthy, so that it can be lost")
        wait_until(lambda: proxy.metric("pgsteer_server_in_recovery", role="primary") == 0, message="it is a primary")
        with proxy.connect() as client:
            client.execute("INSERT INTO ledger VALUES (1)")
            self.servers.wait_for_replay()
            self.servers.primary.kill()
            self.servers.replica.promote()
            proxy.wait_log("WARN Database connection lost")
            client.execute("INSERT INTO ledger VALUES (2)")
        self.assertEqual(self.servers.replica.value("SELECT array_agg(id ORDER BY id) FROM ledger"), [1, 2])

    def test_of_several_hosts_the_promoted_one_is_found(self):
        for options in ("", "?target_session_attrs=read-write"):
            with self.subTest(options):
                servers = Cluster(replicas=1)
                self.addCleanup(servers.stop)
                servers.run("CREATE TABLE ledger (id int)")
                hosts = f"127.0.0.1:{servers.replica.port},127.0.0.1:{servers.primary.port}"
                login, _, rest = servers.primary.url().partition("@")
                proxy = self.start(f"{login}@{hosts}/{rest.partition('/')[2]}{options}")
                wait_until(lambda p=proxy: p.health()[0] == 200, message="healthy, so that it can be lost")
                with proxy.connect() as client:
                    client.execute("INSERT INTO ledger VALUES (1)")
                    servers.wait_for_replay()
                    servers.primary.kill()
                    servers.replica.promote()
                    proxy.wait_log("WARN Database connection lost")
                    client.execute("INSERT INTO ledger VALUES (2)")
                self.assertEqual(servers.replica.value("SELECT array_agg(id ORDER BY id) FROM ledger"), [1, 2])

    def test_a_service_of_all_servers_holds_the_primary_too(self):
        addresses = [self.relay(server) for server in self.servers.servers()]
        proxy = self.start(self.servers.primary.url(), self.url("headless.test"), {"headless.test": addresses},
                           consistency="eventual")
        wait_until(lambda: self.server_names(proxy) == self.named(*addresses[1:]), message="the primary is no replica")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        for _ in range(20):
            proxy.ask("SELECT count(*) FROM ledger /* twin? */")
        self.assertNotIn("primary", self.servers.ran("/* twin? */"))
        self.servers.primary.kill()
        self.servers.replica.promote()
        proxy.wait_log("WARN Primary changed")
        proxy.ask("INSERT INTO ledger VALUES (2)")
        self.assertEqual(self.servers.replica.value("SELECT count(*) FROM ledger"), 1)


class ServiceRecords(unittest.TestCase):
    @unittest.skipIf(os.geteuid(), "a name server needs port 53")
    def test_the_targets_of_srv_records_are_servers(self):
        servers, names = Cluster(replicas=2), NameServer()
        self.addCleanup(servers.stop)
        self.addCleanup(names.stop)
        one, two = servers.replicas
        record = "_postgresql._tcp.shop.test"
        names.records[record] = [("one.test", one.port, 10)]
        proxy = Proxy(servers.primary.url(), servers.primary.url(host=record, port=5432), discovery_interval="100ms",
                      hosts={"one.test": ["127.0.0.1"], "two.test": ["127.0.0.1"]}, name_server=names.address)
        self.addCleanup(proxy.stop)

        def are_found(*expected):
            found = json.loads(proxy.get("/status")[1])["servers"]
            return {each["name"] for each in found if each["role"] == "replica"} == set(expected)

        wait_until(lambda: are_found(f"one.test:{one.port}"), message="the target is a replica")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        names.records[record].append(("two.test", two.port, 20))
        wait_until(lambda: are_found(f"one.test:{one.port}", f"two.test:{two.port}"), message="so is the new one")
        names.records.pop(record)  # nobody knows the name for a while
        goal = names.asked + 5
        wait_until(lambda: names.asked > goal, message="it is looked up in vain")
        self.assertTrue(are_found(f"one.test:{one.port}", f"two.test:{two.port}"))
        names.records[record] = [("two.test", two.port, 20)]
        wait_until(lambda: are_found(f"two.test:{two.port}"), message="one has left")
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")


class ClaimedRole(unittest.TestCase):
    def test_a_server_that_is_not_what_it_is_said_to_be(self):
        servers = Cluster(replicas=1)
        self.addCleanup(servers.stop)
        servers.run("CREATE TABLE ledger (id int)")
        proxy = Proxy(servers.primary.url(pgsteer_role="primary"), servers.replica.url(pgsteer_role="replica"),
                      reconnect_delay="100ms", health_interval="200ms")
        self.addCleanup(proxy.stop)
        wait_until(lambda: proxy.health()[0] == 200, message="healthy")
        self.assertEqual(proxy.log_lines("pgsteer_role"), [])
        servers.primary.stop()
        servers.replica.promote()
        name = f"127.0.0.1:{servers.replica.port}"
        proxy.wait_log(f"WARN Server with pgsteer_role=replica is a primary.*server={name}")
        proxy.ask("INSERT INTO ledger VALUES (1)")
        self.assertEqual(servers.replica.value("SELECT count(*) FROM ledger"), 1)
        self.assertEqual(proxy.metric("pgsteer_server_role_mismatches_total", server=name), 1)
        status = json.loads(proxy.get("/status")[1])
        server = next(each for each in status["servers"] if each["name"] == name)
        self.assertEqual((server["role"], server["configured_role"]), ("primary", "replica"))
        self.assertTrue([event for event in status["events"] if "pgsteer_role" in event["text"]])


if __name__ == "__main__":
    unittest.main()
