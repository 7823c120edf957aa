#include "proxy/control/session_defaults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using testing::HasSubstr;

TEST(session_defaults, only_what_differs_is_given) {
  EXPECT_EQ(options_for_replica("TimeZone=UTC\nDateStyle=ISO, MDY", "DateStyle=ISO, MDY\nTimeZone=UTC", {}),
            "");
  EXPECT_EQ(
      options_for_replica("TimeZone=UTC\nDateStyle=ISO, MDY", "DateStyle=German, DMY\nTimeZone=UTC", {}),
      "-c DateStyle=ISO,\\ MDY");
  EXPECT_EQ(options_for_replica("search_path=\"$user\", a\\b\nxmloption=content",
                                "search_path=x\nxmloption=document", {}),
            "-c search_path=\"$user\",\\ a\\\\b -c xmloption=content");
}

TEST(session_defaults, the_users_own_default_goes_before_that_of_the_control_connection) {
  EXPECT_EQ(options_for_replica("TimeZone=UTC", "TimeZone=Asia/Tokyo", {{"TimeZone", "Europe/Paris"}}),
            "-c TimeZone=Europe/Paris");
}

TEST(session_defaults, what_one_server_does_not_know_is_left_alone) {
  EXPECT_EQ(options_for_replica("TimeZone=UTC", "", {}), "");
  EXPECT_EQ(options_for_replica("", "TimeZone=UTC", {}), "");
}

TEST(session_defaults, tell_builds_apart) {
  const auto is_same = [](const std::string& one, const std::string& other) {
    return is_same_build("TimeZone=UTC\nversion()=" + one, "DateStyle=ISO\nversion()=" + other);
  };
  EXPECT_TRUE(is_same("PostgreSQL 15.8 on x", "PostgreSQL 15.8 on x"));
  EXPECT_FALSE(is_same("PostgreSQL 15.8 on x", "PostgreSQL 15.9 on x"));
  EXPECT_FALSE(is_same_build("", "")) << "nobody has said anything yet";
  EXPECT_EQ(options_for_replica("version()=15.8", "version()=15.9", {}), "");
}

TEST(session_defaults, are_asked_for_by_name) {
  EXPECT_THAT(session_defaults_query(), HasSubstr("'{array_nulls,"));
}

}  // namespace
}  // namespace pgsteer::proxy
