#include "proxy/control/server.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/metrics.hpp"

namespace pgsteer::proxy {
namespace {

config::server_url url() {
  return {"host=db1", "db1:5432", "app", "", "app"};
}

TEST(server, a_reported_failure_makes_it_unusable_and_pokes_once) {
  server s{url(), server_role::replica, 1};
  int pokes = 0;
  s.on_poke([&] { ++pokes; });
  s.set_health(server_health::up);
  s.report_failure();
  s.report_failure();
  EXPECT_EQ(s.health(), server_health::retrying);
  EXPECT_FALSE(s.is_usable());
  EXPECT_EQ(pokes, 1);
  EXPECT_EQ(s.counters.losses, 1U);
  s.failure_reported = false;  // the monitor has heard
  s.report_failure();
  EXPECT_EQ(pokes, 2);
  EXPECT_EQ(s.counters.losses, 1U);
}

TEST(server, samples_are_refused_at_once_until_somebody_can_ask) {
  server s{url(), server_role::primary, 1};
  std::vector<std::uint64_t> answers;
  const auto note = [&](std::uint64_t seq, std::uint64_t lsn) { answers.insert(answers.end(), {seq, lsn}); };
  s.request_sample(7, note);
  EXPECT_EQ(answers, (std::vector<std::uint64_t>{7, 0}));
  int pokes = 0;
  s.on_poke([&] { ++pokes; });
  s.samples.open();
  s.request_sample(8, note);
  s.request_sample(9, note);
  EXPECT_EQ(pokes, 1) << "one query serves both";
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_EQ(s.samples.take().size(), 2U);
  s.request_sample(10, note);
  EXPECT_EQ(pokes, 2);
  EXPECT_EQ(s.samples.close().size(), 1U);
  s.request_sample(11, note);
  EXPECT_EQ(answers, (std::vector<std::uint64_t>{7, 0, 11, 0}));
}

TEST(server, samples_are_bounded) {
  server s{url(), server_role::primary, 1};
  s.samples.open();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < sample_queue::most + 3; ++i)
    s.request_sample(i, [&](std::uint64_t, std::uint64_t lsn) { refused += lsn == 0 ? 1 : 0; });
  EXPECT_EQ(refused, 3U);
}

TEST(server, a_watch_pokes_only_where_it_asks_for_more) {
  server s{url(), server_role::replica, 1};
  int pokes = 0;
  s.on_poke([&] { ++pokes; });
  s.publish_replayed(s.replay_epoch(), 100, 1);
  s.watch(100);
  EXPECT_EQ(pokes, 0) << "covered";
  s.watch(200);
  s.watch(150);
  s.watch(200);
  EXPECT_EQ(pokes, 1);
  s.watch(300);
  EXPECT_EQ(pokes, 2);
  s.end_watch(200);
  EXPECT_EQ(s.watched_lsn(), 300U) << "a higher one came meanwhile";
  s.end_watch(300);
  s.watch(200);
  EXPECT_EQ(pokes, 3);
}

TEST(server, a_position_asked_for_before_a_break_is_not_believed_after_it) {
  server s{url(), server_role::replica, 1};
  const auto before = s.replay_epoch();
  s.publish_replayed(before, 100, 1);
  EXPECT_EQ(s.replayed_lsn, 100U);
  s.report_failure();
  EXPECT_EQ(s.replayed_lsn, 0U);
  s.publish_replayed(before, 110, 1);
  EXPECT_EQ(s.replayed_lsn, 0U);
  s.publish_replayed(s.replay_epoch(), 90, 1);
  EXPECT_EQ(s.replayed_lsn, 90U) << "the standby came back behind";
  s.report_failure();
  EXPECT_EQ(s.replayed_lsn, 0U) << "each report counts, heard or not";
}

TEST(server, positions_on_another_timeline_do_not_count) {
  server s{url(), server_role::replica, 1};
  s.publish_replayed(s.replay_epoch(), 100, 1);
  const auto before = s.replay_epoch();
  s.follow_timeline(2);
  EXPECT_EQ(s.replayed_lsn, 0U);
  s.publish_replayed(before, 200, 2);
  EXPECT_EQ(s.replayed_lsn, 0U);
  s.publish_replayed(s.replay_epoch(), 200, 1);
  EXPECT_EQ(s.replayed_lsn, 0U);
  s.publish_replayed(s.replay_epoch(), 200, 2);
  EXPECT_EQ(s.replayed_lsn, 200U);
  s.follow_timeline(2);
  EXPECT_EQ(s.replayed_lsn, 200U);
}

TEST(server, a_reported_failure_does_not_revive_a_failed_one) {
  server s{url(), server_role::replica, 1};
  s.set_health(server_health::failed);
  s.report_failure();
  EXPECT_EQ(s.health(), server_health::failed);
}

TEST(server, want_pokes_once_until_heard) {
  server s{url(), server_role::replica, 1};
  int pokes = 0;
  s.on_poke([&] { ++pokes; });
  s.want();
  s.want();
  EXPECT_EQ(pokes, 1);
  s.wanted = false;
  s.want();
  EXPECT_EQ(pokes, 2);
}

TEST(server, works_without_a_monitor) {
  server s{url(), server_role::primary, 1};
  s.report_failure();
  s.want();
  EXPECT_EQ(s.health(), server_health::retrying);
}

TEST(server, change_health_keeps_a_report_that_came_between) {
  server s{url(), server_role::primary, 1};
  EXPECT_TRUE(s.change_health(server_health::unknown, server_health::up));
  s.report_failure();
  EXPECT_FALSE(s.change_health(server_health::up, server_health::failed));
  EXPECT_EQ(s.health(), server_health::retrying);
}

TEST(server, keeps_its_last_error) {
  server s{url(), server_role::primary, 1};
  EXPECT_EQ(s.last_error(), "");
  s.set_last_error("connection refused");
  EXPECT_EQ(s.last_error(), "connection refused");
}

TEST(metrics, each_reason_has_a_label_of_its_own) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(route_reason::count_); ++i) {
    const auto label = to_string(static_cast<route_reason>(i));
    EXPECT_NE(label, "other");
    EXPECT_TRUE(labels.insert(label).second) << label;
  }
}

TEST(topology, has_a_primary_while_one_takes_writes) {
  const auto make = [](server_role role) {
    static int ids = 100;
    return std::make_shared<server>(config::server_url{}, role, ++ids);
  };
  topology t;
  t.primary = make(server_role::primary);
  EXPECT_TRUE(t.has_primary());  // not asked yet
  t.primary->in_recovery = true;
  EXPECT_TRUE(t.has_primary()) << "a lone server is asked whatever it is";
  t.replicas.push_back(make(server_role::replica));
  EXPECT_FALSE(t.has_primary());
  t.primary->in_recovery = false;
  EXPECT_TRUE(t.has_primary());
  t.primary->set_health(server_health::retrying);
  EXPECT_FALSE(t.has_primary());
}

TEST(metrics, histogram_buckets_are_powers_of_two) {
  histogram h;
  for (const std::uint64_t us : {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, ~0ULL})
    h.observe(us);
  EXPECT_EQ(h.count(0), 1U);
  EXPECT_EQ(h.count(1), 1U);
  EXPECT_EQ(h.count(2), 2U);
  EXPECT_EQ(h.count(3), 1U);
  EXPECT_EQ(h.count(histogram::buckets - 1), 1U);
}

}  // namespace
}  // namespace pgsteer::proxy
