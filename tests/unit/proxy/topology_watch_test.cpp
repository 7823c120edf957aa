#include "proxy/control/topology_watch.hpp"

#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

server_ref make(const std::string& name, server_role role, int id) {
  return std::make_shared<server>(config::server_url{"host=" + name, name, "app", "", "app"}, role, id);
}

server_report report(bool in_recovery, std::uint32_t timeline, std::uint64_t system = 77) {
  server_report r;
  r.in_recovery = in_recovery;
  r.timeline = timeline;
  r.system_identifier = system;
  return r;
}

class watching : public testing::Test {
 protected:
  void SetUp() override { watch_.adopt(a_, {b_, c_}); }

  void hear(const server_ref& s, const server_report& r) {
    watch_.hear(*s, r);
    if (s->health() == server_health::up) return;
    s->set_health(server_health::up);
    watch_.health_changed(*s);
  }
  void lose(const server_ref& s) {
    s->set_health(server_health::retrying);
    watch_.health_changed(*s);
  }
  void begin() {
    hear(a_, report(false, 1));
    hear(b_, report(true, 1));
    hear(c_, report(true, 1));
  }

  server_ref a_ = make("a", server_role::primary, 1);
  server_ref b_ = make("b", server_role::replica, 2);
  server_ref c_ = make("c", server_role::replica, 3);
  std::vector<topology_ref> told_;
  std::vector<server_ref> moved_;
  topology_watch watch_{[this](topology_ref t, const std::vector<server_ref>& moved) {
    told_.push_back(std::move(t));
    moved_ = moved;
  }};
};

TEST_F(watching, is_quiet_while_all_is_as_configured) {
  begin();
  lose(b_);
  hear(b_, report(true, 1));
  ASSERT_EQ(told_.size(), 2U) << "the configuration itself, and the timeline";
  EXPECT_EQ(told_[0]->primary, a_);
  EXPECT_THAT(told_[0]->replicas, ElementsAre(b_, c_));
  EXPECT_THAT(told_[0]->excluded, IsEmpty());
}

TEST_F(watching, a_promotion_moves_the_primary_and_leaves_the_old_one_aside) {
  begin();
  lose(a_);
  auto promoted = report(false, 2);
  promoted.promoted_at = 0x500;
  hear(b_, promoted);
  ASSERT_EQ(told_.size(), 3U);
  const auto& t = *told_.back();
  EXPECT_EQ(t.primary, b_);
  EXPECT_THAT(t.replicas, ElementsAre(c_));
  EXPECT_THAT(t.excluded, ElementsAre(a_));
  EXPECT_EQ(t.timeline, 2U);
  EXPECT_EQ(t.switch_lsn, 0x500U);
  EXPECT_EQ(t.failovers, 1U);
  EXPECT_THAT(moved_, ElementsAre(a_, b_));
  EXPECT_EQ(b_->role(), server_role::primary);
  EXPECT_EQ(a_->role(), server_role::replica);
}

TEST_F(watching, an_old_primary_gets_no_traffic_until_it_is_a_standby) {
  begin();
  lose(a_);
  hear(b_, report(false, 2));
  hear(a_, report(false, 1));
  EXPECT_EQ(a_->health(), server_health::up);
  EXPECT_FALSE(a_->is_usable()) << "fenced before anybody could see it up";
  lose(a_);
  hear(a_, report(true, 2));
  EXPECT_TRUE(a_->is_usable());
  EXPECT_THAT(told_.back()->replicas, ElementsAre(a_, c_));
  EXPECT_EQ(told_.back()->failovers, 1U);
}

TEST_F(watching, positions_of_another_timeline_are_forgotten_with_the_promotion) {
  begin();
  c_->publish_replayed(c_->replay_epoch(), 100, 1);
  EXPECT_EQ(c_->replayed_lsn, 100U);
  lose(a_);
  hear(b_, report(false, 2));
  EXPECT_EQ(c_->replayed_lsn, 0U);
  c_->publish_replayed(c_->replay_epoch(), 200, 1);
  EXPECT_EQ(c_->replayed_lsn, 0U);
  c_->publish_replayed(c_->replay_epoch(), 200, 2);
  EXPECT_EQ(c_->replayed_lsn, 200U);
}

TEST_F(watching, no_position_counts_before_the_primarys_timeline_is_known) {
  hear(b_, report(true, 1));
  b_->publish_replayed(b_->replay_epoch(), 100, 1);
  EXPECT_EQ(b_->replayed_lsn, 0U);
  hear(a_, report(false, 1));
  b_->publish_replayed(b_->replay_epoch(), 100, 1);
  EXPECT_EQ(b_->replayed_lsn, 100U);
}

TEST_F(watching, lag_is_told_from_the_primarys_own_positions) {
  using std::chrono::milliseconds;
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  const auto primary_at = [&](std::uint64_t lsn, milliseconds when) {
    auto r = report(false, 1);
    r.flushed_lsn = lsn;
    r.asked = start + when;
    hear(a_, r);
  };
  const auto replica_at = [&](std::uint64_t lsn, milliseconds when, milliseconds age = milliseconds{-1}) {
    auto r = report(true, 1);
    r.replayed_lsn = lsn;
    r.asked = start + when;
    r.replay_age = age;
    hear(b_, r);
  };
  const auto lag = [&](milliseconds when) { return b_->lag(start + when); };
  begin();
  EXPECT_FALSE(lag(milliseconds{0})) << "nothing is known of the primary";
  replica_at(50, milliseconds{10}, milliseconds{3000});
  primary_at(100, milliseconds{20});
  EXPECT_EQ(lag(milliseconds{20}), milliseconds{3010})
      << "older than what is known here: the servers' clocks";
  replica_at(50, milliseconds{30});
  EXPECT_EQ(lag(milliseconds{30}), milliseconds::max()) << "no clock tells";
  replica_at(100, milliseconds{1000});
  EXPECT_EQ(lag(milliseconds{9000}), milliseconds{0}) << "an idle primary";
  primary_at(100, milliseconds{9000});
  primary_at(200, milliseconds{9500});
  EXPECT_EQ(lag(milliseconds{9600}), milliseconds{600}) << "since the last time it was known to lack nothing";
  replica_at(200, milliseconds{9700});
  EXPECT_EQ(lag(milliseconds{9700}), milliseconds{0});
  auto stray = report(true, 2);
  stray.replayed_lsn = 900;
  hear(b_, stray);
  EXPECT_FALSE(lag(milliseconds{9800})) << "positions of another timeline say nothing";
}

TEST_F(watching, remembers_where_timelines_begin) {
  begin();
  lose(a_);
  auto promoted = report(false, 2, 77);
  promoted.promoted_at = 0x500;
  hear(b_, promoted);
  lose(b_);
  promoted.timeline = 3;
  promoted.promoted_at = 0x900;
  hear(c_, promoted);
  EXPECT_THAT(told_.back()->switches,
              ElementsAre(routing::timeline_switch{2, 0x500}, routing::timeline_switch{3, 0x900}));
  EXPECT_EQ(told_.back()->system, 77U);
}

TEST_F(watching, a_lost_primary_hastens_the_others) {
  begin();
  EXPECT_FALSE(b_->hastened);
  lose(a_);
  EXPECT_TRUE(b_->hastened);
  EXPECT_TRUE(c_->hastened);
  EXPECT_FALSE(a_->hastened);
  b_->hastened = false;
  watch_.hear(*c_, report(true, 1));
  EXPECT_TRUE(b_->hastened) << "each word asks for the next";
  hear(a_, report(false, 1));
  b_->hastened = false;
  watch_.hear(*c_, report(true, 1));
  EXPECT_FALSE(b_->hastened);
}

TEST_F(watching, a_foreign_server_gets_no_traffic) {
  hear(c_, report(true, 1, 5));
  EXPECT_TRUE(c_->is_usable()) << "nothing to compare with yet";
  hear(a_, report(false, 1));
  EXPECT_FALSE(c_->is_usable());
  EXPECT_THAT(told_.back()->excluded, ElementsAre(c_));
}

TEST_F(watching, a_reload_keeps_what_was_found) {
  begin();
  lose(a_);
  hear(b_, report(false, 2));
  const auto d = make("d", server_role::replica, 4);
  watch_.adopt(a_, {b_, d});
  EXPECT_EQ(told_.back()->primary, b_);
  EXPECT_THAT(told_.back()->replicas, ElementsAre(d));
  EXPECT_THAT(told_.back()->excluded, ElementsAre(a_));
  watch_.hear(*c_, report(false, 9));
  EXPECT_EQ(told_.back()->primary, b_) << "no longer configured";
}

TEST_F(watching, another_configured_primary_counts_anew) {
  begin();
  watch_.adopt(b_, {a_});
  EXPECT_EQ(told_.back()->primary, a_) << "b is a standby, whatever is configured";
  const auto d = make("d", server_role::primary, 4);
  watch_.adopt(d, {a_});
  EXPECT_EQ(told_.back()->primary, d) << "not heard of yet: the operator's word";
  hear(d, report(false, 1, 5));
  EXPECT_FALSE(a_->is_usable());
}

}  // namespace
}  // namespace pgsteer::proxy
