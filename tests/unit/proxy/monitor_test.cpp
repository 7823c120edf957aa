#include "proxy/control/monitor.hpp"

#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/control/control_connection.hpp"
#include "scripted_server.hpp"

namespace pgsteer::proxy {
namespace {

TEST(monitor, finds_a_server_up_and_probes_it) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  EXPECT_TRUE(s->in_recovery);
  const int before = peer.queries;
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 3; }));
  EXPECT_EQ(peer.logins, 1);
  peer.in_recovery = false;
  EXPECT_TRUE(eventually([&] { return s->counters.role_mismatches == 1 && !s->in_recovery; }));
}

TEST(monitor, a_refusing_server_is_retried_and_then_failed) {
  loopback closed;
  const auto s = replica_of(url_of(closed));
  health_record record;
  const monitor m{s, quick(), record.listener()};
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::failed));
  EXPECT_GE(s->counters.connect_failures, 5U);
  EXPECT_GT(s->control_lost(), std::chrono::steady_clock::time_point{}) << "who stops it is not there either";
  EXPECT_EQ(s->counters.losses, 1U);
  EXPECT_EQ(s->last_error(), "connection refused");
  closed.listen();  // comes alive, and hangs
  EXPECT_TRUE(eventually([&] { return s->last_error() == "timeout expired"; }));
}

TEST(monitor, a_hung_server_is_noticed_and_taken_back) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  peer.is_silent = true;
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  peer.is_silent = false;
  EXPECT_TRUE(record.wait_for(server_health::up));
}

TEST(monitor, a_connection_that_ends_is_noticed_without_waiting_for_the_probe) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto slow = quick();
  slow.health_interval = std::chrono::hours{1};
  const monitor m{s, slow, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  peer.hang_up();
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 2);
}

TEST(monitor, a_report_is_checked_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto slow = quick();
  slow.health_interval = std::chrono::hours{1};
  const monitor m{s, slow, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  s->report_failure();
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 1);
  s->report_failure();
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 2) << "the second complaint in a second is checked by a login";
}

TEST(monitor, wanting_a_failed_server_tries_it_now) {
  loopback closed;
  const auto s = replica_of(url_of(closed));
  health_record record;
  auto settings = quick();
  settings.reconnect_attempts = 1;
  settings.reconnect_delay = settings.reconnect_delay_max = std::chrono::hours{1};
  const monitor m{s, settings, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::failed));
  EXPECT_EQ(s->counters.connect_failures, 1U);
  const auto begin = steady_clock::now();
  s->want();
  EXPECT_TRUE(eventually([&] { return s->counters.connect_failures == 2; }));
  EXPECT_GE(steady_clock::now() - begin, milliseconds{800}) << "at most once a second";
}

TEST(monitor, reports_before_its_server_is_up_and_after_a_hint) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  std::mutex mutex;
  std::vector<server_report> reports;
  std::vector<server_health> healths;
  const monitor m{s, patient(), nullptr, [&](const server& from, const server_report& r) {
                    const std::lock_guard lock{mutex};
                    reports.push_back(r);
                    healths.push_back(from.health());
                  }};
  const auto count = [&] {
    const std::lock_guard lock{mutex};
    return reports.size();
  };
  ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
  EXPECT_EQ(count(), 1U);
  peer.in_recovery = false;
  s->hint_promoted();
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  EXPECT_EQ(healths[0], server_health::unknown);
  EXPECT_TRUE(reports[0].in_recovery);
  EXPECT_FALSE(reports[1].in_recovery);
  EXPECT_EQ(reports[1].timeline, 2U);
}

TEST(monitor, other_settings_are_adopted_while_it_runs) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto settings = quick();
  settings.health_interval = milliseconds{500};
  monitor m{s, settings, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  m.adopt(quick());
  const int before = peer.queries;
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 10; }));
}

TEST(monitor, ends_at_once_while_its_server_hangs) {
  const loopback hanging;
  hanging.listen();
  auto settings = quick();
  settings.connect_timeout = std::chrono::hours{1};
  const auto s = replica_of(url_of(hanging));
  const auto begin = steady_clock::now();
  { const monitor m{s, settings, nullptr}; }
  EXPECT_LT(steady_clock::now() - begin, seconds{10});
  s->report_failure();  // nobody listens any more, nothing breaks
  s->want();
}

TEST(monitor, many_workers_may_report_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          s->report_failure();
          s->want();
          std::this_thread::yield();
        }
      });
    }
  }
  EXPECT_TRUE(eventually([&] { return s->health() == server_health::up && !s->failure_reported; }));
}

}  // namespace
}  // namespace pgsteer::proxy
