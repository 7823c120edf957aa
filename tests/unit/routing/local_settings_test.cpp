#include "routing/local_settings.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/classifier.hpp"

namespace pgsteer::routing {
namespace {

using testing::ElementsAre;
using testing::Pair;

classification judge(std::string_view sql) {
  classifier judges;
  return *judges.classify(sql, {});
}

bool is_followed(std::string_view sql) {
  const auto is = judge(sql);
  return is.kind == statement_kind::set_local && !is.locals.empty();
}

TEST(local_settings, are_a_query_that_does_nothing_else) {
  for (const auto* sql :
       {"SELECT pg_catalog.set_config('search_path', $1, true)",
        "select pg_catalog.set_config($1, $2, true), pg_catalog.set_config('role', 'a', true) as r",
        "SELECT pg_catalog.set_config('a.b'::text, $1::varchar, true)"})
    EXPECT_TRUE(is_followed(sql)) << sql;
  for (const auto* sql : {"SELECT pg_catalog.set_config('a.b', 'c', false)",
                          "SELECT pg_catalog.set_config('a.b', 'c', $1)",
                          "SELECT pg_catalog.set_config('a.b', 'c', true), 1",
                          "SELECT pg_catalog.set_config('a.b', NULL, true)",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) FROM t",
                          "SELECT pg_catalog.set_config('a.b', d, true)",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) WHERE true",
                          "SELECT DISTINCT pg_catalog.set_config('a', 'b', true)",
                          "SELECT pg_catalog.set_config('a.b', 'c' || 'd', true)",
                          "SELECT mine.set_config('a.b', 'c', true)",
                          "SELECT pg_catalog.set_config('a.b', $1::int::text, true)",
                          "SELECT pg_catalog.set_config('a.b', 'c'::name, true)",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) OVER ()",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) LIMIT 1",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) UNION SELECT 'd'",
                          "SELECT pg_catalog.set_config('Seed', '0.1', true)",
                          "SELECT pg_catalog.set_config('transaction_read_only', 'off', true)",
                          "SELECT pg_catalog.set_config('pgsteer.route', 'a', true)",
                          "SELECT pg_catalog.set_config('session_authorization', 'a', true)",
                          "SELECT pg_catalog.set_config('', 'a', true)",
                          "SELECT pg_catalog.set_config('a.b', 'c', true) FOR UPDATE",
                          "WITH x AS (SELECT 1) SELECT pg_catalog.set_config('a', 'b', true)"})
    EXPECT_FALSE(is_followed(sql)) << sql;
}

TEST(local_settings, whose_name_is_no_constant_may_leave_an_empty_one) {
  EXPECT_TRUE(judge("SELECT pg_catalog.set_config($1, 'c', true)").effects.leaves_empty);
  EXPECT_TRUE(judge("SELECT pg_catalog.set_config('a.b', 'c', true)").effects.leaves_empty);
  EXPECT_FALSE(judge("SELECT pg_catalog.set_config('role', 'c', true)").effects.leaves_empty);
}

TEST(local_settings, have_the_same_class_for_all_constants_only_without_any) {
  EXPECT_TRUE(takes_all_from_bind(judge("SELECT pg_catalog.set_config($1, $2, true)")));
  EXPECT_FALSE(takes_all_from_bind(judge("SELECT pg_catalog.set_config('a', $2, true)")));
  EXPECT_FALSE(takes_all_from_bind(judge("SELECT pg_catalog.set_config($1, 'a', true)")));
}

TEST(local_values, are_those_of_the_text_and_of_the_bind) {
  const auto is =
      judge("SELECT pg_catalog.set_config('Search_Path', $2, true), pg_catalog.set_config($1, '', true)");
  const std::vector<std::string> bound{"A.b", "x, y"};
  const auto found = local_values(is, [&](int number) {
    return std::optional<std::string_view>(bound.at(static_cast<std::size_t>(number) - 1));
  });
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(Pair("search_path", "x, y"), Pair("a.b", "")));
}

TEST(local_values, are_unknown_without_the_bind_or_where_a_replica_cannot_have_them) {
  const auto is = judge("SELECT pg_catalog.set_config($1, 'b', true)");
  const auto named = [&](std::optional<std::string_view> name) {
    return local_values(is, [name](int) { return name; }).has_value();
  };
  EXPECT_TRUE(named("role"));
  for (const auto* name : {"transaction_read_only", "SESSION_AUTHORIZATION", "seed", "pgsteer.route", ""})
    EXPECT_FALSE(named(name)) << name;
  EXPECT_FALSE(named(std::nullopt));
}

}  // namespace
}  // namespace pgsteer::routing
