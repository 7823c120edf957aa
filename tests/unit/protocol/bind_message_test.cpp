#include "protocol/bind_message.hpp"

#include <string>

#include <gtest/gtest.h>

using namespace pgsteer::protocol;

namespace {

std::string z(std::string_view text) {
  return std::string(text) + '\0';
}
std::string u16(int value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string value(std::string_view bytes) {
  return u16(0) + u16(static_cast<int>(bytes.size())) + std::string(bytes);
}
const std::string null_value(4, '\xff');

std::string bind_frame(const std::string& formats, const std::string& values) {
  const auto body = z("portal") + z("name") + formats + values + u16(0);
  return 'B' + u16(0) + u16(static_cast<int>(body.size()) + 4) + body;
}

TEST(bound_values, reads_them_in_every_format) {
  const auto two = u16(2) + value("a") + null_value;
  for (const auto& [formats, first, second] :
       {std::tuple(u16(0), false, false), std::tuple(u16(1) + u16(0), false, false),
        std::tuple(u16(1) + u16(1), true, true), std::tuple(u16(2) + u16(0) + u16(1), false, true)}) {
    const auto frame = bind_frame(formats, two);
    const auto found = bound_values(frame, 10);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ((*found)[0].bytes, "a");
    EXPECT_EQ((*found)[0].is_binary, first);
    EXPECT_FALSE((*found)[1].bytes);
    EXPECT_EQ((*found)[1].is_binary, second);
  }
}

TEST(bound_values, takes_no_more_than_is_there) {
  const auto whole = bind_frame(u16(1) + u16(0), u16(2) + value("one") + value("two"));
  ASSERT_TRUE(bound_values(whole, 2));
  EXPECT_FALSE(bound_values(whole, 1));
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(bound_values(std::string_view(whole).substr(0, size), 10)) << size;
  EXPECT_FALSE(bound_values(bind_frame(u16(3), u16(2) + value("one") + value("two")), 10));
  EXPECT_FALSE(bound_values(bind_frame(u16(0), u16(65535)), 100'000));
  EXPECT_FALSE(bound_values(bind_frame(u16(0), u16(1) + std::string("\x7f\xff\xff\xff", 4)), 10));
}

TEST(declared_type, is_that_of_the_parameter) {
  const auto tail = z("SELECT $1, $2") + u16(2) + u16(0) + u16(25) + u16(0) + u16(1043);
  EXPECT_EQ(declared_type(tail, 1), 25U);
  EXPECT_EQ(declared_type(tail, 2), 1043U);
  EXPECT_EQ(declared_type(tail, 3), 0U);
  EXPECT_EQ(declared_type(tail, 0), 0U);
  EXPECT_EQ(declared_type(z("SELECT $1") + u16(0), 1), 0U);
  EXPECT_EQ(declared_type(z("SELECT $1") + u16(9), 1), 0U);
  EXPECT_EQ(declared_type("no end", 1), 0U);
}

}  // namespace
