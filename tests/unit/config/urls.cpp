#include "config/urls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/conninfo.hpp"
#include "config/passfile.hpp"
#include "config/patroni_url.hpp"
#include "config/server_places.hpp"

namespace pgsteer::config {
namespace {

using testing::ElementsAre;

surroundings plain() {
  return {{}, "os_user", "/nonexistent"};
}

server_url primary_of(const std::string& text, const surroundings& around = plain()) {
  const auto server = parse_server(text, nullptr, around);
  if (server.has_error()) {
    ADD_FAILURE() << text << ": " << server.error().what;
    return {};
  }
  return *server;
}

std::string option_of(const server_url& server, const char* keyword) {
  return conninfo::parse(server.conninfo)->get(keyword);
}

TEST(server_urls, are_read_as_libpq_reads_them) {
  const auto server =
      primary_of("postgresql://app:p%40ss%27%5C@db:5433/shop?sslmode=verify-full&application_name=x");
  EXPECT_EQ(server.name, "db:5433");
  EXPECT_EQ(server.user, "app");
  EXPECT_EQ(server.password, "p@ss'\\");
  EXPECT_EQ(server.database, "shop");
  EXPECT_EQ(option_of(server, "password"), "p@ss'\\");
  EXPECT_EQ(option_of(server, "sslmode"), "verify-full");
  EXPECT_EQ(option_of(server, "application_name"), "x");
  EXPECT_EQ(option_of(server, "gssencmode"), "disable");
  EXPECT_EQ(option_of(server, "connect_timeout"), "");
}

TEST(server_urls, may_say_role_and_expansion) {
  EXPECT_EQ(primary_of("postgres://app@db/shop").role, claimed_role::automatic);
  EXPECT_TRUE(primary_of("postgres://app@db/shop?pgsteer_expand=dns").expands);
  for (const char* text : {"postgres://app@db/shop?pgsteer_role=replica&pgsteer_expand=off",
                           "host=db user=app dbname=shop pgsteer_expand=off pgsteer_role=replica"}) {
    const auto server = primary_of(text);
    EXPECT_EQ(server.role, claimed_role::replica) << text;
    EXPECT_FALSE(server.expands) << text;
    EXPECT_EQ(primary_of(redacted(server)), server) << redacted(server);
  }
  for (const char* text :
       {"postgres://db?pgsteer_role=standby", "host=db pgsteer_role=", "host=db pgsteer_expand=srv"})
    EXPECT_TRUE(parse_server(text, nullptr, plain()).has_error()) << text;
}

TEST(server_places, are_names_and_addresses) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  const auto several = primary_of("postgres://app@db1:5432,10.0.0.1,db2/shop");
  EXPECT_THAT(names_to_resolve(several), ElementsAre("db1", "db2"));
  EXPECT_THAT(literal_addresses(several), ElementsAre("10.0.0.1"));
  EXPECT_FALSE(is_expandable(several));
  EXPECT_TRUE(is_expandable(primary_of("postgres://app@db/shop")));
  EXPECT_FALSE(is_expandable(primary_of("postgres://app@db/shop?pgsteer_expand=off")));
  for (const char* text : {"postgres://app@10.0.0.1/shop", "postgres://app@[fd00::1]/shop",
                           "host=/tmp user=app", "host=db hostaddr=10.0.0.1 user=app"}) {
    EXPECT_FALSE(is_expandable(primary_of(text))) << text;
    EXPECT_THAT(names_to_resolve(primary_of(text)), IsEmpty()) << text;
  }
  EXPECT_THAT(literal_addresses(primary_of("host=db hostaddr=fd00:0::1 user=app")), ElementsAre("fd00::1"));
  EXPECT_EQ(at_address(primary_of("postgres://app@db:5433/shop"), "fd00::1").name, "[fd00::1]:5433");
  const auto service = primary_of("postgres://app@_postgresql._tcp.example.org/shop");
  EXPECT_EQ(srv_name(service), "_postgresql._tcp.example.org");
  EXPECT_THAT(names_to_resolve(service), IsEmpty());
  EXPECT_EQ(srv_name(several), "");
  const auto member =
      at_host(primary_of("postgres://app@a,b/shop?target_session_attrs=primary"), "c", "5433");
  EXPECT_EQ(member.name, "c:5433");
  EXPECT_EQ(option_of(member, "target_session_attrs"), "");
  EXPECT_EQ(option_of(member, "user"), "app");
}

TEST(patroni_urls, are_host_port_and_path) {
  const auto url = parse_patroni_url("http://10.0.0.1:8009");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "10.0.0.1");
  EXPECT_EQ(url->port, "8009");
  EXPECT_EQ(url->target, "/cluster");
  EXPECT_EQ(parse_patroni_url("http://[fd00::1]/patroni/cluster")->host, "fd00::1");
  EXPECT_EQ(parse_patroni_url("http://p/patroni/cluster")->target, "/patroni/cluster");
  EXPECT_EQ(parse_patroni_url("http://p/")->port, "8008");
  EXPECT_FALSE(url->is_tls);
  EXPECT_TRUE(parse_patroni_url("https://p:8008")->is_tls);
  for (const char* wrong : {"", "p:8008", "ftp://p:8008", "http://", "http://u:s@p", "http://p/?x=1"})
    EXPECT_TRUE(parse_patroni_url(wrong).has_error()) << wrong;
}

TEST(server_urls, may_say_weight_and_zone) {
  for (const char* text : {"postgres://app@db/shop?pgsteer_weight=3&pgsteer_zone=a&sslmode=require",
                           "postgres://app@db/shop?sslmode=require&pgsteer_zone=a&pgsteer_weight=3",
                           "postgres://app@db/shop?pgsteer_zone=a&sslmode=require&pgsteer_weight=3",
                           "pgsteer_weight=3 host=db user=app dbname=shop sslmode=require pgsteer_zone=a"}) {
    const auto server = primary_of(text);
    EXPECT_EQ(server.weight, 3) << text;
    EXPECT_EQ(server.zone, "a") << text;
    EXPECT_EQ(option_of(server, "sslmode"), "require") << text;
    EXPECT_EQ(primary_of(redacted(server)), server) << redacted(server);
  }
  EXPECT_EQ(primary_of("postgres://app@db/shop?pgsteer_weight=2").weight, 2);
  for (const char* text :
       {"postgres://app@db/shop?pgsteer_weight=0", "host=db pgsteer_weight=x", "host=db pgsteer_zone="}) {
    EXPECT_TRUE(parse_server(text, nullptr, plain()).has_error()) << text;
  }
}

TEST(server_urls, take_the_keyword_form) {
  const auto server =
      primary_of("host=/run/postgresql user='a b' password='it\\'s' dbname=d connect_timeout=3");
  EXPECT_EQ(server.name, "/run/postgresql:5432");
  EXPECT_EQ(server.user, "a b");
  EXPECT_EQ(option_of(server, "connect_timeout"), "3");
}

TEST(server_urls, keep_several_hosts_as_one_server) {
  EXPECT_EQ(primary_of("postgres://u:p@h1,h2:5433/d?target_session_attrs=read-write").name,
            "h1:5432,h2:5433");
  EXPECT_EQ(primary_of("host=h1,h2 port=1 user=u").name, "h1:1,h2:1");
  EXPECT_EQ(primary_of("postgres://u@[::1]:1/d").name, "[::1]:1");
  EXPECT_EQ(primary_of("hostaddr=10.0.0.1").name, "10.0.0.1:5432");
}

TEST(server_urls, get_the_defaults_of_libpq) {
  const auto bare = primary_of("postgres://");
  EXPECT_EQ(bare.name, "[local]:5432");
  EXPECT_EQ(bare.user, "os_user");
  EXPECT_EQ(bare.database, "os_user");
  EXPECT_EQ(primary_of("postgres://app@h").database, "app");
  auto around = plain();
  around.environment = {
      {"PGHOST", "envhost"}, {"PGPORT", "7"}, {"PGUSER", "eu"}, {"PGDATABASE", "ed"}, {"PGPASSWORD", "ep"}};
  const auto from_environment = primary_of("postgres://", around);
  EXPECT_EQ(from_environment.name, "envhost:7");
  EXPECT_EQ(from_environment.user, "eu");
  EXPECT_EQ(from_environment.database, "ed");
  EXPECT_EQ(from_environment.password, "ep");
  EXPECT_EQ(primary_of("postgres://u:p@h:1/d", around).name, "h:1");
}

TEST(server_urls, of_replicas_take_what_they_lack_from_the_primary) {
  const auto primary = primary_of("postgres://app:pw@db:5433/shop?sslmode=require");
  const auto replica = *parse_server("postgres://r1", &primary, plain());
  EXPECT_EQ(replica.user, "app");
  EXPECT_EQ(replica.password, "pw");
  EXPECT_EQ(replica.database, "shop");
  EXPECT_EQ(replica.name, "r1:5432");
  EXPECT_EQ(option_of(replica, "sslmode"), "");
  EXPECT_EQ(option_of(replica, "password"), "pw");
  const auto other = *parse_server("postgres://reader@r1/d2", &primary, plain());
  EXPECT_EQ(other.user, "reader");
  EXPECT_EQ(other.password, "") << "another user's password is not the primary's";
  EXPECT_EQ(other.database, "d2");
}

struct bad_url {
  const char* text;
  const char* words;  // in the complaint or its suggestion
};

class bad_urls : public testing::TestWithParam<bad_url> {};

TEST_P(bad_urls, are_refused_without_a_secret) {
  const auto server = parse_server(GetParam().text, nullptr, plain());
  ASSERT_TRUE(server.has_error()) << GetParam().text;
  const std::string said = server.error().what + " / " + server.error().suggestion;
  EXPECT_NE(said.find(GetParam().words), std::string::npos) << said;
  EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_urls,
    testing::Values(
        bad_url{"s3cret", "keyword=value"}, bad_url{"postgres://u:s3cret%zz@h/d", "percent-encode"},
        bad_url{"postgres://u:s3cret%@h/d", "percent-encode"},
        bad_url{"postgres://[::1/s3cret", "libpq cannot read it"}, bad_url{"postgres://u:a/s3cret@h/d", ""},
        bad_url{"host=h password=a s3cret=1", "does not know"},
        bad_url{"host=h password='s3cret", "libpq cannot read it"},
        bad_url{"postgres://u:s3cret@h/d?schema=public", "\"schema\""},
        bad_url{"postgres://u:s3cret@h/d?sslmod=require", "\"sslmode\""},
        bad_url{"postgres://u:s3cret@h/d?sslmode=requires", "\"require\""},
        bad_url{"postgres://u:s3cret@h/d?sslmode=s3cretpass", "write one of"},
        bad_url{"postgres://u:s3cret@h/d?target_session_attrs=readonly", "\"read-only\""},
        bad_url{"postgres://u:s3cret@h:0/d", "port"}, bad_url{"postgres://u:s3cret@h:70000/d", "port"},
        bad_url{"host=a,b,c port=1,2", "2 ports for 3 hosts"},
        bad_url{"host=a,b hostaddr=1.1.1.1", "hostaddr"},
        bad_url{"postgres://u:s3cret@h/d?replication=database", "replication"},
        bad_url{"postgres://u:s3cret@h/d?sslrootcert=/nonexistent/ca.pem", "/nonexistent/ca.pem"},
        bad_url{"postgresql+psycopg2://u:s3cret@h/d", "postgresql+psycopg2"},
        bad_url{"jdbc:postgresql://h/d", "jdbc:postgresql"}, bad_url{"mysql://u:s3cret@h/d", "mysql"},
        bad_url{"service=missing", "service file"}));

TEST(redacted_urls, hold_no_password_and_are_read_again) {
  const auto server =
      primary_of("postgres://app:s3cret@h1,h2:1/shop?sslpassword=s3cret&sslmode=require&passfile=/x");
  const auto text = redacted(server);
  EXPECT_EQ(text.find("s3cret"), std::string::npos);
  EXPECT_NE(text.find("password='***'"), std::string::npos);
  EXPECT_NE(text.find("passfile='/x'"), std::string::npos);
  const auto again = primary_of(text);
  EXPECT_EQ(again.name, server.name);
  EXPECT_EQ(again.user, server.user);
  EXPECT_EQ(option_of(again, "sslmode"), "require");
}

TEST(replica_lists, are_split_where_a_server_begins) {
  EXPECT_THAT(split_servers(""), ElementsAre());
  EXPECT_THAT(split_servers(" , "), ElementsAre());
  EXPECT_THAT(split_servers("postgres://a"), ElementsAre("postgres://a"));
  EXPECT_THAT(split_servers("postgres://a, postgresql://b ,"), ElementsAre("postgres://a", "postgresql://b"));
  EXPECT_THAT(split_servers("postgres://h1,h2/d"), ElementsAre("postgres://h1,h2/d"));
  EXPECT_THAT(split_servers("postgres://h1:1,h2:2/d,postgres://h3,h4/d"),
              ElementsAre("postgres://h1:1,h2:2/d", "postgres://h3,h4/d"));
  EXPECT_THAT(split_servers("host=h1,h2 port=1,2"), ElementsAre("host=h1,h2 port=1,2"));
  EXPECT_THAT(split_servers("host=h1,h2,host=h3 user=u,\n user = v host=h4"),
              ElementsAre("host=h1,h2", "host=h3 user=u", "user = v host=h4"));
  EXPECT_THAT(split_servers("host=h1 options='-c a=1,host=2',postgres://b"),
              ElementsAre("host=h1 options='-c a=1,host=2'", "postgres://b"));
  EXPECT_THAT(split_servers("host=h1 password='it\\'s,host=x',host=h2"),
              ElementsAre("host=h1 password='it\\'s,host=x'", "host=h2"));
  EXPECT_THAT(split_servers("postgres://u:it's@h1,host=h2"), ElementsAre("postgres://u:it's@h1", "host=h2"));
  EXPECT_THAT(split_servers("host=h1,nonsense=1"), ElementsAre("host=h1,nonsense=1"));
}

TEST(password_files, are_matched_as_libpq_does) {
  const std::string text =
      "# comment:1:2:3:4\n"
      "other:5432:shop:app:no\n"
      "short:line\n"
      "db:*:shop:app:first\\:pa\\\\rt\r\n"
      "db:5432:shop:app:second\n"
      "\\*:5432:shop:app:literal\n"
      "*:*:*:app:any\n";
  const auto ask = [&](const char* host, const char* user) {
    return find_password(text, {host, "5432", "shop", user});
  };
  EXPECT_EQ(ask("db", "app"), "first:pa\\rt");
  EXPECT_EQ(ask("elsewhere", "app"), "any");
  EXPECT_EQ(ask("*", "app"), "literal");
  EXPECT_EQ(ask("db", "nobody"), std::nullopt);
  EXPECT_EQ(find_password("", {"h", "1", "d", "u"}), std::nullopt);
  EXPECT_EQ(find_password("h:1:d:u", {"h", "1", "d", "u"}), std::nullopt);
}

TEST(service_files, give_the_keywords_of_one_section) {
  const std::string text = "# x\n[one]\nhost=h1\n[two]\nhost = h2\nport=7\n\n[three]\nport=8\n";
  const auto two = find_service(text, "two");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->at("host"), "h2");
  EXPECT_EQ(two->at("port"), "7");
  EXPECT_EQ(find_service(text, "four"), std::nullopt);
}

}  // namespace
}  // namespace pgsteer::config
