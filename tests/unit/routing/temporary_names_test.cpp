#include "routing/temporary_names.hpp"

#include <string>

#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

temporary_names named(std::initializer_list<std::string_view> names) {
  temporary_names all;
  for (const auto name : names)
    all.add(name);
  return all;
}

TEST(temporary_names, are_found_as_words_anywhere) {
  const auto mine = named({"mine", "Other"});
  for (const auto* text : {"SELECT * FROM mine", "mine", "select MINE.a", "SELECT \"mine\"", "'mine'",
                           "/* mine */", "SELECT a(mine)", "SELECT * FROM other", "a.mine", "mine::text"})
    EXPECT_TRUE(mine.may_be_in(text)) << text;
  for (const auto* text :
       {"SELECT * FROM mines", "_mine", "mine_", "mine1", "SELECT 'determined'", "", "min e", "mine$"})
    EXPECT_FALSE(mine.may_be_in(text)) << text;
}

TEST(temporary_names, are_cut_as_postgresql_cuts_them) {
  const std::string name(63, 'n');
  EXPECT_TRUE(named({name}).may_be_in("SELECT * FROM " + name + "nnn"));
  EXPECT_FALSE(named({name}).may_be_in("SELECT * FROM " + name.substr(1)));
}

TEST(temporary_names, that_can_be_written_in_many_ways_may_be_anywhere) {
  for (const auto* name : {"two words", "a\"b", "gr\xC3\xBC\xC3\x9F", "a-b"})
    EXPECT_TRUE(named({name}).may_be_in("SELECT 1")) << name;
  EXPECT_TRUE(named({"mine"}).may_be_in(R"(SELECT * FROM U&"m\0069ne")"));
  EXPECT_TRUE(named({"mine"}).may_be_in(R"(SELECT * FROM u&"m\0069ne")"));
  EXPECT_FALSE(named({"mine"}).may_be_in("SELECT u & 1"));
}

TEST(temporary_names, matter_to_whatever_asks_what_names_mean) {
  const auto mine = named({"mine"});
  for (const auto* text :
       {"SELECT oid::regclass FROM pg_class", "SELECT to_regtype('a')", "SELECT pg_get_viewdef(1)",
        "SELECT pg_table_is_visible(1)", "SELECT current_schemas(true)", "SELECT format_type(1, 2)",
        "SELECT has_table_privilege('a', 'SELECT')", "SELECT * FROM pg_temp.x", "SELECT pg_temp_3.x"})
    EXPECT_TRUE(mine.may_be_in(text)) << text;
  EXPECT_FALSE(mine.may_be_in("SELECT relname FROM pg_class WHERE relkind = 'r'"));
}

TEST(temporary_names, as_columns_aliases_and_typed_constants_mean_no_object) {
  const auto mine = named({"mine"});
  sql_parser parser;
  for (const auto* text : {"SELECT mine FROM t", "SELECT mine.a FROM t AS mine", "SELECT a AS mine FROM t",
                           "SELECT '{\"mine\": 1}'::jsonb", "SELECT a FROM t /* mine */",
                           "SELECT a FROM t ORDER BY mine", "SELECT 1", "SELECT 'other'::regclass",
                           "SELECT 1 FROM pg_index WHERE indrelid = 's.other'::regclass"})
    EXPECT_FALSE(mine.may_be_meant(text, parser)) << text;
  for (const auto* text : {"SELECT * FROM mine",
                           "SELECT * FROM s.mine",
                           "SELECT 1 FROM t WHERE a = 'mine'",
                           "SELECT f('mine')",
                           "SELECT a::mine FROM t",
                           "SELECT mine(a) FROM t",
                           "SELECT (SELECT a FROM mine) AS x",
                           "SELECT NULL::mine",
                           "WITH mine AS (SELECT 1) SELECT * FROM mine",
                           "SELECT CAST('(1)' AS mine)",
                           "SELECT a FROM t, mine AS t2",
                           "SELECT oid::regclass AS mine FROM pg_class",
                           "SELECT broken mine mine FROM",
                           "SELECT 'mine'::regclass",
                           "SELECT 's.\"mine\"'::regclass",
                           "SELECT current_schema",
                           "SELECT $1::regclass",
                           "SELECT 16384::regclass",
                           "SELECT '16384'::regclass",
                           "SELECT to_regclass('other')",
                           R"(SELECT * FROM U&"m\0069ne")",
                           "SELECT f('other'::regclass, pg_get_viewdef(1))"})
    EXPECT_TRUE(mine.may_be_meant(text, parser)) << text;
}

temporary_names apart() {
  temporary_names all;
  all.add_object("mine", "17000");
  all.add_object("mine_pkey", "17001");
  return all;
}

TEST(temporary_names, apart_from_all_others_are_met_by_those_who_name_them) {
  const auto mine = apart();
  sql_parser parser;
  for (const auto* text :
       {"SELECT * FROM mine",
        "SELECT a::mine FROM t",
        "SELECT mine(a) FROM t",
        "SELECT 'mine'::regclass",
        "SELECT 17000::regclass",
        "SELECT '17000'::regclass",
        "SELECT pg_get_indexdef('17001')",
        "SELECT pg_my_temp_schema()",
        "SELECT current_schemas(true)",
        "SELECT $1::regclass",
        "SELECT to_regclass($1)",
        "SELECT oid::regclass FROM pg_class",
        "SELECT a::regclass FROM t",
        "SELECT pg_get_viewdef(a) FROM t",
        "SELECT pg_get_viewdef((random() * 10)::int)",
        "SELECT (oid::int + 1)::regclass FROM pg_class WHERE oid = 1",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_indexes",
        "SELECT * FROM pg_views WHERE viewname = 'v'",
        "SELECT c.oid::regclass FROM pg_class c WHERE c.relname = 'mine'",
        "SELECT pg_table_is_visible(oid) FROM pg_class WHERE relname ~ '^(mi.*)$'",
        "SELECT pg_table_is_visible(oid) FROM pg_class WHERE relname ~ '^(mine)$'",
        "SELECT CASE relkind WHEN 'r' THEN 'mine' END::regclass FROM pg_class WHERE oid = 1",
        "SELECT CASE WHEN relname = 'mine' THEN 1 END, oid::regclass FROM pg_class WHERE oid = 1"})
    EXPECT_TRUE(mine.may_be_meant(text, parser)) << text;
  for (const auto* text :
       {"SELECT 1 FROM t WHERE a = 'mine'", "SELECT mine FROM t", "SELECT 'mine'", "SELECT f('mine')",
        "SELECT 'other'::regclass", "SELECT 17002::regclass", "SELECT pg_get_viewdef('v', true)",
        "SELECT tableoid::regclass, * FROM t", "SELECT has_table_privilege('other', 'SELECT')",
        "SELECT oid::regclass FROM pg_class WHERE oid = '16400'",
        "SELECT oid::regclass, CASE relkind WHEN 'mine' THEN 1 ELSE 2 END FROM pg_class WHERE oid = '16400'",
        "SELECT c.oid FROM pg_class c WHERE c.relname ~ '^(other)$' AND pg_table_is_visible(c.oid)"})
    EXPECT_FALSE(mine.may_be_meant(text, parser)) << text;
}

TEST(temporary_names, mixed_up_with_others_are_everywhere_where_names_are_asked_for) {
  auto mine = apart();
  mine.add_object("mixed", "");
  sql_parser parser;
  for (const auto* text : {"SELECT oid::regclass FROM pg_class WHERE oid = '16400'",
                           "SELECT 1 WHERE a = 'mine'", "SELECT pg_get_viewdef('v', true)"})
    EXPECT_TRUE(mine.may_be_meant(text, parser)) << text;
  mine.add_object("", "");
  EXPECT_TRUE(mine.may_be_meant("SELECT 1", parser));
}

TEST(temporary_names, beyond_a_number_are_all_names) {
  temporary_names all;
  for (int i = 0; i <= 1000; ++i)
    all.add("t" + std::to_string(i));
  EXPECT_TRUE(all.may_be_in("SELECT 1"));
}

}  // namespace
}  // namespace pgsteer::routing
