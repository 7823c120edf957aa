#include "proxy/control/replay_pacer.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const replay_pacer::time_point start{seconds{1000}};

TEST(replay_pacer, asks_nothing_where_nobody_waits) {
  replay_pacer p;
  EXPECT_FALSE(p.next());
  p.observe(100, start);
  EXPECT_FALSE(p.next());
  EXPECT_FALSE(p.gave_up(start + seconds{100}));
}

TEST(replay_pacer, asks_at_once_and_stops_when_covered) {
  replay_pacer p;
  p.want(1000, start);
  EXPECT_EQ(p.next(), start);
  p.observe(999, start);
  EXPECT_EQ(p.next(), start + milliseconds{2});
  p.observe(1000, start + milliseconds{2});
  EXPECT_FALSE(p.next());
  EXPECT_EQ(p.floor(), 0U);
}

TEST(replay_pacer, follows_the_replicas_pace) {
  replay_pacer p;
  p.want(42'000, start);
  p.observe(1000, start);
  p.observe(2000, start + milliseconds{2});  // 500 a millisecond, 80 milliseconds to go
  EXPECT_EQ(p.next(), start + milliseconds{12});
  p.observe(41'900, start + milliseconds{18});
  EXPECT_EQ(p.next(), start + milliseconds{20}) << "never more often than every 2 ms";
}

TEST(replay_pacer, backs_off_from_one_that_stands_still_or_is_far_behind) {
  replay_pacer p;
  p.want(1'000'000, start);
  for (const auto& [passed, expected] :
       {std::pair{0, 2}, {2, 2}, {20, 2}, {80, 10}, {320, 40}, {400, 50}, {2000, 50}}) {
    p.observe(5, start + milliseconds{passed});
    EXPECT_EQ(p.next(), start + milliseconds{passed + expected});
  }
  p.observe(6, start + milliseconds{2001});
  EXPECT_EQ(p.next(), start + milliseconds{2051});
}

TEST(replay_pacer, a_higher_floor_counts_and_a_lower_one_does_not) {
  replay_pacer p;
  p.want(1000, start);
  p.want(500, start);
  EXPECT_EQ(p.floor(), 1000U);
  p.observe(400, start);
  p.want(2000, start + milliseconds{1});
  EXPECT_EQ(p.next(), start + milliseconds{2}) << "somebody new does not ask more often";
  p.observe(1500, start + milliseconds{2});
  EXPECT_EQ(p.floor(), 2000U);
}

TEST(replay_pacer, loses_patience_once_and_begins_again_when_asked) {
  replay_pacer p;
  p.want(1000, start);
  p.observe(1, start);
  EXPECT_FALSE(p.gave_up(start + milliseconds{4999}));
  EXPECT_TRUE(p.gave_up(start + seconds{5}));
  EXPECT_FALSE(p.gave_up(start + seconds{5}));
  EXPECT_FALSE(p.next());
  p.want(1000, start + seconds{6});
  EXPECT_EQ(p.next(), start + seconds{6});
}

}  // namespace
}  // namespace pgsteer::proxy
