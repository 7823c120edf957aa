#include "proxy/control/server_report.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

TEST(server_report, reads_a_primary) {
  const auto r = read_identity({"f", "", "", "0000001A", "", "0", "25", "7712285641018667661", "150020",
                                "8192", "4194304", "0/5000028", "then", "0/4000100"});
  EXPECT_FALSE(r.in_recovery);
  EXPECT_EQ(r.replayed_lsn, 0U);
  EXPECT_EQ(r.timeline, 26U) << "of the WAL being written, not of the last checkpoint";
  EXPECT_EQ(r.system_identifier, 7712285641018667661U);
  EXPECT_EQ(r.version, 150020);
  EXPECT_EQ(r.wal.segment_bytes, 4194304U);
  EXPECT_EQ(r.written_lsn, 0x5000000U);
  EXPECT_EQ(r.flushed_lsn, 0x4000100U);
  EXPECT_LT(r.replay_age.count(), 0);
}

TEST(server_report, reads_a_standby_and_takes_the_timeline_it_streams) {
  const auto r =
      read_identity({"t", "0/11C1078", "1500", "", "2", "1", "1", "77", "140001", "8192", "16777216"});
  EXPECT_TRUE(r.in_recovery);
  EXPECT_EQ(r.replayed_lsn, 0x11C1078U);
  EXPECT_EQ(r.timeline, 2U);
  EXPECT_EQ(r.replay_age.count(), 1500);
}

TEST(server_report, a_restricted_role_knows_less) {
  const auto r = read_identity({"t", "0/10", "", "", "", "", "", "", "150020", "", ""});
  EXPECT_EQ(r.timeline, 0U);
  EXPECT_EQ(r.system_identifier, 0U);
  EXPECT_EQ(r.wal.segment_bytes, routing::wal_layout{}.segment_bytes);
}

TEST(server_report, bears_short_and_odd_rows) {
  EXPECT_TRUE(read_identity({"t"}).in_recovery);
  EXPECT_FALSE(read_identity({}).in_recovery);
  const auto odd = read_identity({"t", "x", "soon", "zz", "-1", "1.5", "99999999999", "", "", "0x10", " 1"});
  EXPECT_EQ(odd.replayed_lsn, 0U);
  EXPECT_EQ(odd.timeline, 0U);
}

TEST(server_report, a_probe_brings_position_and_timeline_up_to_date) {
  auto r = read_identity({"t", "0/10", "", "", "", "1", "1", "77", "150020", "8192", "16777216"});
  read_probe({"t", "0/20", "-7", "", "2"}, r);
  EXPECT_EQ(r.replayed_lsn, 0x20U);
  EXPECT_EQ(r.replay_age.count(), 0) << "the clocks differ a little";
  EXPECT_EQ(r.timeline, 2U);
  read_probe({"t", "0/30", "", "", ""}, r);
  EXPECT_EQ(r.timeline, 2U) << "no receiver for a moment: the history stays";
  EXPECT_EQ(r.system_identifier, 77U);
  read_probe({"f"}, r);
  EXPECT_FALSE(r.in_recovery);
  EXPECT_EQ(r.replayed_lsn, 0U);
}

TEST(server_report, a_probe_of_a_primary_says_what_it_has_written_and_flushed) {
  server_report r;
  read_primary_probe({"f", "0/2000", "0/1F00"}, r);
  EXPECT_EQ(r.written_lsn, 0x2000U);
  EXPECT_EQ(r.flushed_lsn, 0x1F00U);
}

TEST(server_report, a_sample_is_normalised_and_zero_where_there_is_none) {
  EXPECT_EQ(read_sample({"0/4000028"}, {8192, 0x400000}), 0x4000000U);
  EXPECT_EQ(read_sample({""}, {}), 0U);
  EXPECT_EQ(read_sample({}, {}), 0U);
  EXPECT_EQ(read_sample({"t"}, {}), 0U);
}

}  // namespace
}  // namespace pgsteer::proxy
