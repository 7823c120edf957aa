#include "protocol/parameter_names.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace pgsteer::protocol {
namespace {

TEST(parameter_names, finds_them_in_any_case_and_spells_them_as_the_server_does) {
  EXPECT_EQ(canonical_parameter_name("datestyle"), "DateStyle");
  EXPECT_EQ(canonical_parameter_name("TIMEZONE"), "TimeZone");
  EXPECT_EQ(canonical_parameter_name("intervalSTYLE"), "IntervalStyle");
  EXPECT_EQ(canonical_parameter_name("Client_Encoding"), "client_encoding");
  EXPECT_TRUE(is_reported("search_path"));
  EXPECT_TRUE(is_reported("scram_iterations"));
}

TEST(parameter_names, knows_no_others) {
  for (const auto* name : {"", "work_mem", "date_style", "DateStyl", "DateStyles", "time zone"}) {
    EXPECT_FALSE(is_reported(name)) << name;
    EXPECT_FALSE(canonical_parameter_name(name)) << name;
  }
}

TEST(parameter_names, says_which_version_reports_them) {
  const auto all = reported_parameters();
  const auto count = [all](int version) {
    return std::count_if(all.begin(), all.end(), [version](const auto& p) { return p.since <= version; });
  };
  // What a server of each version sends after a login.
  EXPECT_EQ(count(14), 13);
  EXPECT_EQ(count(15), 13);
  EXPECT_EQ(count(16), 14);
  EXPECT_EQ(count(18), 15);
  EXPECT_FALSE(find_reported_parameter("server_version")->is_settable);
  EXPECT_TRUE(find_reported_parameter("timezone")->is_settable);
}

}  // namespace
}  // namespace pgsteer::protocol
