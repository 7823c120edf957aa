#include "proxy/random_pool.hpp"

#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

TEST(random_pool, gives_no_bytes_twice) {
  random_pool pool;
  std::set<std::array<unsigned char, 18>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<unsigned char, 18> bytes{};
    pool.take(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(random_pool, fills_more_than_it_holds) {
  random_pool pool;
  std::vector<unsigned char> many(5000);
  pool.take(many);
  EXPECT_GT(std::set<unsigned char>(many.begin(), many.end()).size(), 200U);
}

}  // namespace
}  // namespace pgsteer::proxy
