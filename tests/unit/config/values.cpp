#include "config/values.hpp"

#include <gtest/gtest.h>

#include "config/addresses.hpp"
#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

using std::chrono::milliseconds;

struct duration_case {
  const char* text;
  long milliseconds;
};

class durations : public testing::TestWithParam<duration_case> {};

TEST_P(durations, are_read) {
  const auto value = parse_duration(GetParam().text);
  ASSERT_TRUE(value.has_value()) << value.error().what;
  EXPECT_EQ(value->count(), GetParam().milliseconds);
}

INSTANTIATE_TEST_SUITE_P(all, durations,
                         testing::Values(duration_case{"0", 0}, duration_case{"0.0", 0},
                                         duration_case{"0s", 0}, duration_case{"500ms", 500},
                                         duration_case{"5s", 5000}, duration_case{" 5 s ", 5000},
                                         duration_case{"1.5s", 1500}, duration_case{"2min", 120000},
                                         duration_case{"1h", 3600000}, duration_case{"365d", 31536000000}));

struct refused {
  const char* text;
  const char* suggestion;
};

class refused_durations : public testing::TestWithParam<refused> {};

TEST_P(refused_durations, say_what_to_write) {
  const auto value = parse_duration(GetParam().text);
  ASSERT_TRUE(value.has_error());
  EXPECT_FALSE(value.error().what.empty());
  EXPECT_NE(value.error().suggestion.find(GetParam().suggestion), std::string::npos)
      << value.error().suggestion;
}

INSTANTIATE_TEST_SUITE_P(all, refused_durations,
                         testing::Values(refused{"", "5s"}, refused{"5", "5s"}, refused{"5m", "5min"},
                                         refused{"5 minutes", "5min"}, refused{"5S", "5s"},
                                         refused{"5sec", "5s"}, refused{"5w", "units"}, refused{"-5s", "5s"},
                                         refused{"+5s", "5s"}, refused{".5s", "5s"}, refused{"1.2.3s", "5s"},
                                         refused{"nan", "5s"}, refused{"infs", "5s"}, refused{"0.5ms", "1ms"},
                                         refused{"s", "5s"}, refused{"1e3s", "units"},
                                         refused{"99999999999999999999d", ""}));

TEST(duration_text, is_what_the_parser_reads) {
  for (const long count : {0L, 1L, 999L, 1000L, 1500L, 60000L, 90000L, 3600000L, 86400000L, 90000000L}) {
    const auto again = parse_duration(to_text(milliseconds{count}));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->count(), count);
  }
  EXPECT_EQ(to_text(milliseconds{600000}), "10min");
  EXPECT_EQ(to_text(milliseconds{1500}), "1500ms");
}

TEST(memory, is_read_and_written) {
  EXPECT_EQ(*parse_memory("0"), 0);
  EXPECT_EQ(*parse_memory(" 64 MB "), 64 << 20);
  EXPECT_EQ(*parse_memory("1kB"), 1024);
  EXPECT_EQ(*parse_memory("7B"), 7);
  for (const char* text : {"", "64", "64mb", "1.5MB", "-1kB", "MB", "99999999999999999999B", "9999999GB"}) {
    EXPECT_TRUE(parse_memory(text).has_error()) << text;
  }
  for (const std::int64_t bytes :
       {std::int64_t{0}, std::int64_t{1000}, std::int64_t{1} << 20, std::int64_t{3} << 30}) {
    EXPECT_EQ(*parse_memory(memory_text(bytes)), bytes);
  }
}

TEST(numbers, keep_to_their_range) {
  EXPECT_EQ(*parse_number("10", 1, 10), 10);
  EXPECT_EQ(*parse_number(" -3 ", -5, 10), -3);
  for (const char* text : {"", "0", "11", "1.5", "ten", "0x10", "1 0", "99999999999999999999", "+5"}) {
    EXPECT_TRUE(parse_number(text, 1, 10).has_error()) << text;
  }
}

TEST(fractions, lie_between_nothing_and_all) {
  EXPECT_EQ(*parse_fraction("0"), 0.0);
  EXPECT_EQ(*parse_fraction("0.25"), 0.25);
  EXPECT_EQ(*parse_fraction("1"), 1.0);
  for (const char* text : {"", "1.01", "-0.1", "10%", "nan", "inf", "a"})
    EXPECT_TRUE(parse_fraction(text).has_error());
}

TEST(switches, take_the_words_of_postgres) {
  for (const char* text : {"on", "true", "YES", "1", " True "})
    EXPECT_TRUE(*parse_switch(text)) << text;
  for (const char* text : {"off", "false", "no", "0"})
    EXPECT_FALSE(*parse_switch(text)) << text;
  for (const char* text : {"", "maybe", "2", "enable"})
    EXPECT_TRUE(parse_switch(text).has_error()) << text;
}

struct address_case {
  const char* text;
  const char* host;
  int port;
};

class addresses : public testing::TestWithParam<address_case> {};

TEST_P(addresses, are_read) {
  const auto address = parse_address(GetParam().text, 6432);
  ASSERT_TRUE(address.has_value()) << address.error().what;
  EXPECT_EQ(address->host, GetParam().host);
  EXPECT_EQ(address->port, GetParam().port);
  EXPECT_EQ(*parse_address(to_text(*address), 1), *address);
}

INSTANTIATE_TEST_SUITE_P(all, addresses,
                         testing::Values(address_case{"127.0.0.1:6000", "127.0.0.1", 6000},
                                         address_case{"db.example.org", "db.example.org", 6432},
                                         address_case{"[::1]:5000", "::1", 5000},
                                         address_case{"[fe80::1%eth0]", "fe80::1%eth0", 6432},
                                         address_case{"*:5432", "*", 5432}, address_case{":5432", "*", 5432},
                                         address_case{"5432", "127.0.0.1", 5432},
                                         address_case{"*", "*", 6432},
                                         address_case{"127.0.0.1:0", "127.0.0.1", 0},
                                         address_case{"/run/pgsteer", "/run/pgsteer", 6432},
                                         address_case{"/run/pgsteer:7000", "/run/pgsteer", 7000},
                                         address_case{"unix:/run/pgsteer:7000", "/run/pgsteer", 7000}));

TEST(addresses_refused, with_a_reason) {
  const std::string deep = "/" + std::string(100, 'd');
  for (const std::string& text :
       {std::string(), std::string("::1"), std::string("[::1"), std::string("[::1]5"), std::string("host:"),
        std::string("host:x"), std::string("host:65536"), std::string("host:-1"), std::string("ho st:1"),
        std::string("70000"), std::string("unix:run"), std::string("[]:1"), std::string("postgres://h:1"),
        deep}) {
    const auto address = parse_address(text, 6432);
    ASSERT_TRUE(address.has_error()) << text;
    EXPECT_FALSE(address.error().suggestion.empty()) << text;
  }
  EXPECT_NE(parse_address("::1", 6432).error().suggestion.find("[::1]"), std::string::npos);
  EXPECT_TRUE(parse_addresses("a:1,,b:1", 6432).has_error());
  EXPECT_EQ(parse_addresses("a:1, b:2 ,/run", 6432)->size(), 3U);
}

TEST(addresses_compared, tell_loopback_and_collisions) {
  const auto at = [](const char* text) { return *parse_address(text, 6432); };
  for (const char* text : {"127.0.0.1", "127.1.2.3", "[::1]", "localhost", "/run"})
    EXPECT_TRUE(is_local(at(text))) << text;
  for (const char* text : {"*", "0.0.0.0", "10.0.0.1", "127.evil.org", "[::]"})
    EXPECT_FALSE(is_local(at(text))) << text;
  EXPECT_TRUE(is_same_place(at("*:1"), at("127.0.0.1:1")));
  EXPECT_TRUE(is_same_place(at("/run:1"), at("/run:1")));
  EXPECT_FALSE(is_same_place(at("/run:1"), at("*:1")));
  EXPECT_FALSE(is_same_place(at("h:1"), at("h:2")));
  EXPECT_FALSE(is_same_place(at("h:0"), at("h:0")));
}

TEST(suggestions, come_from_near_words_only) {
  const std::vector<std::string> words{"pool_size", "pool_mode", "auth", "--tls"};
  EXPECT_EQ(nearest("pol_size", words), "pool_size");
  EXPECT_EQ(nearest("POOL_SIZE", words), "pool_size");
  EXPECT_EQ(nearest("pool-mode", words), "pool_mode");
  EXPECT_EQ(nearest("atuh", words), "auth");
  EXPECT_EQ(nearest("--bla", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), words), "");
}

TEST(shown_values, are_short_printable_and_without_secrets) {
  EXPECT_EQ(shown("abc"), "\"abc\"");
  EXPECT_EQ(shown("a\nb\x1b"), "\"a?b?\"");
  EXPECT_LE(shown(std::string(1000, 'x')).size(), 70U);
  for (const char* text : {"postgres://u:hidden@h", "PASSWORD=hidden", "u:hidden@h"})
    EXPECT_EQ(shown(text), "\"***\"");
}

}  // namespace
}  // namespace pgsteer::config
