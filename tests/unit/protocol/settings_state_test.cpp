#include "protocol/settings_state.hpp"

#include <gtest/gtest.h>

using namespace pgsteer::protocol;

namespace {

std::string change(const settings_map& from, const settings_map& to) {
  return change_settings({from, 0}, {to, 0}).sql;
}

TEST(settings_state, equal_values_are_one_object) {
  settings_pool pool;
  EXPECT_EQ(pool.intern({{"work_mem", "4096"}}), pool.intern({{"work_mem", "4096"}}));
  EXPECT_NE(pool.intern({{"work_mem", "4096"}}), pool.intern({{"work_mem", "8192"}}));
  EXPECT_EQ(pool.intern({}), pool.none());
}

TEST(settings_state, clients_that_plan_alike_share_a_key) {
  settings_pool pool;
  EXPECT_EQ(pool.none()->plan_key, pool.intern({{"application_name", "a"}, {"app.tenant", "7"}})->plan_key);
  EXPECT_NE(pool.none()->plan_key, pool.intern({{"datestyle", "German, DMY"}})->plan_key);
}

TEST(settings_state, a_change_sets_what_differs_and_resets_what_is_gone) {
  EXPECT_EQ(change({}, {}), "");
  EXPECT_EQ(change({{"a.b", "1"}}, {{"a.b", "1"}}), "");
  EXPECT_EQ(change({}, {{"a.b", "1"}}), "SELECT pg_catalog.set_config('a.b','1',false);");
  EXPECT_EQ(change({{"a.b", "1"}}, {}), "RESET \"a\".\"b\";");
}

TEST(settings_state, identities_are_left_first_and_taken_last) {
  const settings_map tenant = {{"role", "tenant"}, {"work_mem", "64"}};
  EXPECT_EQ(change({}, tenant), "SELECT pg_catalog.set_config('work_mem','64',false);SET ROLE 'tenant';");
  EXPECT_EQ(change(tenant, {}), "RESET ROLE;RESET \"work_mem\";");
  EXPECT_TRUE(change_settings({}, {tenant, 0}).may_fail);
  EXPECT_FALSE(change_settings({tenant, 0}, {}).may_fail);
  EXPECT_EQ(change({{"session_authorization", "a"}, {"role", "r"}},
                   {{"session_authorization", "b"}, {"role", "r"}}),
            "RESET ROLE;RESET SESSION AUTHORIZATION;SET SESSION AUTHORIZATION 'b';SET ROLE 'r';");
}

TEST(settings_state, values_cannot_end_their_quotes) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\'b"), " E'a\\\\''b'");
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
