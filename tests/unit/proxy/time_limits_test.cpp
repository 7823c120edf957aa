#include "proxy/client/time_limits.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using namespace std::chrono_literals;
using kind = client_activity::kind;

config::settings all_limits() {
  config::settings s;
  s.query_timeout = 100ms;
  s.transaction_timeout = 1000ms;
  s.idle_in_transaction_timeout = 200ms;
  s.client_idle_timeout = 5000ms;
  return s;
}

TEST(time_limits, each_counts_for_what_it_is_named_after) {
  const auto s = all_limits();
  EXPECT_EQ(exceeded_limit({kind::running, 100ms, 100ms}, s), time_limit::query);
  EXPECT_EQ(exceeded_limit({kind::running, 99ms, 999ms}, s), time_limit::none);
  EXPECT_EQ(exceeded_limit({kind::idle_in_transaction, 200ms, 300ms}, s), time_limit::idle_in_transaction);
  EXPECT_EQ(exceeded_limit({kind::idle_in_transaction, 199ms, 300ms}, s), time_limit::none);
  EXPECT_EQ(exceeded_limit({kind::idle, 5000ms, 0ms}, s), time_limit::client_idle);
  EXPECT_EQ(exceeded_limit({kind::idle, 4999ms, 0ms}, s), time_limit::none);
  EXPECT_EQ(exceeded_limit({kind::between, 1h, 1h}, s), time_limit::none);
}

TEST(time_limits, the_transaction_counts_first_whatever_is_done_in_it) {
  const auto s = all_limits();
  EXPECT_EQ(exceeded_limit({kind::running, 500ms, 1000ms}, s), time_limit::transaction);
  EXPECT_EQ(exceeded_limit({kind::idle_in_transaction, 500ms, 1000ms}, s), time_limit::transaction);
  EXPECT_EQ(exceeded_limit({kind::idle, 1ms, 1000ms}, s), time_limit::none);
}

TEST(time_limits, zero_is_never) {
  const config::settings s;
  EXPECT_FALSE(has_time_limits(s));
  EXPECT_TRUE(has_time_limits(all_limits()));
  for (const auto what : {kind::running, kind::idle_in_transaction, kind::idle, kind::between})
    EXPECT_EQ(exceeded_limit({what, 10000h, 10000h}, s), time_limit::none);
}

}  // namespace
}  // namespace pgsteer::proxy
