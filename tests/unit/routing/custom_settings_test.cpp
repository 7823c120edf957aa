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

TEST(custom_settings, may_be_named_by_whole_values) {
  const auto values = [](std::string_view bytes, std::size_t most = 100) {
    names out;
    collect_dotted_values(bytes, out, most);
    return out;
  };
  EXPECT_THAT(values("SELECT f('App.tenant', 'a.b.c')"), ElementsAre("a.b.c", "app.tenant"));
  EXPECT_THAT(values(std::string_view("B\0\0\0\0\x0a"
                                      "app.tenant\0\0\0\x01x",
                                      20)),
              ElementsAre("app.tenant"));
  EXPECT_THAT(values("SELECT t.a, f('1.5', 'a.', '.a', 'a..b', 'a b.c', 'a.b c', 1.5) FROM s.t"), IsEmpty());
  EXPECT_THAT(values("'a.b' 'c.d' 'e.f'", 2), ElementsAre("a.b", "c.d"));
  EXPECT_THAT(values("a.b"), IsEmpty());
  EXPECT_THAT(values("'a.b"), IsEmpty());
  EXPECT_THAT(values("."), IsEmpty());
}

TEST(custom_settings, are_bounded) {
  names out = {"a.a", "b.b"};
  EXPECT_TRUE(collect_custom_settings("SET a.a = 1", out, 2));
  EXPECT_FALSE(collect_custom_settings("SET c.c = 1", out, 2));
  EXPECT_EQ(out.size(), 2U);
}

}  // namespace
