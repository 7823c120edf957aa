#include "protocol/row_description.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire.hpp"

using namespace pgsteer;

namespace {

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xFF));
  return out;
}

std::string column(const std::string& name, std::uint32_t type, std::uint32_t modifier = 0,
                   std::uint32_t table = 7) {
  return name + std::string(1, '\0') + number(table, 4) + number(1, 2) + number(type, 4) + number(4, 2) +
         number(modifier, 4) + number(0, 2);
}

TEST(row_description, tells_results_apart_by_names_and_types) {
  const auto one = number(1, 2) + column("a", 23);
  const auto digest = protocol::result_digest(one);
  EXPECT_EQ(protocol::result_digest(one), digest);
  EXPECT_EQ(protocol::result_digest(number(1, 2) + column("a", 23, 0, 99)), digest) << "another table";
  EXPECT_NE(protocol::result_digest(number(1, 2) + column("b", 23)), digest);
  EXPECT_NE(protocol::result_digest(number(1, 2) + column("a", 20)), digest);
  EXPECT_NE(protocol::result_digest(number(1, 2) + column("a", 23, 5)), digest);
  EXPECT_NE(protocol::result_digest(number(2, 2) + column("a", 23) + column("b", 23)), digest);
  EXPECT_NE(protocol::result_digest({}), digest);
}

TEST(row_description, is_never_zero_and_reads_no_further_than_it_is_told) {
  EXPECT_NE(protocol::result_digest({}), 0U);
  const auto whole = number(1, 2) + column("a", 23);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(protocol::result_digest(whole.substr(0, size)), 0U);
}

}  // namespace
