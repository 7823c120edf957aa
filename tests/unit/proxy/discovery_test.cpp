// What names and Patroni give, as values: which servers there are, and when one is left out.
#include "proxy/control/discovery.hpp"

#include <gmock/gmock.h>

#include "config/urls.hpp"
#include "proxy/control/address_book.hpp"
#include "proxy/control/patroni.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr address_book::time_point start{std::chrono::hours{1}};

bool serves(const std::string&) {
  return true;
}
bool is_dead(const std::string&) {
  return false;
}

TEST(address_book, a_name_of_one_address_is_one_server) {
  address_book book;
  book.observe("db", {"10.0.0.1"}, start, serves);
  EXPECT_THAT(book.latest("db"), ElementsAre("10.0.0.1"));
  EXPECT_THAT(book.servers("db"), IsEmpty());
  EXPECT_THAT(book.latest("other"), IsEmpty());
}

TEST(address_book, a_name_of_several_stays_so_with_one_left) {
  address_book book;
  book.observe("db", {"10.0.0.2", "10.0.0.1"}, start, serves);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.1", "10.0.0.2"));
  book.observe("db", {"10.0.0.2"}, start + seconds{1}, is_dead);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.2"));
}

TEST(address_book, what_serves_has_a_grace) {
  address_book book;
  book.observe("db", {"10.0.0.1"}, start, serves);
  book.observe("db", {"10.0.0.2"}, start + seconds{5}, serves);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(book.latest("db"), ElementsAre("10.0.0.2"));
  book.observe("db", {"10.0.0.2"}, start + address_book::grace, serves);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.2"));
}

TEST(address_book, a_failed_look_up_changes_nothing) {
  address_book book;
  book.observe("db", {"10.0.0.1", "10.0.0.2"}, start, serves);
  book.observe("db", {}, start + seconds{600}, is_dead);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.1", "10.0.0.2"));
}

TEST(address_book, another_family_is_the_same_servers_again) {
  address_book book;
  book.observe("db", {"fd00::1", "10.0.0.1"}, start, serves);
  EXPECT_THAT(book.servers("db"), IsEmpty());
  EXPECT_THAT(book.latest("db"), ElementsAre("fd00::1", "10.0.0.1"));
  book.observe("db", {"10.0.0.1", "10.0.0.2", "fd00::1"}, start + seconds{5}, serves);
  EXPECT_THAT(book.servers("db"), ElementsAre("10.0.0.1", "10.0.0.2"));
}

TEST(address_book, is_bounded) {
  address_book book;
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i)
    many.push_back("10.0.1." + std::to_string(i));
  book.observe("db", many, start, serves);
  EXPECT_EQ(book.servers("db").size(), address_book::most_addresses);
  book.keep({"other"});
  EXPECT_THAT(book.servers("db"), IsEmpty());
}

config::settings settings_of(const std::vector<std::string>& replicas) {
  config::settings s;
  s.primary = *config::parse_server("postgres://app:secret@db:5432/shop", nullptr, {});
  for (const auto& each : replicas)
    s.replicas.push_back(*config::parse_server(each, &s.primary, {}));
  return s;
}

std::vector<std::string> names(const std::vector<config::server_url>& servers) {
  std::vector<std::string> out;
  for (const auto& each : servers)
    out.push_back(each.name);
  return out;
}

TEST(found_servers, are_the_addresses_of_names) {
  findings known;
  known.addresses.observe("many", {"10.0.0.1", "10.0.0.2"}, start, serves);
  const auto s = settings_of({"postgres://many:5433?pgsteer_weight=3&sslmode=require", "postgres://one",
                              "postgres://many:6000?pgsteer_expand=off", "postgres://10.0.0.2:5433"});
  const auto found = with_found_servers(s, known);
  EXPECT_THAT(names(found), ElementsAre("10.0.0.1:5433", "10.0.0.2:5433", "one:5432", "many:6000"));
  EXPECT_EQ(found[0].weight, 3);
  EXPECT_THAT(found[0].conninfo,
              testing::AllOf(testing::HasSubstr("host='many'"), testing::HasSubstr("hostaddr='10.0.0.1'"),
                             testing::HasSubstr("sslmode='require'")));
}

TEST(found_servers, are_patronis_members) {
  auto s = settings_of({"postgres://one"});
  findings known;
  known.members = {{"db", "5432", true, true},
                   {"one", "5432", false, true},
                   {"two", "5433", false, true},
                   {"backup", "5432", false, false},
                   {"new-leader", "5432", true, false}};
  EXPECT_THAT(names(with_found_servers(s, known)), ElementsAre("one:5432")) << "patroni is not set";
  s.patroni = {"http://p:8008"};
  const auto found = with_found_servers(s, known);
  EXPECT_THAT(names(found), ElementsAre("one:5432", "two:5433", "new-leader:5432"));
  EXPECT_THAT(found[1].conninfo,
              testing::AllOf(testing::HasSubstr("host='two'"), testing::HasSubstr("port='5433'"),
                             testing::HasSubstr("password='secret'")));
}

TEST(found_servers, are_those_of_srv_records) {
  const auto s = settings_of({"postgres://_postgresql._tcp.example.org?pgsteer_zone=a&sslmode=require"});
  findings known;
  EXPECT_THAT(names(with_found_servers(s, known)), ElementsAre("_postgresql._tcp.example.org:5432"));
  known.services["_postgresql._tcp.example.org"] = {{"a.example.org", "5433", 7},
                                                    {"b.example.org", "5432", 0}};
  const auto found = with_found_servers(s, known);
  EXPECT_THAT(names(found), ElementsAre("a.example.org:5433", "b.example.org:5432"));
  EXPECT_EQ(found[0].weight, 7);
  EXPECT_EQ(found[1].weight, 1);
  EXPECT_EQ(found[0].zone, "a");
  EXPECT_THAT(found[0].conninfo, testing::HasSubstr("sslmode='require'"));
}

// An answer to SRV _pg._tcp.x: two records, the second one's target written as a pointer.
std::vector<unsigned char> srv_answer() {
  std::vector<unsigned char> m{0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0};
  const auto add = [&m](std::initializer_list<int> bytes) {
    for (const int b : bytes)
      m.push_back(static_cast<unsigned char>(b));
  };
  add({3, '_', 'p', 'g', 4, '_', 't', 'c', 'p', 1, 'x', 0, 0, 33, 0, 1});
  add({0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 11, 0, 1, 0, 9, 0x15, 0x39, 2, 'd', 'b', 0xC0, 21});
  add({0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 10, 0, 1, 0, 0, 0x15, 0x38, 1, 'a', 0xC0, 21});
  return m;
}

TEST(srv, names_hosts_ports_and_weights) {
  EXPECT_THAT(read_srv(srv_answer()),
              ElementsAre(srv_target{"a.x", "5432", 0}, srv_target{"db.x", "5433", 9}));
}

TEST(srv, survives_every_cut_and_every_changed_byte) {
  const auto whole = srv_answer();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_LE(read_srv(std::span(whole).first(size)).size(), 1U);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0, 0x3F, 0xC0, 0xFF}) {
      auto changed = whole;
      changed[at] = static_cast<unsigned char>(value);
      EXPECT_LE(read_srv(changed).size(), 2U);
    }
  }
}

TEST(patroni, names_its_members) {
  const auto members = read_cluster(
      R"({"members": [{"name": "a", "role": "leader", "state": "running", "host": "10.0.0.1", "port": 5432,
                       "timeline": 3, "api_url": "http://10.0.0.1:8008/patroni"},
                      {"name": "b", "role": "replica", "state": "streaming", "host": "10.0.0.2", "port": 5433,
                       "lag": 0, "tags": {"noloadbalance": true}},
                      {"name": "c", "role": "sync_standby", "state": "starting", "host": "c.example", "port": 5432,
                       "lag": "unknown", "tags": {"clonefrom": true}}], "scope": "shop"})");
  ASSERT_TRUE(members);
  EXPECT_THAT(*members, ElementsAre(cluster_member{"10.0.0.1", "5432", true, true},
                                    cluster_member{"10.0.0.2", "5433", false, false},
                                    cluster_member{"c.example", "5432", false, true}));
}

TEST(patroni, is_not_believed_everything) {
  for (const char* wrong :
       {"", "[]", "{}", R"({"members": 3})", R"({"members": []})", R"({"members": [1, {}, {"host": "a"}]})",
        R"({"members": [{"host": "a", "port": 0}]})", R"({"members": [{"host": "a", "port": 65536}]})",
        R"({"members": [{"host": "a,b", "port": 5432}]})", R"({"members": [{"host": "/tmp", "port": 5432}]})",
        R"({"members": [{"host": "a b", "port": 5432}]})", R"({"members": [{"host": "", "port": 5432}]})"}) {
    EXPECT_FALSE(read_cluster(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace pgsteer::proxy
