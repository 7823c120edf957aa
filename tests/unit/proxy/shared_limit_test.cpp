#include "proxy/backend/shared_limit.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using std::chrono::seconds;

pool_stake::time_point at(int second) {
  return pool_stake::time_point{} + seconds(second);
}

shared_limit sum(std::size_t most, int since, std::initializer_list<pool_stake> pools) {
  shared_limit out(most, at(since));
  for (const auto& p : pools)
    out.add(p);
  return out;
}

TEST(shared_limit, has_slots_until_it_is_reached) {
  EXPECT_TRUE(sum(3, 1, {{.open = 1}, {.open = 1}}).has_slot());
  EXPECT_FALSE(sum(3, 1, {{.open = 2}, {.open = 1}}).has_slot());
  EXPECT_FALSE(sum(3, 1, {{.open = 2}, {.open = 5}}).has_slot());
}

TEST(shared_limit, counts_what_is_closing_as_taken_but_not_as_full) {
  const auto got = sum(3, 1, {{.open = 2, .closing = 1}});
  EXPECT_FALSE(got.has_slot());
  EXPECT_FALSE(got.is_full());
  EXPECT_TRUE(sum(3, 1, {{.open = 3}}).is_full());
}

TEST(shared_limit, serves_those_that_came_first) {
  const pool_stake early{.open = 1, .wanted = 2, .since = at(1)};
  const pool_stake late{.open = 1, .wanted = 1, .since = at(2)};
  EXPECT_TRUE(sum(3, 1, {early, late}).has_slot());
  EXPECT_FALSE(sum(3, 2, {early, late}).has_slot());
  EXPECT_FALSE(sum(4, 2, {early, late}).has_slot());
  EXPECT_TRUE(sum(5, 2, {early, late}).has_slot());
}

TEST(shared_limit, owes_a_free_connection_to_those_that_came_first) {
  const pool_stake holder{.open = 2, .wanted = 1, .since = at(2)};
  const pool_stake early{.wanted = 1, .since = at(1)};
  EXPECT_TRUE(sum(2, 2, {holder, early}).is_owed());
  EXPECT_FALSE(sum(2, 1, {holder, early}).is_owed());
  EXPECT_FALSE(sum(3, 2, {holder, early}).is_owed()) << "there is one more";
  EXPECT_TRUE(sum(1, 1, {holder}).is_owed()) << "the limit has been lowered";
}

TEST(shared_limit, wants_idle_connections_closed_for_waiters_alone) {
  EXPECT_EQ(sum(3, 1, {{.open = 3}}).excess(), 0U);
  EXPECT_EQ(sum(3, 1, {{.open = 3}, {.wanted = 2, .since = at(1)}}).excess(), 2U);
  EXPECT_EQ(sum(3, 1, {{.open = 2, .closing = 1}, {.wanted = 1, .since = at(1)}}).excess(), 0U);
  EXPECT_EQ(sum(3, 1, {{.open = 5}}).excess(), 2U);
}

}  // namespace
}  // namespace pgsteer::proxy
