#include "routing/balance.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

template <std::size_t N>
std::array<int, N> draws(const std::array<candidate, N>& all, int times = 10000) {
  std::mt19937 dice{1};
  std::array<int, N> got{};
  for (int i = 0; i < times; ++i) {
    const auto first = static_cast<std::uint32_t>(dice());
    ++got[choose_least_busy(all, first, static_cast<std::uint32_t>(dice()))];
  }
  return got;
}

TEST(least_busy, has_nothing_to_choose_from_none) {
  EXPECT_EQ(choose_least_busy({}, 0, 0), no_candidate);
  const std::array one{candidate{}};
  EXPECT_EQ(choose_least_busy(one, 0xFFFFFFFF, 0xFFFFFFFF), 0U);
}

TEST(least_busy, spreads_over_idle_ones_by_weight) {
  const auto got = draws(std::array{candidate{.weight = 1}, candidate{.weight = 3}});
  EXPECT_NEAR(got[0], 2500, 200);
  const auto even = draws(std::array<candidate, 3>{});
  for (const int n : even)
    EXPECT_NEAR(n, 3333, 250);
}

TEST(least_busy, takes_the_one_with_less_to_do) {
  const auto got = draws(std::array{candidate{.outstanding = 5}, candidate{.outstanding = 1}});
  EXPECT_EQ(got[0], 0);
  // Twice the work is right for twice the weight.
  const auto fair =
      draws(std::array{candidate{.outstanding = 3, .weight = 4}, candidate{.outstanding = 1, .weight = 1}});
  EXPECT_EQ(fair[1], 0);
}

TEST(least_busy, leaves_what_is_far_slower_to_the_overflow) {
  const candidate quick{.latency = 1000};
  EXPECT_EQ(draws(std::array{quick, candidate{.latency = 20000}})[1], 0);
  EXPECT_NEAR(draws(std::array{quick, candidate{.latency = 5500}})[1], 5000, 300) << "noise";
  const auto full =
      draws(std::array{candidate{.outstanding = 40, .latency = 1000}, candidate{.latency = 20000}});
  EXPECT_EQ(full[0], 0);
}

TEST(least_busy, lets_a_cold_one_begin_gently) {
  const auto got = draws(std::array{candidate{}, candidate{.warmth = 0.1}});
  EXPECT_NEAR(got[1], 909, 150);
}

TEST(overload, is_much_more_than_the_best_has) {
  const auto is = [](candidate mine, candidate other) { return is_overloaded(std::array{mine, other}, 0); };
  EXPECT_FALSE(is({}, {}));
  EXPECT_FALSE(is({.outstanding = 1}, {}));
  EXPECT_TRUE(is({.outstanding = 2}, {}));
  EXPECT_FALSE(is({.outstanding = 8}, {.outstanding = 5}));
  EXPECT_FALSE(is({.weight = 1}, {.weight = 10})) << "an idle one is left for nothing";
  EXPECT_TRUE(is({.latency = 9000}, {.latency = 1000}));
  EXPECT_FALSE(is({.outstanding = 3}, {.warmth = 0.1})) << "the other is cold";
}

TEST(near_ones, are_kept_if_there_are_any) {
  std::vector<candidate> all(3);
  std::vector<std::size_t> places{0, 1, 2};
  keep_near(all, places);
  EXPECT_EQ(places.size(), 3U);
  all[2].is_near = true;
  keep_near(all, places);
  EXPECT_EQ(places, std::vector<std::size_t>{2});
  EXPECT_EQ(all.size(), 1U);
}

TEST(turns, go_round_by_weight_and_evenly_mixed) {
  round_robin turns;
  const std::array all{candidate{.weight = 2}, candidate{.weight = 1}};
  std::string order;
  for (int i = 0; i < 6; ++i)
    order += static_cast<char>('a' + turns.choose(all));
  EXPECT_EQ(order, "abaaba");
  EXPECT_EQ(turns.choose({}), no_candidate);
}

}  // namespace
}  // namespace pgsteer::routing
