// What catalog facts make of names: bodies, views, overloads, paths. The same on a real server is in
// tests/integration/test_catalog.py.
#include "routing/catalog_facts.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog_fixture.hpp"
#include "routing/node_tree.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"
#include "routing/search_path.hpp"

namespace pgsteer::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class catalog_facts_test : public testing::Test {
 protected:
  std::string reason(std::string_view sql) {
    const catalog_facts known(fixture.make(), role, search_path, lists);
    text_judge judge;
    return judge.judge(sql, {}, known).is.reason;
  }

  catalog_fixture fixture;
  std::string role = "bob";
  std::string search_path = "\"$user\", public";
  std::shared_ptr<const function_lists> lists;
};

TEST_F(catalog_facts_test, prove_volatile_bodies_to_be_reads) {
  fixture.relation(16500, 2200, "t");
  fixture.sql(17001, "reads", "23", "SELECT a FROM t WHERE a = $1");
  fixture.plpgsql(
      17002, "loops", "23",
      "DECLARE n int := 0; BEGIN FOR r IN 1..$1 LOOP n := n + r; END LOOP; PERFORM reads(n); RETURN n; END");
  EXPECT_EQ(reason("SELECT reads(1), loops(2)"), "read");
}

TEST_F(catalog_facts_test, say_what_a_body_does) {
  fixture.relation(16500, 2200, "t");
  fixture.sql(17001, "adds", "23", "INSERT INTO t VALUES ($1); SELECT 1");
  fixture.sql(17002, "outer", "", "SELECT adds(1)");
  EXPECT_EQ(reason("SELECT adds(1)"), "calls public.adds(integer): INSERT is not a read");
  EXPECT_EQ(reason("SELECT \"outer\"()"),
            "calls public.outer(), which calls public.adds(integer): INSERT is not a read");
}

TEST_F(catalog_facts_test, doubt_what_a_body_does_not_show) {
  const std::string advice = ", volatile; declare it STABLE or list it under routing.functions.read";
  fixture.plpgsql(17001, "runs", "25", "BEGIN EXECUTE $1; RETURN 1; END");
  fixture.sql(17002, "broken", "", "SELECT FROM WHERE (");
  fixture.function({.id = "17003", .name = "foreign_code", .language = "c"});
  fixture.sql(17004, "too_long", "", "");
  EXPECT_EQ(reason("SELECT runs(lower('x'))"), "calls public.runs(text)" + advice);
  EXPECT_EQ(reason("SELECT runs('x')"), "calls public.runs(text): a part that cannot be parsed");
  EXPECT_EQ(reason("SELECT broken()"), "calls public.broken()" + advice);
  EXPECT_EQ(reason("SELECT foreign_code()"), "calls public.foreign_code()" + advice);
  EXPECT_EQ(reason("SELECT too_long()"), "calls public.too_long()" + advice);
}

TEST_F(catalog_facts_test, judge_what_a_function_executes_by_its_arguments) {
  fixture.relation(16500, 2200, "t");
  fixture.sql(17001, "adds", "", "INSERT INTO t VALUES (1)");
  const std::string rest = " LOOP RETURN 1; END LOOP; END";
  fixture.plpgsql(17002, "count_estimate", "25",
                  "DECLARE r record; BEGIN FOR r IN EXECUTE 'EXPLAIN ' || $1" + rest);
  fixture.plpgsql(17003, "rows_of", "25",
                  "DECLARE r text; BEGIN FOR r IN EXECUTE format('EXPLAIN ANALYZE %s', $1)" + rest);
  fixture.plpgsql(17004, "size_of", "25 25",
                  "BEGIN EXECUTE format('SELECT y FROM %I WHERE x = %L', $1, $2); RETURN 1; END");
  fixture.plpgsql(17005, "always", "", "BEGIN EXECUTE 'SELECT 1' || ' FROM t'; RETURN 1; END");
  fixture.plpgsql(17006, "never", "", "BEGIN EXECUTE 'DELETE FROM t'; RETURN 1; END");
  EXPECT_EQ(reason("SELECT count_estimate('SELECT * FROM t'), rows_of('TABLE t'), always()"), "read");
  EXPECT_EQ(reason("SELECT size_of('t', 'it''s')"), "read");
  EXPECT_THAT(reason("SELECT never()"), HasSubstr("DELETE"));
  EXPECT_EQ(reason("SELECT rows_of('DELETE FROM t')"),
            "calls public.rows_of(text): EXPLAIN: DELETE is not a read");
  EXPECT_THAT(reason("SELECT rows_of('SELECT 1; DROP TABLE t')"), HasSubstr("calls public.rows_of(text)"));
  EXPECT_THAT(reason("SELECT rows_of('SELECT adds()')"), HasSubstr("INSERT is not a read"));
  EXPECT_THAT(reason("SELECT rows_of('no SQL')"), HasSubstr("cannot be parsed"));
  for (const auto* unknown :
       {"rows_of($1)", "rows_of('SELECT '::text || 1)", "rows_of(NULL)", "rows_of(x) FROM t"})
    EXPECT_THAT(reason("SELECT " + std::string(unknown)), HasSubstr("volatile")) << unknown;
}

TEST_F(catalog_facts_test, follow_no_parameter_that_changes) {
  const std::vector<std::string> bodies{
      "BEGIN q := 'DELETE FROM t'; EXECUTE q; RETURN 1; END",
      "BEGIN $1 := 'DELETE FROM t'; EXECUTE q; RETURN 1; END",
      "BEGIN SELECT x INTO q FROM t; EXECUTE q; RETURN 1; END",
      "DECLARE q text := 'DELETE FROM t'; BEGIN EXECUTE q; RETURN 1; END",
      "DECLARE p ALIAS FOR $1; BEGIN p := 'DELETE FROM t'; EXECUTE q; RETURN 1; END",
      "BEGIN FOR q IN SELECT x FROM t LOOP EXECUTE q; END LOOP; RETURN 1; END",
      "BEGIN FOR q IN 1..2 LOOP EXECUTE q; END LOOP; RETURN 1; END",
      "BEGIN GET DIAGNOSTICS q = ROW_COUNT; EXECUTE q; RETURN 1; END",
      "BEGIN EXECUTE 'SELECT 1' INTO q; EXECUTE q; RETURN 1; END",
      "DECLARE a text[] := '{}'; BEGIN FOREACH q IN ARRAY a LOOP EXECUTE q; END LOOP; RETURN 1; END",
      "DECLARE v text; BEGIN EXECUTE v; RETURN 1; END",
      "BEGIN EXECUTE lower(q); RETURN 1; END",
      "BEGIN EXECUTE format('%2$s', q, q); RETURN 1; END",
      "BEGIN EXECUTE format('%s %s', q); RETURN 1; END",
      "BEGIN EXECUTE q; PERFORM f('DELETE FROM t'); RETURN 1; END",
      "BEGIN EXECUTE q; PERFORM g(q); RETURN 1; END",
  };
  for (const auto& body : bodies) {
    fixture = {};
    fixture.relation(16500, 2200, "t");
    fixture.function({.id = "17001",
                      .name = "f",
                      .arguments = "25",
                      .language = "plpgsql",
                      .source = body,
                      .names = R"(["q"])"});
    fixture.plpgsql(17002, "g", "25", "BEGIN PERFORM f('DELETE FROM t'); RETURN 1; END");
    EXPECT_NE(reason("SELECT f('SELECT 1')"), "read") << body;
  }
}

TEST_F(catalog_facts_test, judge_a_constant_query_that_a_function_runs) {
  fixture.relation(16500, 2200, "t");
  fixture.relation(16501, 2200, "u", "r", "u");
  fixture.builtin(3689, "ts_stat", "25");
  fixture.builtin(3684, "ts_rewrite", "3615 25");
  EXPECT_EQ(reason("SELECT * FROM ts_stat('SELECT a FROM t')"), "read");
  EXPECT_EQ(reason("SELECT ts_rewrite('a', 'SELECT a, b FROM t'::text)"), "read");
  EXPECT_THAT(reason("SELECT * FROM ts_stat('SELECT a FROM u')"), HasSubstr("unlogged"));
  EXPECT_THAT(reason("SELECT * FROM ts_stat('DELETE FROM t RETURNING a')"), HasSubstr("DELETE"));
  EXPECT_THAT(reason("SELECT ts_rewrite('a', $1)"), HasSubstr("runs SQL given as text"));
  fixture.sql(17001, "ts_stat", "25", "SELECT 1");
  EXPECT_NE(reason("SELECT * FROM ts_stat('SELECT a FROM t')"), "read");
}

TEST_F(catalog_facts_test, plan_a_write_on_a_standby_where_its_table_is_there) {
  fixture.relation(16500, 2200, "t");
  fixture.relation(16501, 2200, "u", "r", "u");
  fixture.relation(16502, 2200, "f", "f");
  EXPECT_EQ(reason("EXPLAIN UPDATE t SET a = 1"), "read");
  EXPECT_THAT(reason("EXPLAIN UPDATE u SET a = 1"), HasSubstr("unlogged"));
  EXPECT_THAT(reason("EXPLAIN INSERT INTO f VALUES (1)"), HasSubstr("foreign table"));
  EXPECT_THAT(reason("EXPLAIN INSERT INTO t SELECT a FROM u"), HasSubstr("unlogged"));
}

TEST_F(catalog_facts_test, unfold_each_array_of_a_from_item) {
  fixture.builtin(2331, "unnest", "2277");
  EXPECT_EQ(reason("SELECT * FROM unnest(ARRAY[1], ARRAY[2])"), "read");
  fixture.sql(17001, "unnest", "1007 1007", "INSERT INTO t VALUES (1)");
  EXPECT_NE(reason("SELECT * FROM unnest(ARRAY[1], ARRAY[2])"), "read");
}

// A parameter is not of type integer because nothing is known of it inside the body.
TEST_F(catalog_facts_test, see_no_casts_from_integer_in_a_parameter) {
  fixture.sql(17001, "to_odd", "23", "SELECT missing($1)");
  fixture.add(catalog_query::types, {"16600", "2200", "odd", "b", "0", "0", "0", "", "0"});
  fixture.add(catalog_query::casts, {"23", "16600", "17001", "t", "t"});
  fixture.plpgsql(17002, "leaks", "25", "BEGIN RAISE NOTICE '%', $1; RETURN true; END");
  fixture.add(catalog_query::casts, {"23", "25", "17001", "t", "t"});
  fixture.plpgsql(17003, "counts", "25", "DECLARE n int; BEGIN RETURN true; END");
  EXPECT_EQ(reason("SELECT leaks('x')"), "read");
  EXPECT_NE(reason("SELECT counts('x')"), "read");
}

// An integer becomes one only where something else is of that type.
TEST_F(catalog_facts_test, judge_an_implicit_cast_where_its_type_is_meant) {
  fixture.sql(17001, "to_odd", "23", "INSERT INTO t VALUES ($1) RETURNING 1");
  fixture.add(catalog_query::types, {"16600", "2200", "odd", "b", "0", "0", "0", "", "0"});
  fixture.add(catalog_query::casts, {"23", "16600", "17001", "t", "t"});
  fixture.function(
      {.id = "17002", .name = "takes", .arguments = "16600", .volatility = "i", .types = "16600"});
  fixture.relation(16500, 2200, "has", "r", "p", "16600");
  fixture.relation(16501, 2200, "t");
  EXPECT_EQ(reason("SELECT 1::int FROM t"), "read");
  for (const auto* sql : {"SELECT takes(1)", "SELECT 1::odd", "SELECT * FROM has WHERE a = 1",
                          "SELECT 1 UNION SELECT a FROM has"})
    EXPECT_THAT(reason(sql), HasSubstr("to_odd")) << sql;
}

TEST_F(catalog_facts_test, execute_by_name_of_the_parameter) {
  fixture.function({.id = "17001",
                    .name = "f",
                    .arguments = "25 25",
                    .language = "plpgsql",
                    .source = "BEGIN EXECUTE q || ' WHERE ' || quote_ident($2) || ' = 1'; END",
                    .names = R"(["q", "c", "out"])"});
  fixture.function({.id = "17002",
                    .name = "mixed",
                    .arguments = "25",
                    .language = "plpgsql",
                    .source = "BEGIN EXECUTE q; END",
                    .names = R"(["o", "q"])",
                    .mixes_outputs = "t"});
  fixture.relation(16500, 2200, "t");
  EXPECT_EQ(reason("SELECT * FROM f('SELECT * FROM t', 'x')"), "read");
  EXPECT_NE(reason("SELECT * FROM f('DELETE FROM t', 'x')"), "read");
  EXPECT_NE(reason("SELECT mixed('SELECT 1')"), "read");
}

// Another || may make another text.
TEST_F(catalog_facts_test, trust_no_operator_of_the_database_with_texts) {
  fixture.plpgsql(17001, "f", "25", "BEGIN EXECUTE 'SELECT ' || $1; RETURN 1; END");
  EXPECT_EQ(reason("SELECT f('1')"), "read");
  fixture.type(17100, 2200, "ltree");
  fixture.sql(17003, "appended", "17100 25", "SELECT $1", "i");
  fixture.add(catalog_query::operators, {"17004", "2200", "||", "17003"});
  EXPECT_EQ(reason("SELECT f('1')"), "read");
  fixture.sql(17002, "joined", "25 25", "SELECT 'DELETE FROM t'", "i");
  fixture.add(catalog_query::operators, {"17005", "2200", "||", "17002"});
  EXPECT_NE(reason("SELECT f('1')"), "read");
}

TEST_F(catalog_facts_test, trust_stable_functions_but_not_against_what_is_known) {
  fixture.relation(16500, 2200, "numbers", "S");
  fixture.plpgsql(17001, "runs", "25", "BEGIN EXECUTE $1; RETURN 1; END", "s");
  fixture.sql(17002, "position", "", "SELECT last_value FROM numbers", "s");
  EXPECT_EQ(reason("SELECT runs('x')"), "read");
  EXPECT_THAT(reason("SELECT public.position()"), HasSubstr("relation public.numbers is a sequence"));
}

TEST_F(catalog_facts_test, see_through_functions_that_call_one_another) {
  fixture.relation(16500, 2200, "t");
  fixture.plpgsql(17001, "ping", "23", "BEGIN IF $1 > 9 THEN DELETE FROM t; END IF; RETURN pong($1); END");
  fixture.plpgsql(17002, "pong", "23", "BEGIN RETURN ping($1 + 1); END");
  fixture.plpgsql(17003, "itself", "23", "BEGIN RETURN itself($1 - 1); END");
  const catalog_facts known(fixture.make(), role, search_path);
  text_judge judge;
  for (const auto* sql : {"SELECT ping(1)", "SELECT pong(1)", "SELECT ping(1)"})
    EXPECT_THAT(judge.judge(sql, {}, known).is.reason, HasSubstr("DELETE is not a read")) << sql;
  EXPECT_EQ(judge.judge("SELECT itself(3)", {}, known).is.reason, "read");
}

TEST_F(catalog_facts_test, let_the_worst_overload_decide_where_types_are_unknown) {
  fixture.sql(17001, "f", "23", "SELECT 1", "s");
  fixture.sql(17002, "f", "25", "SELECT nextval('s')");
  EXPECT_THAT(reason("SELECT f(a) FROM (VALUES (1)) v(a)"), HasSubstr("public.f(text)"));
  EXPECT_EQ(reason("SELECT f(1)"), "read");
  EXPECT_EQ(reason("SELECT f(a::int) FROM (VALUES (1)) v(a)"), "read");
  EXPECT_THAT(reason("SELECT f('1')"), HasSubstr("public.f(text)"));
  EXPECT_THAT(reason("SELECT f(1, 2)"), StartsWith("calls unknown function"));
}

TEST_F(catalog_facts_test, find_functions_that_hide_built_in_ones) {
  fixture.function({.id = "17001",
                    .schema = "16400",
                    .name = "lower",
                    .arguments = "25",
                    .source = "SELECT nextval('s')"});
  EXPECT_EQ(reason("SELECT lower('X')"), "read");
  search_path = "app, public";
  EXPECT_EQ(reason("SELECT lower('X')"), "read");
  search_path = "app, pg_catalog";
  EXPECT_THAT(reason("SELECT lower('X')"), StartsWith("calls app.lower(text), which calls nextval()"));
}

// Names in them are found when they run, in the session that calls.
TEST_F(catalog_facts_test, keep_the_bodies_that_a_read_runs) {
  fixture.relation(16500, 2200, "t");
  fixture.sql(17001, "inner_one", "", "SELECT a FROM t", "s");
  fixture.sql(17002, "outer_one", "", "SELECT inner_one()");
  fixture.plpgsql(17003, "runs", "25", "BEGIN EXECUTE $1; RETURN 1; END", "s");
  const catalog_facts known(fixture.make(), role, search_path);
  text_judge judge;
  const auto bodies = [&](std::string_view sql) { return judge.judge(sql, {}, known).is.bodies.text; };
  EXPECT_EQ(bodies("SELECT a, lower('x') FROM t"), "");
  EXPECT_EQ(bodies("SELECT outer_one()"), "SELECT a FROM t\nSELECT inner_one()");
  EXPECT_EQ(bodies("SELECT inner_one(), inner_one()"), "SELECT a FROM t");
  EXPECT_EQ(bodies("SELECT runs('x')"), "pg_temp");
}

TEST_F(catalog_facts_test, find_relations_by_path_role_and_privilege) {
  fixture.relation(16500, 2200, "t");
  fixture.relation(16501, 16402, "t", "r", "u");
  fixture.relation(16502, 16401, "t", "r", "u");
  EXPECT_EQ(reason("SELECT * FROM t"), "read");
  role = "alice";
  EXPECT_EQ(reason("SELECT * FROM t"), "relation alice.t is unlogged, which a standby does not have");
  role = "bob";
  search_path = "public, hidden";
  EXPECT_EQ(reason("SELECT * FROM t"), "read");
  search_path = "hidden, public";  // whether bob may look there is not known: the worst counts
  EXPECT_THAT(reason("SELECT * FROM t"), HasSubstr("hidden.t is unlogged"));
  EXPECT_THAT(reason("SELECT * FROM nothing"), HasSubstr("not in the catalog"));
  EXPECT_EQ(reason("WITH nothing AS (SELECT 1) SELECT * FROM nothing"), "read");
  EXPECT_THAT(reason("WITH nothing AS (SELECT * FROM nothing) SELECT * FROM nothing"),
              HasSubstr("not in the catalog"));
}

TEST_F(catalog_facts_test, judge_relations_by_all_they_read) {
  fixture.relation(16500, 2200, "parent", "p");
  fixture.relation(16501, 2200, "child", "r", "t");
  fixture.add(catalog_query::children, {"16500", "16501"});
  fixture.relation(16502, 2200, "guarded");
  fixture.add(catalog_query::policies, {"16502", "{FUNCEXPR :funcid 1574 :funcresulttype 20}"});
  fixture.relation(16503, 2200, "v", "v");
  fixture.add(catalog_query::views,
              {"16503", "({QUERY :commandType 1 :rtable ({RTE :rtekind 0 :relid 16502})})"});
  fixture.relation(16504, 2200, "away", "f");
  EXPECT_THAT(reason("SELECT * FROM parent"), HasSubstr("public.child is temporary"));
  EXPECT_THAT(reason("SELECT * FROM guarded"), HasSubstr("calls nextval()"));
  EXPECT_THAT(reason("SELECT * FROM v"),
              StartsWith("view public.v: relation public.guarded, which calls nextval()"));
  EXPECT_EQ(reason("SELECT * FROM away"), "relation public.away is a foreign table");
}

TEST_F(catalog_facts_test, judge_casts_operators_and_rows_by_their_functions) {
  fixture.sql(17001, "checks", "23", "SELECT nextval('s')");
  fixture.type(17100, 2200, "positive", "d", 23);
  fixture.add(catalog_query::checks, {"17100", "{FUNCEXPR :funcid 17001}"});
  fixture.add(catalog_query::operators, {"17200", "2200", "===", "17001"});
  fixture.relation(16500, 2200, "t", "r", "p", "17100");
  fixture.sql(17002, "total", "116500", "SELECT nextval('s')");
  EXPECT_THAT(reason("SELECT 1::positive"),
              StartsWith("type public.positive, which calls public.checks(integer)"));
  EXPECT_THAT(reason("SELECT 1 === 2"), StartsWith("uses operator ===: calls public.checks(integer)"));
  EXPECT_THAT(reason("SELECT t.total FROM t"), StartsWith("calls public.total(public.t)"));
  EXPECT_EQ(reason("SELECT t.a FROM t"), "read");  // stored values passed their checks long ago
}

TEST_F(catalog_facts_test, know_functions_of_extensions_only_where_they_belong_to_them) {
  fixture.function(
      {.id = "17001", .name = "similarity", .arguments = "25 25", .language = "c", .extension = "pg_trgm"});
  fixture.function(
      {.id = "17002", .name = "set_limit", .arguments = "25", .language = "c", .extension = "pg_trgm"});
  fixture.function({.id = "17003", .name = "word_similarity", .arguments = "25 25", .language = "c"});
  EXPECT_EQ(reason("SELECT similarity('a', 'b')"), "read");
  EXPECT_THAT(reason("SELECT set_limit('1')"), HasSubstr("similarity_threshold"));
  EXPECT_THAT(reason("SELECT word_similarity('a', 'b')"), HasSubstr("volatile"));
}

// Whether it is a read is the session's: for_settings().
TEST_F(catalog_facts_test, tell_which_settings_are_asked_for) {
  const std::string tenant =
      "{FUNCEXPR :funcid 3294 :funcresulttype 25 :args ({CONST :consttype 25 :constlen -1 :constisnull false "
      ":constvalue 10 [ 40 0 0 0 97 46 84 45 120 121 ]} {CONST :consttype 16 :constvalue 1 [ 1 0 0 0 ]})}";
  const std::string any =
      "{FUNCEXPR :funcid 2077 :args ({VAR :varno 1} {CONST :consttype 25 :constvalue 5 [ 1 2 3 4 97 ]})}";
  fixture.function(
      {.id = "2077", .schema = "11", .name = "current_setting", .arguments = "25", .language = "internal"});
  fixture.function({.id = "3294",
                    .schema = "11",
                    .name = "current_setting",
                    .arguments = "25 16",
                    .language = "internal"});
  fixture.relation(16500, 2200, "guarded");
  fixture.relation(16501, 2200, "odd");
  fixture.relation(16502, 2200, "v", "v");
  fixture.add(catalog_query::policies, {"16500", tenant});
  fixture.add(catalog_query::policies, {"16501", any});
  fixture.add(catalog_query::views, {"16502", "{RANGETBLENTRY :relid 16500}"});
  fixture.sql(17001, "tenant", "", "SELECT current_setting('App.Tenant')", "s");
  const auto asked = [&](std::string_view sql) {
    const catalog_facts known(fixture.make(), role, search_path, lists);
    text_judge judge;
    const auto judged = judge.judge(sql, {}, known);
    return judged.is.kind == statement_kind::read ? judged.is.asks.names : "no read: " + judged.is.reason;
  };
  EXPECT_EQ(asked("SELECT * FROM guarded"), "a.t-xy\n");
  EXPECT_EQ(asked("SELECT * FROM v"), "a.t-xy\n");
  EXPECT_EQ(asked("SELECT tenant(), current_setting('app.tenant', true)"), "app.tenant\n");
  EXPECT_EQ(asked("SELECT tenant() FROM guarded"), "app.tenant\na.t-xy\n");
  EXPECT_EQ(asked("SELECT 1"), "");
  EXPECT_THAT(asked("SELECT * FROM odd"), HasSubstr("current_setting()"));
  for (const auto* sql :
       {"SELECT current_setting($1)", "SELECT current_setting('a' || 'b')", "SELECT current_setting(NULL)"})
    EXPECT_THAT(asked(sql), HasSubstr("current_setting()")) << sql;
}

TEST_F(catalog_facts_test, read_bodies_by_their_own_settings_and_owner) {
  fixture.relation(16500, 2200, "t");
  fixture.relation(16501, 16402, "t", "r", "u");
  fixture.function({.id = "17001", .name = "f", .source = "SELECT 1 FROM t", .owner = "alice"});
  fixture.function({.id = "17002", .name = "g", .source = "SELECT 1 FROM t", .config = "search_path=alice"});
  fixture.function({.id = "17003", .name = "h", .source = "SELECT 1 FROM t", .config = "work_mem=1MB"});
  fixture.function({.id = "17004", .name = "i", .source = "SELECT 1 FROM t", .config = "role=alice"});
  EXPECT_THAT(reason("SELECT f()"), HasSubstr("alice.t is unlogged"));
  EXPECT_THAT(reason("SELECT g()"), HasSubstr("alice.t is unlogged"));
  EXPECT_EQ(reason("SELECT h()"), "read");
  EXPECT_THAT(reason("SELECT i()"), HasSubstr("SET of a setting"));
}

TEST_F(catalog_facts_test, judge_the_types_that_functions_and_variables_have) {
  fixture.sql(17001, "checks", "23", "SELECT nextval('s')");
  fixture.type(17100, 2200, "positive", "d", 23);
  fixture.add(catalog_query::checks, {"17100", "{FUNCEXPR :funcid 17001}"});
  fixture.relation(16500, 2200, "t", "r", "p", "17100");
  fixture.function({.id = "17002", .name = "gives", .volatility = "i", .types = "17100"});
  fixture.plpgsql(17003, "declares", "", "DECLARE x positive; BEGIN RETURN 1; END");
  fixture.plpgsql(17004, "copies", "", "DECLARE x t.a%TYPE; BEGIN RETURN 1; END");
  fixture.plpgsql(17005, "copies_row", "", "DECLARE x public.t%ROWTYPE; BEGIN RETURN 1; END");
  fixture.plpgsql(17006, "copies_variable", "", "DECLARE x int; y x%TYPE; BEGIN RETURN 1; END");
  for (const auto* name : {"gives", "declares", "copies", "copies_row"})
    EXPECT_THAT(reason("SELECT " + std::string(name) + "()"), HasSubstr("checks(integer)")) << name;
  EXPECT_THAT(reason("SELECT copies_variable()"), HasSubstr("volatile"));  // x is no type to be found
}

TEST_F(catalog_facts_test, take_the_operators_word) {
  fixture.plpgsql(17001, "runs", "25", "BEGIN EXECUTE $1; RETURN 1; END");
  fixture.plpgsql(17002, "runs", "23", "BEGIN EXECUTE 'x'; RETURN 1; END");
  fixture.sql(17003, "reads", "23", "SELECT 1");
  lists = std::make_shared<const function_lists>(function_lists{{"public.runs"}, {}});
  EXPECT_EQ(reason("SELECT runs('x')"), "read");
  lists = std::make_shared<const function_lists>(function_lists{{"public.runs(text)"}, {}});
  EXPECT_EQ(reason("SELECT runs('x'::text)"), "read");
  EXPECT_THAT(reason("SELECT runs(1)"), StartsWith("calls public.runs(integer), volatile"));
  lists = std::make_shared<const function_lists>(function_lists{{}, {"public.reads", "pg_catalog.lower"}});
  EXPECT_EQ(reason("SELECT reads(1)"), "calls public.reads(integer), listed under routing.functions.write");
  EXPECT_EQ(reason("SELECT lower('A')"),
            "calls pg_catalog.lower(text), listed under routing.functions.write");
}

TEST_F(catalog_facts_test, stop_at_functions_nested_without_end) {
  for (int at = 0; at < 500; ++at)
    fixture.sql(20000 + at, "f" + std::to_string(at), "", "SELECT f" + std::to_string(at + 1) + "()");
  fixture.sql(20500, "f500", "", "SELECT 1");
  EXPECT_NE(reason("SELECT f0()"), "read");
  EXPECT_EQ(reason("SELECT f480()"), "read");
}

TEST(search_path, is_split_as_postgresql_splits_it) {
  EXPECT_THAT(split_search_path("\"$user\", public"), ElementsAre("$user", "public"));
  EXPECT_THAT(split_search_path(" A ,\"B\"\"c\",d"), ElementsAre("a", "B\"c", "d"));
  EXPECT_TRUE(split_search_path("").empty());
  EXPECT_THAT(split_search_path("a, \"b"), ElementsAre("a"));
}

TEST(node_tree, shows_what_is_used) {
  const auto uses = uses_of_tree(
      "({QUERY :commandType 1 :utilityStmt <> :hasModifyingCTE false :rtable ({RTE :alias <> :eref {ALIAS "
      ":aliasname "
      ":relid :colnames (\"a\" \":funcid\")} :rtekind 0 :relid 16500 :relkind r}) :jointree {FROMEXPR :quals "
      "{OPEXPR "
      ":opno 17200 :opfuncid 17001 :args ({VAR :varno 1})}} :targetList ({TARGETENTRY :expr {ROWCOMPAREEXPR "
      ":opnos (o 17201 96)} :resname \\:opno\\ 5}) :rowMarks <>})");
  EXPECT_EQ(uses.refusal, "");
  EXPECT_THAT(uses.references,
              ElementsAre(reference{object_kind::function, 17001}, reference{object_kind::operation, 17200},
                          reference{object_kind::operation, 17201}, reference{object_kind::relation, 16500}));
  EXPECT_EQ(uses_of_tree("({QUERY :commandType 3})").refusal, "INSERT is not a read");
  EXPECT_EQ(uses_of_tree("({QUERY :commandType 1 :rowMarks ({ROWMARKCLAUSE :rti 1})})").refusal,
            "locking clause");
  EXPECT_TRUE(uses_of_tree("").references.empty());
  EXPECT_TRUE(uses_of_tree("{:opno").references.empty());
}

}  // namespace
}  // namespace pgsteer::routing
