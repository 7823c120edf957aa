#include "proxy/control/lag_history.hpp"

#include <gtest/gtest.h>

#include "proxy/control/lag_gates.hpp"
#include "proxy/control/server.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using time_point = lag_history::time_point;
using kind = replica_gap::kind;

time_point at(int ms) {
  return time_point{std::chrono::hours{1} + milliseconds{ms}};
}

TEST(lag_history, knows_nothing_without_both_positions) {
  lag_history h;
  EXPECT_EQ(h.gap_of(100).is, kind::unknown);
  h.primary_at(100, at(0));
  EXPECT_EQ(h.gap_of(0).is, kind::unknown);
  h.primary_at(0, at(1));
  EXPECT_EQ(h.gap_of(100).is, kind::none) << "an answer without a position changes nothing";
}

TEST(lag_history, an_idle_primary_has_replicas_that_lack_nothing) {
  lag_history h;
  h.primary_at(100, at(0));
  h.primary_at(100, at(60'000));
  EXPECT_EQ(h.gap_of(100).is, kind::none);
  h.primary_at(200, at(61'000));
  EXPECT_EQ(h.gap_of(100), (replica_gap{kind::behind, at(60'000)})) << "it had all there was until then";
}

TEST(lag_history, a_replica_is_behind_since_the_last_position_it_has_reached) {
  lag_history h;
  for (int i = 1; i <= 5; ++i)
    h.primary_at(static_cast<routing::lsn>(i) * 100, at(i * 1000));
  EXPECT_EQ(h.gap_of(500).is, kind::none);
  EXPECT_EQ(h.gap_of(499), (replica_gap{kind::behind, at(4000)}));
  EXPECT_EQ(h.gap_of(300), (replica_gap{kind::behind, at(3000)}));
  EXPECT_EQ(h.gap_of(99).is, kind::ancient);
}

TEST(lag_history, begins_anew_where_positions_go_back) {
  lag_history h;
  h.primary_at(500, at(0));
  h.primary_at(300, at(1000));
  EXPECT_EQ(h.gap_of(300).is, kind::none);
}

TEST(lag_history, stays_small_and_never_says_less_than_there_is) {
  lag_history h;
  constexpr int count = 100'000;
  for (int i = 1; i <= count; ++i)
    h.primary_at(static_cast<routing::lsn>(i), at(i));
  for (const int replayed : {1, 10, 1000, 50'000, 99'000, 99'999}) {
    const auto gap = h.gap_of(static_cast<routing::lsn>(replayed));
    if (gap.is == kind::ancient) continue;
    EXPECT_LE(gap.since, at(replayed));
    const auto lag = count - replayed;
    EXPECT_GE(gap.since, at(replayed - lag)) << "it is exact enough: " << replayed;
  }
}

TEST(lag_gates, take_a_replica_out_above_the_limit_and_in_again_at_half_of_it) {
  lag_gates gates;
  const auto look = [&](int lag) { return gates.look(1, milliseconds{1000}, milliseconds{lag}); };
  EXPECT_TRUE(look(1000).admits);
  EXPECT_FALSE(look(900).has_turned);
  const auto out = look(1001);
  EXPECT_FALSE(out.admits);
  EXPECT_TRUE(out.has_turned);
  EXPECT_FALSE(look(501).admits);
  EXPECT_FALSE(look(1001).has_turned) << "it is out already";
  const auto in = look(500);
  EXPECT_TRUE(in.admits);
  EXPECT_TRUE(in.has_turned);
}

TEST(lag_gates, admit_nobody_whose_lag_is_not_known) {
  lag_gates gates;
  constexpr milliseconds limit{1000};
  EXPECT_FALSE(gates.look(1, limit, std::nullopt).admits);
  EXPECT_FALSE(gates.look(1, limit, std::nullopt).has_turned);
  const auto first = gates.look(1, limit, milliseconds{700});
  EXPECT_TRUE(first.admits);
  EXPECT_FALSE(first.has_turned) << "nothing to tell: it is as it should be";
  EXPECT_TRUE(gates.look(2, limit, milliseconds::max()).has_turned) << "it turns up far behind";
}

TEST(lag_gates, keep_servers_and_limits_apart) {
  lag_gates gates;
  EXPECT_FALSE(gates.look(1, milliseconds{100}, milliseconds{500}).admits);
  EXPECT_TRUE(gates.look(1, milliseconds{1000}, milliseconds{500}).admits);
  EXPECT_TRUE(gates.look(2, milliseconds{100}, milliseconds{0}).admits);
  EXPECT_FALSE(gates.look(1, milliseconds{100}, milliseconds{51}).admits);
}

TEST(server_lag, grows_with_time_where_the_replica_lacks_something) {
  server s({}, server_role::replica, 1);
  EXPECT_FALSE(s.lag(at(0)));
  s.set_gap({kind::behind, at(100)});
  EXPECT_EQ(s.lag(at(350)), milliseconds{250});
  EXPECT_EQ(s.lag(at(0)), milliseconds{0});
  s.set_gap({kind::none});
  EXPECT_EQ(s.lag(at(350)), milliseconds{0});
  s.set_gap({kind::ancient});
  EXPECT_EQ(s.lag(at(350)), milliseconds::max());
}

}  // namespace
}  // namespace pgsteer::proxy
