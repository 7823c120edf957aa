#include "config/users.hpp"

#include <gmock/gmock.h>

#include "config/print.hpp"
#include "config/records.hpp"
#include "config/schema.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST(records, are_read_back_from_their_text) {
  const record parts{
      {"name", "two words"}, {"password", "it's a \\ and\na line"}, {"a", "#plain=;"}, {"b", ""}};
  const auto text = to_text(parts);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto got = parse_record(text);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(*got, parts);
}

TEST(records, refuse_what_is_not_one) {
  for (const auto* text : {"s3cret", "name", "name='s3cret", "name='a'b=c", "=x", "a b=c", "name=s3cret\\"}) {
    const auto got = parse_record(text);
    ASSERT_FALSE(got.has_value()) << text;
    EXPECT_THAT(got.error().what + got.error().suggestion, Not(HasSubstr("s3cret")));
  }
}

TEST(records, know_lines_and_comments) {
  EXPECT_EQ(lines_of(" a=1\r\n\n# no\n  b=2"), (std::vector<std::string>{"a=1", "b=2"}));
}

class users : public loading_test {};

TEST_F(users, come_from_yaml_with_limits_of_their_own) {
  const auto file = write("secret", "from file\n");
  arguments = {"--config", write("c.yaml",
                                 "users:\n  - name: one\n    password: \"it's s3cret\"\n    pool_size: 3\n"
                                 "  - {name: two, password_file: " +
                                     file + ", max_clients: 7, pool_mode: session}\n")};
  const auto found = values().users;
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0], (user_entry{"one", "it's s3cret", {.pool_size = 3}}));
  EXPECT_EQ(found[1], (user_entry{"two", "from file", {.mode = pool_mode::session, .max_clients = 7}}));
}

TEST_F(users, come_from_lines_elsewhere) {
  environment["PGSTEER_USERS_FILE"] =
      write("users", "# mine\nname=one password='a b'\n\nname=two password=c\n");
  const auto found = values().users;
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].secret, "a b");
  environment.erase("PGSTEER_USERS_FILE");
  arguments = {"--users", "name=three password=x", "--users", "name=four password=y"};
  EXPECT_THAT(values().users, SizeIs(2));
}

TEST_F(users, are_printed_without_their_passwords) {
  environment["PGSTEER_USERS"] =
      "name='two words' password=s3cret max_connections=5 pool_size=3 max_clients=9 pool_mode=session";
  const auto text = to_yaml(values(), [](auto) { return std::string("x"); });
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, HasSubstr("name='two words' password=*** pool_mode=session pool_size=3 max_clients=9 "
                              "max_connections=5"));
  arguments = {"--config", write("printed.yaml", text)};
  environment.clear();
  environment["HOME"] = directory_.string();
  EXPECT_EQ(values().users[0].secret, "***");
}

TEST_F(users, are_refused_with_the_line_and_without_the_secret) {
  const std::vector<std::pair<std::string, std::string>> wrong_ones{
      {"{password: s3cret}", "no name"},
      {"{name: a, password: 'SCRAM-SHA-256$4096:c2FsdA==$a:b'}", "not whole"},
      {"{name: a, password: s3cret, passwort: s3cret}", "password"},
      {"{name: a, password: s3cret, pool_size: 0}", "out of range"},
      {"{name: a, password: s3cret, pool_mode: statement}", "transaction or session"},
      {"{name: a, password: \"\"}", "empty password"},
      {"{name: a, password: s3cret, password_file: /dev/null}", "keep one"},
      {"{name: a, password_file: /nonexistent}", "/nonexistent"},
      {"{name: one, password: s3cret}", "twice"},
      {"name=b password='s3cret", "not closed"},
      {"s3cret", "name=value"}};
  for (const auto& [text, words] : wrong_ones) {
    const auto file = write("c.yaml", "users:\n  - {name: one, password: x}\n  - " + text + "\n");
    arguments = {"--config", file};
    const auto found = only_problem();
    EXPECT_EQ(found.where, file + ":3") << text;
    EXPECT_THAT(found.what + found.suggestion, HasSubstr(words)) << text;
  }
}

TEST_F(users, need_a_password_unless_nobody_is_asked_for_one) {
  environment["PGSTEER_USERS"] = "name=one";
  EXPECT_EQ(only_problem().where, "PGSTEER_USERS");
  environment["PGSTEER_AUTH"] = "trust";
  EXPECT_THAT(values().users, SizeIs(1));
  environment["PGSTEER_USERS"] = "name=app password=other";
  EXPECT_THAT(only_problem().suggestion, HasSubstr("limits"));
  environment["PGSTEER_USERS"] = "name=app pool_size=3";
  EXPECT_THAT(values().users, SizeIs(1));
}

TEST_F(users, take_verifiers_for_passwords) {
  const std::string key(43, 'A');
  environment["PGSTEER_USERS"] = "name=one password=SCRAM-SHA-256$4096:c2FsdA==$" + key + "=:" + key + "=";
  EXPECT_THAT(values().users, SizeIs(1));
  environment["PGSTEER_USERS"] = "name=one password=md50123456789abcdef0123456789abcdef";
  EXPECT_THAT(only_problem().what, HasSubstr("md5 verifier"));
  environment["PGSTEER_AUTH"] = "md5";
  EXPECT_THAT(values().users, SizeIs(1));
}

TEST_F(users, do_for_a_url_without_a_password) {
  environment["DATABASE_URL"] = "postgres://app@db.example/shop";
  environment["PGSTEER_USERS"] = "name=one password=x";
  EXPECT_EQ(values().primary.password, "");
}

}  // namespace
}  // namespace pgsteer::config
