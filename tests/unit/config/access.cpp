#include <gmock/gmock.h>

#include "config/hba.hpp"
#include "config/ident_map.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

hba_rule rule(std::string_view line) {
  auto out = parse_hba_rule(line);
  if (out) return *std::move(out);
  ADD_FAILURE() << line << ": " << out.error().what;
  return {};
}

std::vector<hba_rule> rules(const std::vector<std::string>& lines) {
  std::vector<hba_rule> out;
  for (const auto& line : lines)
    out.push_back(rule(line));
  return out;
}

constexpr std::array<std::uint8_t, 4> near{10, 1, 2, 3};
constexpr std::array<std::uint8_t, 4> far{192, 168, 0, 1};

hba_question from(std::span<const std::uint8_t> address, std::string_view user = "app",
                  std::string_view database = "shop") {
  return {.is_local = address.empty(), .database = database, .user = user, .address = address};
}

TEST(hba, reads_a_line_as_postgresql_does) {
  const auto it =
      rule("hostssl shop,sameuser \"all\",other\t10.0.0.0/8 cert clientcert=verify-full map=m # why");
  EXPECT_EQ(it.connection, hba_connection::host_tls);
  EXPECT_EQ(it.databases, std::vector<std::string>{"shop"});
  EXPECT_TRUE(it.same_database);
  EXPECT_FALSE(it.all_users);
  EXPECT_EQ(it.users, (std::vector<std::string>{"all", "other"}));
  EXPECT_EQ(it.method, hba_method::cert);
  EXPECT_EQ(it.map, "m");
  EXPECT_EQ(rule("host all all 10.0.0.0 255.0.0.0 md5").network, rule("host all all 10.0.0.0/8 md5").network);
  EXPECT_EQ(rule("local a , b all trust").databases, (std::vector<std::string>{"a", "b"}));
}

TEST(hba, says_what_it_cannot_take) {
  const std::vector<std::pair<std::string, std::string>> wrong_ones{
      {"host all all", "whole rule"},
      {"hosts all all all trust", "host"},
      {"host all all example.org trust", "looked up"},
      {"host all all 10.0.0.1 trust", "10.0.0.0/8"},
      {"host all all 10.0.0.0/33 trust", "10.0.0.0/8"},
      {"host all all ::1 255.0.0.0 trust", "::1/128"},
      {"host all all all ldap", "scram-sha-256"},
      {"host all +admins all trust", "only a server"},
      {"host samerole all all trust", "only a server"},
      {"host all \"all all trust", "not closed"},
      {"host all all all password", "hostssl"},
      {"host all all all cert", "hostssl"},
      {"hostssl all all all trust map=m", "map"},
      {"hostssl all all all trust clientcert=1", "verify-ca"},
      {"host all all 10.0.0.0/8", "no method"}};
  for (const auto& [line, words] : wrong_ones) {
    const auto out = parse_hba_rule(line);
    ASSERT_FALSE(out.has_value()) << line;
    EXPECT_THAT(out.error().what + " " + out.error().suggestion, HasSubstr(words)) << line;
  }
}

TEST(hba, decides_by_the_first_line_that_fits) {
  const auto all =
      rules({"host shop app 10.0.0.0/8 reject", "host all all 10.0.0.0/8 trust", "local all app md5"});
  EXPECT_EQ(find_hba_rule(all, from(near)), &all[0]);
  EXPECT_EQ(find_hba_rule(all, from(near, "other")), &all[1]);
  EXPECT_EQ(find_hba_rule(all, from(far)), nullptr);
  EXPECT_EQ(find_hba_rule(all, from({})), &all[2]);
  EXPECT_EQ(find_hba_rule(all, from({}, "other")), nullptr);
}

TEST(hba, tells_tls_and_databases_apart) {
  auto about = from(near, "shop");
  const auto tls = rules({"hostssl all all all trust"});
  const auto plain = rules({"hostnossl all all all trust"});
  EXPECT_EQ(find_hba_rule(tls, about), nullptr);
  EXPECT_NE(find_hba_rule(plain, about), nullptr);
  about.has_tls = true;
  EXPECT_NE(find_hba_rule(tls, about), nullptr);
  EXPECT_EQ(find_hba_rule(plain, about), nullptr);
  EXPECT_NE(find_hba_rule(rules({"host sameuser all all trust"}), about), nullptr);
  EXPECT_EQ(find_hba_rule(rules({"host sameuser all all trust"}), from(near, "app")), nullptr);
  about.is_physical_replication = true;
  EXPECT_EQ(find_hba_rule(tls, about), nullptr) << "all is not replication";
  EXPECT_NE(find_hba_rule(rules({"host replication all all trust"}), about), nullptr);
}

TEST(hba, knows_networks_of_both_families) {
  std::array<std::uint8_t, 16> v6{};
  v6[15] = 1;
  EXPECT_NE(find_hba_rule(rules({"host all all ::1/128 trust"}), from(v6)), nullptr);
  EXPECT_EQ(find_hba_rule(rules({"host all all 0.0.0.0/0 trust"}), from(v6)), nullptr);
  EXPECT_EQ(find_hba_rule(rules({"host all all ::/0 trust"}), from(near)), nullptr);
  EXPECT_NE(find_hba_rule(rules({"host all all all trust"}), from(v6)), nullptr);
  EXPECT_NE(find_hba_rule(rules({"host all all 10.1.2.0/30 trust"}), from(near)), nullptr);
  EXPECT_EQ(find_hba_rule(rules({"host all all 10.1.2.4/30 trust"}), from(near)), nullptr);
}

TEST(ident_map, maps_names_and_expressions) {
  std::vector<ident_line> lines;
  for (const auto* text : {"m /^(.*)@example$ \\1", "m boss app", "n boss root"})
    lines.push_back(*parse_ident_line(text));
  EXPECT_TRUE(is_mapped(lines, "", "app", "app"));
  EXPECT_FALSE(is_mapped(lines, "", "boss", "app"));
  EXPECT_TRUE(is_mapped(lines, "m", "boss", "app"));
  EXPECT_FALSE(is_mapped(lines, "m", "boss", "root"));
  EXPECT_TRUE(is_mapped(lines, "m", "app@example", "app"));
  EXPECT_FALSE(is_mapped(lines, "m", "app@example", "root"));
  EXPECT_FALSE(is_mapped(lines, "m", "app@example.org", "app"));
  EXPECT_FALSE(is_mapped(lines, "m", "", ""));
  for (const auto* text : {"m boss", "m /( app", "m /^x$ \\1", "m a b c"})
    EXPECT_FALSE(parse_ident_line(text).has_value()) << text;
}

class access : public loading_test {};

TEST_F(access, needs_what_the_rules_speak_of) {
  environment["PGSTEER_HBA"] = "# ours\nhostssl all all all cert map=m\nlocal all all trust";
  EXPECT_THAT(wrong(), SizeIs(2));
  environment["PGSTEER_TLS_CLIENT_CA_FILE"] = write("ca", "x");
  environment["PGSTEER_IDENT_MAP"] = "m boss app";
  EXPECT_THAT(values().hba, SizeIs(2));
  environment["PGSTEER_AUTH_QUERY"] = "SELECT 1";
  EXPECT_THAT(only_problem().suggestion, HasSubstr("$1"));
  environment["PGSTEER_AUTH_QUERY"] = "SELECT * FROM gate.look_up($1)";
  environment["PGSTEER_AUTH_QUERY_USER"] = "asker";
  EXPECT_THAT(only_problem().what, HasSubstr("asker"));
  environment["PGSTEER_USERS"] = "name=asker password=x";
  EXPECT_EQ(values().auth_query_user, "asker");
}

}  // namespace
}  // namespace pgsteer::config
