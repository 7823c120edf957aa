#include "proxy/control/health_judge.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using config::log_level;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using action = health_judge::action;

const backoff::time_point start{seconds{1000}};

std::vector<std::string> messages(const health_judge::verdict& v) {
  std::vector<std::string> all;
  for (const auto& line : v.lines)
    all.push_back(line.message);
  return all;
}

TEST(backoff, doubles_to_its_bound_and_then_probes_slowly) {
  backoff b{backoff_policy{}};
  std::vector<milliseconds::rep> delays;
  for (int i = 1; i <= 8; ++i) {
    const auto failure = b.fail(start, 0);
    EXPECT_EQ(failure.attempt, i);
    EXPECT_EQ(failure.is_last, i == 5);
    EXPECT_EQ(b.is_exhausted(), i >= 5);
    EXPECT_EQ(b.next_attempt() - start, failure.delay);
    delays.push_back(failure.delay.count());
  }
  EXPECT_THAT(delays, ElementsAre(2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000));
}

TEST(backoff, jitter_moves_the_attempt_but_not_what_is_said) {
  backoff b{backoff_policy{}};
  EXPECT_EQ(b.fail(start, 1.0).delay, seconds{2});
  EXPECT_EQ(b.next_attempt() - start, milliseconds{2200});
  EXPECT_EQ(b.fail(start, -1.0).delay, seconds{4});
  EXPECT_EQ(b.next_attempt() - start, milliseconds{3600});
  EXPECT_EQ(b.fail(start, 7.0).delay, seconds{8});
  EXPECT_EQ(b.next_attempt() - start, milliseconds{8800});
}

TEST(backoff, begins_again_after_success) {
  backoff b{backoff_policy{}};
  for (int i = 0; i < 6; ++i)
    b.fail(start, 0);
  b.reset();
  EXPECT_FALSE(b.is_exhausted());
  EXPECT_EQ(b.fail(start, 0).delay, seconds{2});
}

TEST(backoff, bears_odd_settings) {
  backoff_policy odd;
  odd.attempts = 0;
  odd.delay = seconds{90};
  backoff b{odd};
  const auto failure = b.fail(start, 0);
  EXPECT_TRUE(failure.is_last);
  EXPECT_EQ(failure.delay, odd.delay_max);
  backoff_policy many;
  many.attempts = 100000;
  backoff c{many};
  for (int i = 0; i < 1000; ++i)
    c.fail(start, 0);
  EXPECT_EQ(c.fail(start, 0).delay, many.delay_max);
}

class judge : public testing::Test {
 protected:
  health_judge::verdict fail(milliseconds at, double spread = 0) {
    return judge_.connect_failed("connection refused", start + at, spread);
  }
  health_judge judge_{server_role::replica, config::settings{}};
};

TEST_F(judge, connects_at_once_and_says_so) {
  EXPECT_EQ(judge_.next().what, action::connect);
  EXPECT_LE(judge_.next().when, start);
  const auto v = judge_.connected(true, start);
  EXPECT_EQ(v.health, server_health::up);
  EXPECT_THAT(messages(v), ElementsAre("Database connection established"));
  EXPECT_EQ(v.lines[0].level, log_level::info);
  EXPECT_EQ(judge_.next().what, action::probe);
  EXPECT_EQ(judge_.next().when, start + seconds{1});
}

TEST_F(judge, counts_attempts_to_failed_and_back) {
  auto now = milliseconds{0};
  const std::vector<std::string> delays{"2s", "4s", "8s", "16s", "32s"};
  for (int n = 1; n <= 5; ++n) {
    const auto v = fail(now);
    EXPECT_EQ(v.health, n < 5 ? server_health::retrying : server_health::failed);
    EXPECT_EQ(messages(v)[0], "Connection attempt " + std::to_string(n) +
                                  " failed: connection refused. Retrying in " +
                                  delays[static_cast<std::size_t>(n - 1)]);
    EXPECT_EQ(v.lines[0].level, log_level::warn);
    EXPECT_EQ(v.lines.size(), n < 5 ? 1U : 2U);
    if (n == 5) {
      EXPECT_EQ(v.lines[1].message, "Failed to establish connection after 5 attempts");
      EXPECT_EQ(v.lines[1].level, log_level::error);
    }
    EXPECT_EQ(judge_.next().what, action::connect);
    EXPECT_EQ(judge_.next().when, start + now + milliseconds{2000 << (n - 1)});
    now = std::chrono::duration_cast<milliseconds>(judge_.next().when - start);
  }
  const auto sixth = fail(now);
  EXPECT_EQ(sixth.health, server_health::failed);
  EXPECT_THAT(messages(sixth),
              ElementsAre("Connection attempt 6 failed: connection refused. Retrying in 60s"));
  EXPECT_EQ(judge_.next().when, start + now + seconds{60});
  EXPECT_THAT(messages(judge_.connected(true, start + now)), ElementsAre("Database connection established"));
  judge_.probe_failed("server closed the connection", start + now);
  EXPECT_THAT(messages(fail(now))[0], testing::StartsWith("Connection attempt 1 failed"));
}

TEST_F(judge, a_fraction_of_a_second_is_said_as_such) {
  config::settings s;
  s.reconnect_delay = milliseconds{250};
  health_judge quick{server_role::primary, s};
  EXPECT_THAT(messages(quick.connect_failed("timeout expired", start, 0)),
              ElementsAre("Connection attempt 1 failed: timeout expired. Retrying in 0.25s"));
}

TEST_F(judge, wanted_hastens_at_most_once_a_second_and_costs_no_attempt) {
  fail(milliseconds{0});
  fail(seconds{2});  // due at 6 s
  judge_.hear({.wanted = true}, start + milliseconds{2300});
  EXPECT_EQ(judge_.next().when, start + seconds{3});
  const auto v = fail(milliseconds{3001});
  EXPECT_EQ(v.health, server_health::retrying);
  ASSERT_EQ(v.lines.size(), 1U);
  EXPECT_EQ(v.lines[0].level, log_level::debug);
  EXPECT_EQ(judge_.next().when, start + seconds{6}) << "the promised time stands";
  judge_.hear({.wanted = true}, start + milliseconds{5500});
  EXPECT_EQ(judge_.next().when, start + milliseconds{5500});
  fail(milliseconds{5500});
  EXPECT_THAT(messages(fail(seconds{6})),
              ElementsAre("Connection attempt 3 failed: connection refused. Retrying in 8s"));
}

TEST_F(judge, wanted_hastens_a_failed_server_too) {
  for (int i = 0; i < 5; ++i)
    fail(std::chrono::duration_cast<milliseconds>(judge_.next().when - start));
  const auto last = judge_.next().when - seconds{32};
  judge_.hear({.wanted = true}, last + seconds{5});
  EXPECT_EQ(judge_.next().when, last + seconds{5});
  const auto v = judge_.connect_failed("connection refused", last + seconds{5}, 0);
  EXPECT_EQ(v.health, server_health::failed);
  judge_.hear({.wanted = true}, last + seconds{5});
  EXPECT_EQ(judge_.next().when, last + seconds{6});
}

TEST_F(judge, a_report_is_checked_at_once_on_the_open_connection) {
  judge_.connected(true, start);
  const auto now = start + milliseconds{200};
  judge_.hear({.failure_reported = true}, now);
  EXPECT_EQ(judge_.next().what, action::probe);
  EXPECT_EQ(judge_.next().when, now);
  const auto v = judge_.probed(true, now);
  EXPECT_EQ(v.health, server_health::up);
  EXPECT_TRUE(v.lines.empty());
}

TEST_F(judge, repeated_reports_are_checked_by_a_new_login) {
  judge_.connected(true, start);
  judge_.hear({.failure_reported = true}, start + seconds{10});
  judge_.probed(true, start + seconds{10});
  const auto again = start + milliseconds{10100};
  judge_.hear({.failure_reported = true}, again);
  EXPECT_FALSE(judge_.is_connected());
  EXPECT_EQ(judge_.next().what, action::connect);
  EXPECT_EQ(judge_.next().when, again);
  EXPECT_TRUE(judge_.connected(true, again).lines.empty()) << "nothing was lost, nothing to tell";
  judge_.hear({.failure_reported = true}, again + seconds{5});
  EXPECT_TRUE(judge_.is_connected());
}

TEST_F(judge, reports_do_not_disturb_a_schedule) {
  fail(milliseconds{0});
  judge_.hear({.failure_reported = true}, start + milliseconds{100});
  EXPECT_EQ(judge_.next().when, start + seconds{2});
}

TEST_F(judge, a_lost_connection_is_tried_again_at_once) {
  judge_.connected(true, start);
  judge_.hear({.socket_stirred = true}, start + milliseconds{500});
  EXPECT_EQ(judge_.next().when, start + milliseconds{500});
  const auto v = judge_.probe_failed("server closed the connection unexpectedly", start + milliseconds{500});
  EXPECT_EQ(v.health, server_health::retrying);
  EXPECT_THAT(messages(v), ElementsAre("Database connection lost"));
  EXPECT_EQ(judge_.next().what, action::connect);
  EXPECT_EQ(judge_.next().when, start + milliseconds{500});
}

TEST_F(judge, a_wrong_role_is_said_once_until_it_is_right_again) {
  const auto first = judge_.connected(false, start);
  EXPECT_TRUE(first.is_role_mismatch);
  EXPECT_EQ(first.health, server_health::up);
  ASSERT_EQ(first.lines.size(), 2U);
  EXPECT_EQ(first.lines[1].level, log_level::warn);
  EXPECT_TRUE(judge_.probed(false, start).lines.empty());
  EXPECT_TRUE(judge_.probed(true, start).lines.empty());
  EXPECT_TRUE(judge_.probed(false, start).is_role_mismatch);
}

TEST_F(judge, a_claimed_role_is_held_against_what_is_found) {
  judge_.hold_to(config::claimed_role::replica);
  EXPECT_FALSE(judge_.connected(true, start).is_role_mismatch);
  judge_.expect(server_role::primary);  // it was promoted, and is used as what it is
  const auto v = judge_.probed(false, start);
  EXPECT_TRUE(v.is_role_mismatch);
  EXPECT_THAT(messages(v), ElementsAre(testing::HasSubstr("pgsteer_role=replica is a primary")));
  EXPECT_TRUE(judge_.probed(false, start).lines.empty());
  judge_.hold_to(config::claimed_role::automatic);
  EXPECT_TRUE(judge_.probed(false, start).lines.empty());
}

TEST(judge_of_a_primary, in_recovery_is_a_wrong_role) {
  health_judge j{server_role::primary, config::settings{}};
  const auto v = j.connected(true, start);
  EXPECT_TRUE(v.is_role_mismatch);
  EXPECT_THAT(v.lines[1].message, testing::HasSubstr("primary is in recovery"));
}

TEST_F(judge, a_hint_of_a_promotion_is_checked_at_once) {
  judge_.connected(true, start);
  judge_.hear({.promotion_hinted = true}, start + milliseconds{300});
  EXPECT_EQ(judge_.next().when, start + milliseconds{300});
}

TEST_F(judge, haste_probes_every_100_ms_for_some_seconds) {
  judge_.connected(true, start);
  judge_.hear({.hastened = true}, start + milliseconds{10});
  EXPECT_EQ(judge_.next().when, start + milliseconds{110});
  judge_.probed(true, start + milliseconds{110});
  EXPECT_EQ(judge_.next().when, start + milliseconds{210});
  judge_.hear({.hastened = true}, start + milliseconds{120});
  EXPECT_EQ(judge_.next().when, start + milliseconds{210}) << "asking again does not put it off";
  judge_.probed(true, start + milliseconds{5130});
  EXPECT_EQ(judge_.next().when, start + milliseconds{6130}) << "it is over";
}

TEST_F(judge, haste_never_slows_a_quicker_interval) {
  config::settings s;
  s.health_interval = milliseconds{20};
  health_judge quick{server_role::replica, s};
  quick.hear({.hastened = true}, start);
  quick.connected(true, start);
  EXPECT_EQ(quick.next().when, start + milliseconds{20});
}

TEST_F(judge, answers_are_held_against_the_role_that_was_found) {
  EXPECT_TRUE(judge_.connected(false, start).is_role_mismatch);
  judge_.expect(server_role::primary);
  EXPECT_FALSE(judge_.probed(false, start).is_role_mismatch);
  EXPECT_TRUE(judge_.probed(true, start).is_role_mismatch);
}

TEST_F(judge, other_settings_count_from_the_next_step) {
  judge_.connected(true, start);
  config::settings s;
  s.health_interval = seconds{5};
  s.reconnect_delay = seconds{1};
  judge_.adopt(s);
  EXPECT_EQ(judge_.next().when, start + seconds{1});
  judge_.probed(true, start);
  EXPECT_EQ(judge_.next().when, start + seconds{5});
  judge_.probe_failed("x", start);
  fail(milliseconds{0});
  EXPECT_EQ(judge_.next().when, start + seconds{1});
}

}  // namespace
}  // namespace pgsteer::proxy
