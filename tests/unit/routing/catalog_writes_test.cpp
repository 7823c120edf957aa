// What writing to a relation may leave in the session: triggers, defaults, rules, foreign keys, functions
// that set. The same on a real server is in tests/integration/test_left_by_writes.py.
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog_fixture.hpp"
#include "routing/catalog_facts.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"

namespace pgsteer::routing {
namespace {

using testing::ElementsAre;

class catalog_writes_test : public testing::Test {
 protected:
  // Whether the session must be asked what the text has left in it.
  bool leaves(std::string_view sql) {
    const catalog_facts known(fixture.make(), "bob", "\"$user\", public", nullptr);
    text_judge judge;
    const auto effects = judge.judge(sql, {}, known).is.effects;
    return effects.may_set || effects.may_pin;
  }

  void written(int relation, int trigger, int other = 0, std::optional<std::string> tree = {}) {
    fixture.add(catalog_query::writes,
                {std::to_string(relation), std::to_string(trigger), std::to_string(other), std::move(tree)});
  }

  catalog_fixture fixture;
};

TEST_F(catalog_writes_test, know_what_writing_to_a_table_leaves_in_the_session) {
  fixture.builtin(2078, "set_config", "25 25 16");
  for (const auto& [id, name] : std::initializer_list<std::pair<int, const char*>>{{16500, "plain"},
                                                                                   {16501, "noted"},
                                                                                   {16502, "set"},
                                                                                   {16503, "onward"},
                                                                                   {16504, "dynamic"},
                                                                                   {16505, "parent"},
                                                                                   {16506, "defaulted"},
                                                                                   {16507, "circle"},
                                                                                   {16508, "in_c"}})
    fixture.relation(id, 2200, name);
  fixture.relation(16510, 2200, "over", "v");
  fixture.add(catalog_query::views, {"16510", "({RTE :relid 16502})"});
  fixture.plpgsql(
      17001, "notes", "",
      "BEGIN NEW.a := lower(NEW.a); INSERT INTO plain SELECT NEW.*; IF TG_OP = 'DELETE' THEN RETURN "
      "OLD; END IF; RETURN NEW; END");
  fixture.plpgsql(17002, "sets", "", "BEGIN PERFORM set_config('a.b', NEW.a, false); RETURN NEW; END");
  fixture.plpgsql(17003, "passes_on", "", "BEGIN INSERT INTO \"set\" VALUES (NEW.a); RETURN NEW; END");
  fixture.plpgsql(17004, "executes", "", "BEGIN EXECUTE 'SET a.b = ' || NEW.a; RETURN NEW; END");
  fixture.plpgsql(17005, "circles", "", "BEGIN INSERT INTO circle VALUES (NEW.a); RETURN NEW; END");
  fixture.function({.id = "17006", .name = "moddatetime", .language = "c"});
  written(16501, 17001);
  written(16502, 17002);
  written(16503, 17003);
  written(16504, 17004);
  written(16505, 0, 16502);
  written(16506, 0, 0, "{FUNCEXPR :funcid 2078 :args <>}");
  written(16507, 17005);
  written(16508, 17006);
  for (const auto* table : {"plain", "noted", "circle", "in_c"})
    EXPECT_FALSE(leaves(fmt::format("INSERT INTO {} VALUES (1)", table))) << table;
  for (const auto* table : {"\"set\"", "onward", "dynamic", "parent", "defaulted", "over"})
    EXPECT_TRUE(leaves(fmt::format("INSERT INTO {} VALUES (1)", table))) << table;
  EXPECT_TRUE(leaves("WITH w AS (DELETE FROM onward RETURNING 1) SELECT 1"));
  EXPECT_TRUE(leaves("COPY \"set\" FROM STDIN"));
  fixture.relation(12100, 11, "pg_settings", "v");
  EXPECT_TRUE(leaves("UPDATE pg_settings SET setting = 1"));
  EXPECT_FALSE(leaves("SELECT * FROM \"set\""));
  EXPECT_FALSE(leaves("EXPLAIN INSERT INTO onward VALUES (1)"));
}

TEST_F(catalog_writes_test, list_the_custom_settings_that_functions_set) {
  fixture.plpgsql(17002, "sets", "25",
                  "BEGIN PERFORM set_config('App.Tenant', $1, false); SET other.x = 1; END");
  EXPECT_THAT(fixture.make()->set_by_functions(), ElementsAre("app.tenant", "other.x"));
}

}  // namespace
}  // namespace pgsteer::routing
