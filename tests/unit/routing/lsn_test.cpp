#include "routing/lsn.hpp"

#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

TEST(lsn, reads_and_writes_what_postgres_writes) {
  EXPECT_EQ(parse_lsn("0/0"), 0U);
  EXPECT_EQ(parse_lsn("16/B374D848"), 0x16B374D848ULL);
  EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF"), ~std::uint64_t{0});
  EXPECT_EQ(parse_lsn("a/b"), 0xA0000000BULL);
  EXPECT_EQ(format_lsn(0x16B374D848ULL), "16/B374D848");
  EXPECT_EQ(format_lsn(0x100000028ULL), "1/28");
}

TEST(lsn, refuses_everything_else) {
  for (const auto* text : {"", "/", "1/", "/1", "0x1/2", "1/2/3", "1/ 2", "-1/2", "123456789/0",
                           "0/000000001", "1/G", "0/0 ", "null"}) {
    EXPECT_FALSE(parse_lsn(text)) << text;
  }
}

TEST(normalise_insert_lsn, rounds_down_just_past_a_page_header_only) {
  const wal_layout layout{8192, 0x400000};
  const auto is = [&](std::uint64_t lsn) { return normalise_insert_lsn(lsn, layout); };
  EXPECT_EQ(is(0x4000028), 0x4000000U) << "a segment's first page has a long header";
  EXPECT_EQ(is(0x4000018), 0x4000018U) << "no position there: left alone";
  EXPECT_EQ(is(0x4002018), 0x4002000U);
  EXPECT_EQ(is(0x4002028), 0x4002028U) << "a record ends there";
  EXPECT_EQ(is(0x4002020), 0x4002020U);
  EXPECT_EQ(is(0x4002000), 0x4002000U);
  EXPECT_EQ(is(0), 0U);
}

TEST(normalise_insert_lsn, minds_the_size_of_segments_and_pages) {
  EXPECT_EQ(normalise_insert_lsn(0x1400028, {8192, 0x1000000}), 0x1400028U);
  EXPECT_EQ(normalise_insert_lsn(0x1400018, {8192, 0x1000000}), 0x1400000U);
  EXPECT_EQ(normalise_insert_lsn(0x1400028, {8192, 0x400000}), 0x1400000U);
  EXPECT_EQ(normalise_insert_lsn(0x2018, {16384, 0x400000}), 0x2018U);
  EXPECT_EQ(normalise_insert_lsn(0x2018, {0, 0}), 0x2018U) << "an odd answer breaks nothing";
}

}  // namespace
}  // namespace pgsteer::routing
