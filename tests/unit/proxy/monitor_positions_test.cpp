// What a monitor tells of WAL positions: with its probes, and when asked.
#include <future>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "proxy/control/control_connection.hpp"
#include "proxy/control/monitor.hpp"
#include "scripted_server.hpp"

namespace pgsteer::proxy {
namespace {

// Requests one and waits for it.
std::uint64_t sample(server& s) {
  const auto answer = std::make_shared<std::promise<std::uint64_t>>();
  s.request_sample(1, [answer](std::uint64_t, std::uint64_t lsn) { answer->set_value(lsn); });
  auto f = answer->get_future();
  return f.wait_for(seconds{20}) == std::future_status::ready ? f.get() : ~std::uint64_t{0};
}

TEST(monitor_positions, a_replicas_position_comes_with_each_probe_and_goes_with_its_connection) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, quick(), nullptr};
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  EXPECT_EQ(s->timeline, 1U);
  peer.lsn = 0x200;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x200; }));
  peer.is_silent = true;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0; }));
  peer.lsn = 0x150;
  peer.is_silent = false;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x150; })) << "it came back behind";
}

TEST(monitor_positions, a_role_that_may_not_read_the_control_file_still_has_positions) {
  scripted_server peer;
  peer.is_restricted = true;
  const auto s = replica_of(peer.url());
  const monitor m{s, quick(), nullptr};
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  EXPECT_EQ(peer.logins, 1);
}

TEST(monitor_positions, a_watched_replica_is_asked_until_it_is_there) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  const int before = peer.queries;
  s->watch(0x300);
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 5; }));
  peer.lsn = 0x300;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x300 && s->watched_lsn() == 0; }));
  const int after = peer.queries;
  std::this_thread::sleep_for(milliseconds{120});
  EXPECT_EQ(peer.queries, after) << "nobody waits any more";
}

TEST(monitor_positions, a_watched_replica_that_is_promoted_is_known_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  s->watch(0x300);
  peer.in_recovery = false;
  EXPECT_TRUE(eventually([&] { return !s->in_recovery && s->timeline == 2U; }));
  EXPECT_EQ(s->replayed_lsn, 0U);
}

TEST(monitor_samples, a_stop_while_one_is_under_way_and_a_probe_is_due_asks_no_more) {
  scripted_server peer;
  peer.in_recovery = false;
  auto settings = quick();
  settings.health_interval = milliseconds{1};
  const auto s = std::make_shared<server>(peer.url(), server_role::primary, 1);
  {
    const monitor m{s, settings, nullptr};
    ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
    peer.is_holding_samples = true;
    EXPECT_TRUE(eventually([&] {  // refused while a slow machine has lost the connection
      s->request_sample(1, [](std::uint64_t, std::uint64_t) {});
      return peer.samples > 0;
    }));
    std::this_thread::sleep_for(milliseconds{5});  // the next probe is due
  }
  peer.is_holding_samples = false;
}

TEST(monitor_samples, those_made_while_one_is_under_way_share_the_next) {
  scripted_server peer;
  peer.in_recovery = false;
  const auto s = std::make_shared<server>(peer.url(), server_role::primary, 1);
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
  EXPECT_EQ(peer.samples, 0) << "a quiet system sends none";
  EXPECT_EQ(s->timeline, 2U);
  peer.is_holding_samples = true;
  std::atomic<int> answered{0};
  const auto count = [&](std::uint64_t, std::uint64_t lsn) { answered += lsn == 0x100 ? 1 : 100; };
  s->request_sample(1, count);
  ASSERT_TRUE(eventually([&] { return peer.samples == 1; }));
  for (std::uint64_t seq = 2; seq <= 10; ++seq)
    s->request_sample(seq, count);
  peer.is_holding_samples = false;
  EXPECT_TRUE(eventually([&] { return answered == 10; }));
  EXPECT_EQ(peer.samples, 2) << "one for the first, one for all that came after it was sent";
}

TEST(monitor_samples, there_is_none_of_a_standby_or_of_a_server_that_is_gone) {
  scripted_server peer;
  auto s = replica_of(peer.url());
  {
    auto settings = patient();
    settings.health_interval = seconds{2};
    const monitor m{s, settings, nullptr};
    ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
    EXPECT_EQ(sample(*s), 0U);
    EXPECT_EQ(peer.logins, 1);
    peer.is_silent = true;
    EXPECT_EQ(sample(*s), 0U) << "when the query has timed out";
    EXPECT_NE(s->health(), server_health::failed);
  }
  EXPECT_EQ(sample(*s), 0U) << "nobody watches it";
}

}  // namespace
}  // namespace pgsteer::proxy
