#include "protocol/unit.hpp"

#include <string>

#include <gtest/gtest.h>

using namespace pgsteer::protocol;

namespace {

std::string message(char type, std::string_view body = {}) {
  const auto n = static_cast<std::uint32_t>(body.size() + 4);
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(n >> shift & 0xFF));
  return out.append(body);
}

const std::string query = message('Q', std::string_view("SELECT 1\0", 9));
const std::string parse = message('P', std::string_view("\0SELECT 1\0\0\0", 12));

TEST(unit, ends_with_the_message_that_ends_it) {
  EXPECT_EQ(scan_unit(query).end, unit_end::query);
  EXPECT_EQ(scan_unit(parse + message('S')).end, unit_end::sync);
  EXPECT_EQ(scan_unit(parse + message('H')).end, unit_end::flush);
  EXPECT_EQ(scan_unit(message('F', "x")).end, unit_end::function_call);
  EXPECT_EQ(scan_unit(message('X')).end, unit_end::terminate);
  EXPECT_EQ(scan_unit(message('d', "x")).end, unit_end::stray);
}

TEST(unit, leaves_what_follows) {
  const auto u = scan_unit(query + query);
  EXPECT_EQ(u.size, query.size());
  EXPECT_FALSE(u.has_extended);
  EXPECT_TRUE(scan_unit(parse + message('S') + query).has_extended);
}

TEST(unit, is_incomplete_at_every_cut) {
  const auto whole = parse + parse + message('S');
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto u = scan_unit(std::string_view(whole).substr(0, cut));
    EXPECT_EQ(u.end, unit_end::incomplete) << cut;
    EXPECT_LE(u.size, cut);
    const auto again = scan_unit(whole, u.size);
    EXPECT_EQ(again.end, unit_end::sync) << cut;
    EXPECT_EQ(again.size, whole.size());
  }
}

TEST(unit, tells_the_size_of_a_message_that_is_not_whole) {
  const auto u = scan_unit(parse + query.substr(0, 6));
  EXPECT_EQ(u.size, parse.size());
  EXPECT_EQ(u.partial.type, 'Q');
  EXPECT_EQ(u.partial.size, query.size());
}

TEST(unit, is_broken_by_what_is_no_message) {
  EXPECT_EQ(scan_unit("GET / HTTP/1.1\r\n").end, unit_end::broken);
  EXPECT_EQ(scan_unit(std::string_view("Q\0\0\0\3", 5)).end, unit_end::broken);
  EXPECT_EQ(scan_unit(std::string_view("Q\x7f\xff\xff\xff", 5)).end, unit_end::broken);
  EXPECT_EQ(scan_unit(std::string_view("Q\xff\xff\xff\xff", 5)).end, unit_end::broken);
}

TEST(unit, terminate_and_copy_data_stand_alone) {
  const auto u = scan_unit(parse + message('X'));
  EXPECT_EQ(u.end, unit_end::terminate);
  EXPECT_EQ(u.size, parse.size());
}

}  // namespace
