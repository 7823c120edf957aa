// Functions that a text calls without naming them, or behind a declaration that hides what they do.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog_fixture.hpp"
#include "routing/catalog_facts.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"

namespace pgsteer::routing {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class hidden_calls_test : public testing::Test {
 protected:
  judged_text judge(std::string_view sql) {
    const catalog_facts known(fixture.make(), "bob", "\"$user\", public", lists);
    text_judge judges;
    return judges.judge(sql, {}, known);
  }
  std::string reason(std::string_view sql) { return judge(sql).is.reason; }

  hidden_calls_test() {
    fixture.builtin(3091, "pg_try_advisory_lock", "20");
    fixture.builtin(2077, "current_setting", "25");
    fixture.builtin(3810, "pg_is_in_recovery", "");
  }

  catalog_fixture fixture;
  std::shared_ptr<const function_lists> lists;
};

TEST_F(hidden_calls_test, judge_what_stands_for_arguments_left_out) {
  fixture.function({.id = "17001",
                    .name = "f",
                    .arguments = "23 20",
                    .volatility = "s",
                    .source = "SELECT 1",
                    .defaults = "1",
                    .default_tree = "({FUNCEXPR :funcid 1574 :args ({CONST :consttype 25})})"});
  EXPECT_THAT(reason("SELECT f(1)"),
              HasSubstr("calls public.f(integer, bigint) with a default, which calls nextval()"));
  EXPECT_THAT(reason("SELECT f(a => 1)"), HasSubstr("nextval()"));
  EXPECT_EQ(reason("SELECT f(1, 2)"), "read");
  fixture.add(catalog_query::views,
              {"16500", "({QUERY :commandType 1 :targetList {FUNCEXPR :funcid 17001}})"});
  fixture.relation(16500, 2200, "v", "v");
  EXPECT_THAT(reason("SELECT * FROM v"), HasSubstr("nextval()"));
}

TEST_F(hidden_calls_test, end_at_a_default_that_calls_its_own_function) {
  fixture.function({.id = "17001",
                    .name = "f",
                    .arguments = "23",
                    .volatility = "s",
                    .source = "SELECT 1",
                    .defaults = "1",
                    .default_tree = "({FUNCEXPR :funcid 17001})"});
  EXPECT_EQ(reason("SELECT f()"), "read");
}

TEST_F(hidden_calls_test, believe_no_function_against_its_body) {
  fixture.sql(17001, "counter", "", "SELECT nextval('s')", "i");
  fixture.plpgsql(17002, "locks", "23", "BEGIN RETURN pg_try_advisory_lock($1); END", "i");
  fixture.sql(17003, "tenant", "", "SELECT current_setting('app.tenant')", "i");
  fixture.plpgsql(17004, "unclear", "25", "BEGIN EXECUTE $1; RETURN 1; END", "i");
  fixture.function({.id = "17005", .name = "in_c", .arguments = "23", .volatility = "i", .language = "c"});
  EXPECT_THAT(reason("SELECT counter()"), StartsWith("calls public.counter(), which calls nextval()"));
  EXPECT_THAT(reason("SELECT locks(1)"),
              StartsWith("calls public.locks(integer), which calls pg_try_advisory_lock"));
  EXPECT_EQ(judge("SELECT tenant()").is.asks.names, "app.tenant\n");
  EXPECT_EQ(reason("SELECT unclear('x')"), "read");
  EXPECT_EQ(reason("SELECT in_c(1)"), "read");
  EXPECT_EQ(judge("SELECT in_c(1)").is.bodies.text, "");
}

TEST_F(hidden_calls_test, believe_no_stable_function_against_the_text_it_executes) {
  fixture.relation(16500, 2200, "numbers", "S");
  fixture.plpgsql(17001, "runs", "25", "BEGIN EXECUTE 'SELECT ' || $1; RETURN 1; END", "s");
  EXPECT_EQ(reason("SELECT runs('1')"), "read");
  EXPECT_EQ(reason("SELECT runs('unknown()')"), "read");
  EXPECT_EQ(reason("SELECT runs(x) FROM (VALUES ('1')) v(x)"), "read");
  EXPECT_THAT(reason("SELECT runs('last_value FROM numbers')"), HasSubstr("numbers is a sequence"));
  EXPECT_THAT(reason("SELECT runs('pg_is_in_recovery()')"), HasSubstr("pg_is_in_recovery()"));
  auto taken = std::make_shared<function_lists>();
  taken->reads.insert("public.runs(text)");
  lists = taken;
  EXPECT_EQ(reason("SELECT runs('pg_is_in_recovery()')"), "read");
}

TEST_F(hidden_calls_test, judge_the_queries_that_functions_are_given) {
  fixture.relation(16500, 2200, "t");
  fixture.relation(16501, 2200, "s", "S");
  fixture.builtin(2925, "query_to_xml", "25 16 16 25");
  fixture.builtin(2923, "table_to_xml", "2205 16 16 25");
  for (const auto& [id, arguments] : {std::pair("17001", "25"), {"17002", "25 23"}, {"17003", "25 25"}})
    fixture.function({.id = id,
                      .name = "crosstab",
                      .arguments = arguments,
                      .volatility = "s",
                      .language = "c",
                      .extension = "tablefunc"});
  EXPECT_EQ(reason("SELECT * FROM crosstab('SELECT a, b, c FROM t') AS x(a int)"), "read");
  EXPECT_EQ(reason("SELECT * FROM crosstab('SELECT a, b, c FROM t', 'SELECT 1') AS x(a int)"), "read");
  EXPECT_THAT(reason("SELECT * FROM crosstab('SELECT last_value FROM s') AS x(a int)"),
              HasSubstr("is a sequence"));
  EXPECT_THAT(reason("SELECT * FROM crosstab('SELECT 1', 'SELECT nextval(''s'')') AS x(a int)"),
              HasSubstr("nextval()"));
  EXPECT_THAT(reason("SELECT * FROM crosstab($1) AS x(a int)"), HasSubstr("runs SQL given as text"));
  EXPECT_EQ(reason("SELECT query_to_xml('SELECT a FROM t', true, false, '')"), "read");
  EXPECT_THAT(reason("SELECT query_to_xml('SELECT * FROM s', true, false, '')"), HasSubstr("is a sequence"));
  EXPECT_EQ(reason("SELECT table_to_xml('t', true, false, '')"), "read");
  EXPECT_THAT(reason("SELECT table_to_xml('public.s', true, false, '')"), HasSubstr("is a sequence"));
  EXPECT_NE(reason("SELECT table_to_xml('16500', true, false, '')"), "read");
}

TEST_F(hidden_calls_test, read_bodies_that_return_the_row_of_their_outputs) {
  fixture.relation(16500, 2200, "t");
  const auto make = [&](const std::string& id, const std::string& name, const std::string& source) {
    fixture.function({.id = id,
                      .name = name,
                      .arguments = "23",
                      .language = "plpgsql",
                      .source = source,
                      .names = R"(["n", "a"])",
                      .returns_set = "t"});
  };
  make("17001", "counts", "BEGIN FOR a IN 1..n LOOP RETURN NEXT; END LOOP;\n  return\nnext ; RETURN; END");
  make("17002", "writes", "BEGIN DELETE FROM t; RETURN NEXT; END");
  make("17003", "values", "BEGIN RETURN NEXT nextval('s'); END");
  EXPECT_EQ(reason("SELECT * FROM counts(3)"), "read");
  EXPECT_THAT(reason("SELECT * FROM writes(3)"), HasSubstr("DELETE is not a read"));
  EXPECT_THAT(reason("SELECT * FROM public.values(3)"), HasSubstr("nextval()"));
}

// `(value).f` is f(value), of any type; `t.f` only of a row.
TEST_F(hidden_calls_test, see_functions_in_what_looks_like_a_field) {
  fixture.sql(17001, "draws", "20", "SELECT nextval('s')");
  fixture.relation(16500, 2200, "t");
  EXPECT_THAT(reason("SELECT (t.a).draws FROM t"), HasSubstr("calls public.draws(bigint)"));
  EXPECT_THAT(reason("SELECT (1).draws"), HasSubstr("calls public.draws(bigint)"));
  EXPECT_THAT(reason("SELECT ('s'::text).nextval"), HasSubstr("nextval()"));
  EXPECT_EQ(reason("SELECT (t.a).b FROM t"), "read");
  EXPECT_EQ(reason("SELECT (t.a).lower FROM t"), "read");
  EXPECT_EQ(reason("SELECT t.draws FROM t"), "read");
}

// A column's values passed the checks of its domain when they were made; a view's definition makes new ones.
TEST_F(hidden_calls_test, judge_the_casts_to_domains_in_a_view) {
  fixture.sql(17001, "checks", "23", "SELECT nextval('s')");
  fixture.type(17100, 2200, "positive", "d", 23);
  fixture.add(catalog_query::types, {"17101", "2200", "_positive", "b", "17100", "17100", "0", "", "0"});
  fixture.add(catalog_query::checks, {"17100", "{FUNCEXPR :funcid 17001}"});
  fixture.relation(16500, 2200, "t", "r", "p", "17100 17101");
  fixture.relation(16501, 2200, "v", "v", "p", "17100");
  fixture.add(catalog_query::views,
              {"16501",
               "({QUERY :commandType 1 :expr {COERCETODOMAIN :arg {CONST :consttype 23} "
               ":resulttype 17100}})"});
  EXPECT_EQ(reason("SELECT * FROM t"), "read");
  EXPECT_THAT(reason("SELECT * FROM v"),
              HasSubstr("type public.positive, which calls public.checks(integer)"));
  EXPECT_THAT(reason("SELECT (ROW(1, NULL)::t).a"), HasSubstr("public.checks(integer)"));
}

TEST_F(hidden_calls_test, know_another_name_of_a_function_of_postgresql) {
  catalog_fixture::function_row alias{.id = "17001", .name = "f", .volatility = "s", .language = "internal"};
  alias.source = "pg_is_in_recovery";
  fixture.function(alias);
  alias = {.id = "17002", .name = "g", .arguments = "25", .language = "internal", .source = "lower"};
  fixture.function(alias);
  alias = {.id = "17003", .name = "h", .arguments = "20", .volatility = "i", .language = "internal"};
  alias.source = "lower pg_try_advisory_lock";
  fixture.function(alias);
  alias = {.id = "17004", .name = "k", .language = "internal"};
  fixture.function(alias);
  alias = {
      .id = "17005", .name = "citextrecv", .volatility = "s", .language = "internal", .source = "textrecv"};
  fixture.function(alias);
  alias = {.id = "17006", .name = "l", .volatility = "i", .language = "internal", .source = "textrecv"};
  fixture.function(alias);
  EXPECT_THAT(reason("SELECT f()"), HasSubstr("calls public.f(), which calls pg_is_in_recovery()"));
  EXPECT_THAT(reason("SELECT g('x')"), HasSubstr("volatile"));
  EXPECT_THAT(reason("SELECT h(1)"), HasSubstr("pg_try_advisory_lock()"));
  EXPECT_THAT(reason("SELECT k()"), HasSubstr("volatile"));
  EXPECT_EQ(reason("SELECT citextrecv(), l()"), "read");
}

TEST_F(hidden_calls_test, judge_the_casts_of_a_tables_rows) {
  fixture.relation(16500, 2200, "t");
  fixture.sql(17001, "shown", "116500", "SELECT pg_is_in_recovery()::text", "s");
  EXPECT_EQ(reason("SELECT * FROM t"), "read");
  fixture.add(catalog_query::casts, {"116500", "25", "17001", "t", "t"});
  EXPECT_THAT(reason("SELECT lower(t) FROM t"), HasSubstr("pg_is_in_recovery()"));
}

}  // namespace
}  // namespace pgsteer::routing
