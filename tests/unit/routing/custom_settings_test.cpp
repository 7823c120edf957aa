#include "routing/custom_settings.hpp"

#include <gmock/gmock.h>

using namespace pgsteer::routing;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

using names = std::set<std::string, std::less<>>;

names of(std::string_view text) {
  names out;
  collect_custom_settings(text, out, 100);
  return out;
}

TEST(custom_settings, are_found_where_a_statement_sets_them) {
  EXPECT_THAT(of("SET app.tenant = '7'"), ElementsAre("app.tenant"));
  EXPECT_THAT(of("set session App.Tenant to 7; SET LOCAL other.x = 1"), ElementsAre("app.tenant", "other.x"));
  EXPECT_THAT(of("RESET app.tenant"), ElementsAre("app.tenant"));
  EXPECT_THAT(of("SET \"app\".\"user\" = 'x'"), ElementsAre("app.user"));
  EXPECT_THAT(of("SELECT set_config('app.user_id', $1, false), pg_catalog.set_config ( 'b.c', 'd', true)"),
              ElementsAre("app.user_id", "b.c"));
}

TEST(custom_settings, are_not_seen_where_there_are_none) {
  EXPECT_THAT(of("SET work_mem = '5MB'"), IsEmpty());
  EXPECT_THAT(of("UPDATE t SET a = b.c"), IsEmpty());
  EXPECT_THAT(of("SELECT a.b, set_config('search_path', 'x.y', false)"), IsEmpty());
  EXPECT_THAT(of(""), IsEmpty());
  EXPECT_THAT(of("SET ."), IsEmpty());
  EXPECT_THAT(of("SET a."), IsEmpty());
}

TEST(custom_settings, are_bounded) {
  names out = {"a.a", "b.b"};
  EXPECT_TRUE(collect_custom_settings("SET a.a = 1", out, 2));
  EXPECT_FALSE(collect_custom_settings("SET c.c = 1", out, 2));
  EXPECT_EQ(out.size(), 2U);
}

}  // namespace
