#include "protocol/startup_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<setting> settings_of(std::string_view options) {
  std::vector<setting> settings;
  const auto error = parse_options(options, settings);
  EXPECT_FALSE(error) << options << ": " << (error ? error->message : "");
  return settings;
}

error_report error_of(std::string_view options) {
  std::vector<setting> settings;
  return parse_options(options, settings).value_or(error_report{});
}

TEST(startup_options, splits_at_white_space) {
  EXPECT_THAT(split_options(""), IsEmpty());
  EXPECT_THAT(split_options(" \t\n\r\f\v"), IsEmpty());
  EXPECT_THAT(split_options("  a\tb\nc "), ElementsAre("a", "b", "c"));
}

TEST(startup_options, takes_the_character_behind_a_backslash_as_it_is) {
  EXPECT_THAT(split_options("a\\ b c"), ElementsAre("a b", "c"));
  EXPECT_THAT(split_options("a\\\\ b"), ElementsAre("a\\", "b"));
  EXPECT_THAT(split_options("\\-\\x\\\\\\ y"), ElementsAre("-x\\ y"));
  EXPECT_THAT(split_options("\\"), ElementsAre(""));
}

TEST(startup_options, reads_both_forms_of_settings) {
  EXPECT_THAT(settings_of("-c a=b -cc=d --e=f"), ElementsAre(Pair("a", "b"), Pair("c", "d"), Pair("e", "f")));
  EXPECT_THAT(settings_of("--work-mem=2MB -c a-b.c-d=e-f"),
              ElementsAre(Pair("work_mem", "2MB"), Pair("a_b.c_d", "e-f")));
  EXPECT_THAT(settings_of("-c search_path=a,\\ b=c"), ElementsAre(Pair("search_path", "a, b=c")));
  EXPECT_THAT(settings_of("-c  geqo="), ElementsAre(Pair("geqo", "")));
}

TEST(startup_options, reads_the_short_switches) {
  EXPECT_THAT(settings_of("-e"), ElementsAre(Pair("datestyle", "euro")));
  EXPECT_THAT(settings_of("-d2"),
              ElementsAre(Pair("log_min_messages", "debug2"), Pair("log_statement", "all")));
  EXPECT_THAT(settings_of("-d 0"), ElementsAre(Pair("log_min_messages", "notice")));
  EXPECT_EQ(settings_of("-d5").size(), 5U);
  EXPECT_THAT(settings_of("-S 1024 -eO"), ElementsAre(Pair("work_mem", "1024"), Pair("datestyle", "euro"),
                                                      Pair("allow_system_table_mods", "true")));
  EXPECT_THAT(settings_of("-fs -f h"),
              ElementsAre(Pair("enable_seqscan", "false"), Pair("enable_hashjoin", "false")));
  EXPECT_THAT(settings_of("-tpa -tpl -te"),
              ElementsAre(Pair("log_parser_stats", "true"), Pair("log_planner_stats", "true"),
                          Pair("log_executor_stats", "true")));
  EXPECT_THAT(settings_of("-E -j -n -T -v 3 -r file -D dir -C x"), IsEmpty());
  EXPECT_THAT(settings_of("--"), IsEmpty());
}

// Message for message what PostgreSQL 15 answers to the same options.
TEST(startup_options, refuses_in_postgresqls_words) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"-x", "-x"},
      {"-z -c a.b=c", "-z"},
      {"word -c work_mem=1MB", "word"},
      {"-c work_mem=1MB -- word", "word"},
      {"-e -- --geqo=off", "--geqo=off"},
      {"-ex", "-ex"},
      {"-nx", "-nx"},
      {"-f z", "z"},
      {"-t q", "q"},
      {"-tpx", "-tpx"},
      {"-c", "-c"},
      {"-nc", "-nc"},
      {"-", "-"},
      {"\\", ""},
      {"-xq word", "postgres"},
  };
  for (const auto& [options, named] : cases) {
    const auto error = error_of(options);
    EXPECT_EQ(error.severity, "FATAL") << options;
    EXPECT_EQ(error.sqlstate, "42601") << options;
    EXPECT_EQ(error.message, "invalid command-line argument for server process: " + named) << options;
    EXPECT_EQ(error.hint, "Try \"postgres --help\" for more information.") << options;
  }
  EXPECT_EQ(error_of("-c foo").message, "-c foo requires a value");
  EXPECT_EQ(error_of("--foo").message, "--foo requires a value");
  EXPECT_EQ(error_of("--foo").sqlstate, "42601");
}

}  // namespace
}  // namespace pgsteer::protocol
