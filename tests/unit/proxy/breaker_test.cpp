#include "proxy/control/breaker.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const breaker::time_point start{std::chrono::hours{1}};

void open(breaker& b) {
  EXPECT_FALSE(b.failed(start));
  EXPECT_FALSE(b.failed(start));
  EXPECT_TRUE(b.failed(start));
  EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(breaker, opens_after_failures_in_a_row) {
  breaker b;
  EXPECT_TRUE(b.admits(start));
  open(b);
  EXPECT_FALSE(b.admits(start + milliseconds{999}));
  EXPECT_TRUE(b.admits(start + seconds{1}));
  EXPECT_EQ(b.openings(), 1U);
}

TEST(breaker, forgets_failures_after_a_success_and_after_a_while) {
  breaker b;
  (void)b.failed(start);
  (void)b.failed(start);
  EXPECT_FALSE(b.succeeded());
  EXPECT_FALSE(b.failed(start));
  EXPECT_FALSE(b.failed(start));
  EXPECT_FALSE(b.failed(start + seconds{11}));
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, lets_a_single_read_try) {
  breaker b;
  open(b);
  const auto later = start + seconds{1};
  EXPECT_TRUE(b.begin(later));
  EXPECT_EQ(b.state(), breaker_state::half_open);
  EXPECT_FALSE(b.admits(later));
  EXPECT_FALSE(b.begin(later));
  EXPECT_TRUE(b.succeeded());
  EXPECT_EQ(b.state(), breaker_state::closed);
  EXPECT_FALSE(b.begin(later)) << "no trial while closed";
}

TEST(breaker, waits_longer_after_each_failed_trial) {
  breaker b;
  open(b);
  auto now = start;
  for (const int pause : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_FALSE(b.admits(now + seconds{pause} - milliseconds{1})) << pause;
    now += seconds{pause};
    EXPECT_TRUE(b.begin(now)) << pause;
    EXPECT_TRUE(b.failed(now));
  }
  EXPECT_EQ(b.pause(), seconds{30});
}

TEST(breaker, does_not_wait_for_ever_for_a_lost_trial) {
  breaker b;
  open(b);
  EXPECT_TRUE(b.begin(start + seconds{1}));
  EXPECT_TRUE(b.begin(start + seconds{6}));
}

TEST(breaker, is_not_closed_by_what_was_sent_before_it_opened) {
  breaker b;
  open(b);
  EXPECT_FALSE(b.succeeded());
  EXPECT_EQ(b.state(), breaker_state::open);
  b.reset();
  EXPECT_TRUE(b.admits(start));
}

}  // namespace
}  // namespace pgsteer::proxy
