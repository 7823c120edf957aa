#include "proxy/control/topology_judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using contact = member_state::contact;
using enum server_place;
using testing::ElementsAre;

constexpr std::uint64_t our_system = 77;

member_state with(bool in_recovery, std::uint32_t timeline, contact is = contact::connected) {
  server_report r;
  r.in_recovery = in_recovery;
  r.timeline = timeline;
  r.system_identifier = our_system;
  return {is, r, false};
}
member_state standby(std::uint32_t timeline, contact is = contact::connected) {
  return with(true, timeline, is);
}
member_state writable(std::uint32_t timeline, contact is = contact::connected) {
  return with(false, timeline, is);
}
member_state of_system(std::uint64_t system, member_state m) {
  m.report->system_identifier = system;
  return m;
}

judged_topology judge(std::vector<member_state> members, std::size_t current = 0) {
  members[0].is_configured_primary = true;
  return judge_topology(members, current);
}

TEST(topology_judge, believes_the_configuration_of_servers_never_heard_of) {
  EXPECT_THAT(judge({{}, {}, {}}).places, ElementsAre(primary, replica, replica));
  EXPECT_THAT(judge({{contact::lost, {}, false}, {}}).places, ElementsAre(primary, replica));
}

TEST(topology_judge, all_is_as_configured) {
  EXPECT_THAT(judge({writable(1), standby(1), standby(1)}).places, ElementsAre(primary, replica, replica));
}

TEST(topology_judge, a_lost_primary_stays_until_another_is_promoted) {
  EXPECT_THAT(judge({writable(1, contact::lost), standby(1)}).places, ElementsAre(primary, replica));
  EXPECT_THAT(judge({writable(1, contact::lost), writable(2), standby(1)}).places,
              ElementsAre(silent, primary, replica));
}

TEST(topology_judge, a_promoted_server_that_is_lost_itself_is_nobodys_primary) {
  EXPECT_EQ(judge({writable(1, contact::lost), writable(2, contact::lost)}).primary, 0U);
}

TEST(topology_judge, the_higher_timeline_wins_and_the_other_is_fenced) {
  EXPECT_THAT(judge({writable(1), writable(2)}).places, ElementsAre(outranked, primary));
  EXPECT_THAT(judge({writable(2), writable(1)}, 0).places, ElementsAre(primary, outranked));
  EXPECT_THAT(judge({writable(2), writable(1)}, 1).places, ElementsAre(primary, outranked));
  EXPECT_THAT(judge({writable(1, contact::lost), writable(2), writable(3)}).places,
              ElementsAre(silent, outranked, primary));
}

TEST(topology_judge, between_equal_timelines_the_one_in_force_stays) {
  EXPECT_THAT(judge({writable(1), writable(1)}).places, ElementsAre(primary, outranked));
  EXPECT_THAT(judge({writable(2), writable(2)}, 1).places, ElementsAre(outranked, primary));
  EXPECT_EQ(judge({writable(0), writable(5)}).primary, 0U) << "an unknown timeline proves nothing";
}

TEST(topology_judge, one_server_configured_twice_is_a_twin_of_itself) {
  auto one = writable(1);
  one.report->started_at = "2026-01-31 12:00:00.123456+00";
  EXPECT_THAT(judge({one, one}).places, ElementsAre(primary, twin));
  auto gone = one;
  gone.is = contact::lost;
  EXPECT_THAT(judge({one, gone}).places, ElementsAre(primary, silent));
  EXPECT_THAT(judge({gone, one}).places, ElementsAre(silent, primary)) << "reached by the name that is left";
}

TEST(topology_judge, a_primary_never_heard_of_yields_to_one_that_a_standby_vouches_for) {
  const member_state silent_one{contact::lost, {}, true};
  EXPECT_EQ(judge({silent_one, writable(1)}).primary, 0U) << "it may be any server";
  EXPECT_EQ(judge({silent_one, writable(1), standby(1)}).primary, 1U);
  EXPECT_EQ(judge({silent_one, writable(1), of_system(78, standby(1))}).primary, 0U);
  EXPECT_EQ(judge({silent_one, writable(1), standby(1, contact::lost)}).primary, 0U);
  EXPECT_EQ(judge({silent_one, of_system(0, writable(1)), of_system(0, standby(1))}).primary, 0U);
}

TEST(topology_judge, an_old_primary_that_comes_back_as_a_standby_is_a_replica) {
  EXPECT_THAT(judge({standby(2), writable(2)}, 1).places, ElementsAre(replica, primary));
}

TEST(topology_judge, a_primary_in_recovery_yields_to_whoever_is_not) {
  EXPECT_THAT(judge({standby(1), writable(1)}).places, ElementsAre(replica, primary));
  EXPECT_THAT(judge({standby(1), standby(1)}).places, ElementsAre(primary, replica))
      << "nobody better: the warning is the monitor's";
}

TEST(topology_judge, a_zombie_does_not_replace_a_primary_that_became_a_standby) {
  EXPECT_THAT(judge({standby(3), writable(2)}).places, ElementsAre(primary, outranked));
}

TEST(topology_judge, nobody_is_accused_before_the_primary_has_spoken) {
  EXPECT_THAT(judge({{}, writable(1)}).places, ElementsAre(primary, silent));
}

TEST(topology_judge, of_a_primary_never_heard_of_only_a_promotion_counts) {
  EXPECT_EQ(judge({{contact::lost, {}, false}, writable(1)}).primary, 0U);
  EXPECT_THAT(judge({{contact::lost, {}, false}, writable(2)}).places, ElementsAre(silent, primary));
  EXPECT_EQ(judge({{}, writable(2)}).primary, 0U) << "not tried yet";
}

TEST(topology_judge, another_system_is_refused_whatever_it_says) {
  EXPECT_THAT(judge({writable(1), of_system(5, standby(1))}).places, ElementsAre(primary, foreign));
  EXPECT_THAT(judge({writable(1, contact::lost), of_system(5, writable(9))}).places,
              ElementsAre(primary, foreign));
  EXPECT_THAT(judge({standby(1), of_system(5, writable(9))}).places, ElementsAre(primary, foreign));
}

TEST(topology_judge, systems_that_are_not_told_are_not_compared) {
  EXPECT_THAT(judge({of_system(0, writable(1)), of_system(5, standby(1))}).places,
              ElementsAre(primary, replica));
  EXPECT_THAT(judge({writable(1, contact::lost), of_system(0, writable(2))}).places,
              ElementsAre(silent, primary));
}

}  // namespace
}  // namespace pgsteer::proxy
