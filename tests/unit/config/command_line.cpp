#include <gmock/gmock.h>

#include "config/schema.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST_F(loading_test, names_the_command) {
  const auto command_of = [&](std::vector<std::string> words) {
    arguments = std::move(words);
    const auto result = load_all();
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? result->what : command::run;
  };
  EXPECT_EQ(command_of({}), command::run);
  EXPECT_EQ(command_of({"--check-config"}), command::check_config);
  EXPECT_EQ(command_of({"--print-config"}), command::print_config);
  EXPECT_EQ(command_of({"route"}), command::route);
  for (const char* flag : {"--help", "-h"})
    EXPECT_EQ(command_of({flag}), command::help);
  for (const char* flag : {"--version", "-V"})
    EXPECT_EQ(command_of({flag}), command::version);
  EXPECT_EQ(command_of({"route", "--help"}), command::help);
  EXPECT_EQ(command_of({"--nonsense", "--help"}), command::help) << "help comes whatever else is wrong";
}

TEST_F(loading_test, reads_the_route_command) {
  arguments = {"route", "--json", "--catalog", "postgres://u@h/d"};
  auto result = load_all();
  ASSERT_TRUE(result.has_value()) << to_text(result.error());
  EXPECT_TRUE(result->route_json);
  EXPECT_EQ(result->route_catalog, "postgres://u@h/d");
  EXPECT_FALSE(result->route_sql.has_value());
  arguments = {"--log-level", "debug", "route", "SELECT [1]", "--pool-size", "3"};
  result = load_all();
  ASSERT_TRUE(result.has_value()) << to_text(result.error());
  EXPECT_EQ(result->route_sql, "SELECT [1]");
  EXPECT_EQ(result->values->pool_size, 3);
  arguments = {"route", "--", "-- a comment\nSELECT 1"};
  result = load_all();
  ASSERT_TRUE(result.has_value()) << to_text(result.error());
  EXPECT_EQ(result->route_sql, "-- a comment\nSELECT 1");
}

TEST_F(loading_test, refuses_a_route_command_it_cannot_carry_out) {
  arguments = {"route", "SELECT", "'s3cret'"};
  EXPECT_EQ(only_problem().where, "route");
  arguments = {"route", "--json", "SELECT 1"};
  EXPECT_EQ(only_problem().where, "route");
  arguments = {"route", "--catalog", "postgres://u:s3cret@h:0/d"};
  EXPECT_EQ(only_problem().where, "--catalog");
}

TEST_F(loading_test, never_repeats_a_stray_word_that_may_be_secret) {
  arguments = {"--database-uri=postgres://u:s3cret@h/d"};
  EXPECT_THAT(only_problem().suggestion, HasSubstr("--database-url"));
  arguments = {"--database-uri", "postgres://u:s3cret@h/d"};
  EXPECT_THAT(only_problem().suggestion, HasSubstr("--database-url"));
  arguments = {"--database-url", "host=h", "password=", "s3cret"};
  EXPECT_THAT(wrong(), Not(SizeIs(0)));
  arguments = {"s3cret"};
  EXPECT_EQ(only_problem().where, "command line");
  arguments = {"--s3cret word"};
  EXPECT_EQ(only_problem().where, "command line");
  arguments = {"--pool-size"};
  EXPECT_THAT(only_problem().what, HasSubstr("--pool-size"));
  arguments = {"rout"};
  EXPECT_THAT(only_problem().suggestion, HasSubstr("route"));
}

TEST_F(loading_test, takes_addresses_in_brackets_and_repeated_lists) {
  arguments = {"--listen", "[::1]", "--listen", "[::1]:1,*:2"};
  EXPECT_THAT(values().listen, SizeIs(3));
}

TEST_F(loading_test, prints_help_for_every_setting) {
  arguments = {"--help"};
  environment.clear();
  const auto text = load_all()->output;
  for (const auto& each : schema()) {
    EXPECT_THAT(text, HasSubstr("  " + each.flag() + " ")) << each.name;
    EXPECT_THAT(text, HasSubstr("[" + each.variable())) << each.name;
    EXPECT_THAT(text, HasSubstr(each.default_text().empty() ? "" : "default " + each.default_text()));
  }
  for (const char* words : {"--check-config", "--print-config", "route", "--version", "PGSTEER_CONFIG"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

TEST_F(loading_test, prints_its_version) {
  arguments = {"--version"};
  EXPECT_EQ(load_all()->output, "pgsteer " PGSTEER_VERSION "\n");
}

TEST_F(loading_test, says_that_a_configuration_is_valid) {
  arguments = {"--check-config"};
  EXPECT_EQ(load_all()->output, "configuration is valid\n");
  environment["PGSTEER_POOL_SIZE"] = "0";
  EXPECT_THAT(wrong(), SizeIs(1));
}

TEST_F(loading_test, prints_the_effective_configuration_without_secrets) {
  environment["DATABASE_REPLICA_URL"] = "postgres://app:s3cret@r1/shop,postgres://r2?sslpassword=s3cret";
  environment["PGSTEER_LOG_FORMAT"] = "json";
  const auto file = write("c.yaml", "\npool_size: 7\n");
  arguments = {"--config", file, "--print-config", "--max-clients", "9"};
  const auto text = load_all()->output;
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, HasSubstr("password='***'"));
  EXPECT_THAT(text, HasSubstr("pool_size: 7  # " + file + ":2\n"));
  EXPECT_THAT(text, HasSubstr("max_clients: 9  # --max-clients\n"));
  EXPECT_THAT(text, HasSubstr("log_format: json  # PGSTEER_LOG_FORMAT\n"));
  EXPECT_THAT(text, HasSubstr("log_level: info  # default\n"));
}

TEST_F(loading_test, reads_back_what_it_prints) {
  environment["DATABASE_URL"] = "host=a,b user='o\\'brien \\\\ \"x\"' dbname=d options='-c a=1'";
  environment["DATABASE_REPLICA_URL"] = "postgres://r1,postgres://r2:1";
  environment["PGSTEER_AUTH"] = "trust";
  environment["PGSTEER_LISTEN"] = "[::1]:1,/tmp";
  environment["PGSTEER_ADMIN_LISTEN"] = "";
  environment["PGSTEER_ACQUIRE_TIMEOUT"] = "1500ms";
  environment["PGSTEER_RECONNECT_JITTER"] = "0.25";
  const auto before = values();
  arguments = {"--print-config"};
  const auto printed = write("printed.yaml", load_all()->output);
  environment = {{"HOME", directory_.string()}};
  arguments = {"--config", printed};
  EXPECT_EQ(values(), before);
}

TEST(process_sources, hold_arguments_and_environment) {
  const char* const argv[] = {"pgsteer", "--help", "x=y"};
  const auto found = sources_of_process(3, argv);
  EXPECT_THAT(found.arguments, testing::ElementsAre("--help", "x=y"));
  EXPECT_EQ(found.environment.count("PATH"), 1U);
}

TEST(problem_text, names_each_place_and_hint) {
  const auto text = to_text(problems{{"a.yaml:1", "is bad", "try this"}, {"X", "is worse", ""}});
  EXPECT_EQ(
      text,
      "pgsteer: 2 problems in the configuration\n  a.yaml:1: is bad\n      hint: try this\n  X: is worse\n");
  EXPECT_THAT(to_text(problems{{"X", "y", ""}}), HasSubstr("1 problem in"));
}

}  // namespace
}  // namespace pgsteer::config
