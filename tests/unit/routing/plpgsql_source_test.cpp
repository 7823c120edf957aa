// PL/pgSQL that libpg_query cannot read as it is: cursors, fields of rows, options.
#include "routing/plpgsql_source.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog_fixture.hpp"
#include "routing/catalog_facts.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"

namespace pgsteer::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class plpgsql_source_test : public testing::Test {
 protected:
  plpgsql_source_test() {
    fixture.builtin(3810, "pg_is_in_recovery", "");
    fixture.builtin(3058, "concat", "2276", true);
    fixture.builtin(2803, "count", "");
    fixture.relation(16500, 2200, "t");
    fixture.relation(16501, 2200, "row_of_two", "c");
    fixture.relation(16502, 2200, "s", "S");
    fixture.type(1790, 11, "refcursor");
    fixture.type(2249, 11, "record", "p");
  }
  std::string reason(const std::string& body, const std::string& volatility = "v") {
    auto made = fixture;
    made.plpgsql(17001, "f", "", body, volatility);
    const catalog_facts known(made.make(), "bob", "\"$user\", public", nullptr);
    text_judge judges;
    return judges.judge("SELECT f()", {}, known).is.reason;
  }
  catalog_fixture fixture;
};

TEST_F(plpgsql_source_test, reads_through_cursors) {
  for (const char* body : {
           "DECLARE c CURSOR FOR SELECT a FROM t; BEGIN FOR r IN c LOOP PERFORM r.a; END LOOP; RETURN 1; END",
           "DECLARE c CURSOR (n int) FOR SELECT a FROM t WHERE a > n; BEGIN FOR r IN c(n := 3) LOOP r.a := "
           "1; "
           "END LOOP; RETURN 1; END",
           "DECLARE c NO SCROLL CURSOR FOR SELECT a FROM t; x int; BEGIN OPEN c; FETCH NEXT FROM c INTO x; "
           "MOVE RELATIVE -1 FROM c; CLOSE c; RETURN x; END",
           "DECLARE c refcursor; x int; BEGIN OPEN c FOR SELECT a FROM t -- all\n; LOOP FETCH c INTO x; "
           "EXIT WHEN NOT FOUND; END LOOP; CLOSE c; RETURN x; END",
           "DECLARE c refcursor; x int; BEGIN OPEN c FOR EXECUTE 'SELECT a FROM t WHERE a > $1' USING 3; "
           "CLOSE c; RETURN x; END",
       })
    EXPECT_EQ(reason(body), "read") << body;
}

TEST_F(plpgsql_source_test, sees_what_cursors_do) {
  EXPECT_THAT(
      reason("DECLARE c CURSOR FOR SELECT pg_is_in_recovery(); BEGIN FOR r IN c LOOP RETURN 1; END LOOP; END",
             "s"),
      HasSubstr("pg_is_in_recovery()"));
  EXPECT_THAT(reason("DECLARE c CURSOR (n int) FOR SELECT 1; BEGIN FOR r IN c(nextval('s')) LOOP RETURN 1; "
                     "END LOOP; END"),
              HasSubstr("nextval()"));
  EXPECT_THAT(
      reason("DECLARE c refcursor; BEGIN OPEN c FOR SELECT last_value FROM s; CLOSE c; RETURN 1; END", "i"),
      HasSubstr("sequence"));
  EXPECT_THAT(
      reason("DECLARE c CURSOR (n int) FOR SELECT 1; BEGIN OPEN c(nextval('s')); CLOSE c; RETURN 1; END"),
      HasSubstr("nextval()"));
}

TEST_F(plpgsql_source_test, keeps_cursors_that_may_outlive_the_call) {
  for (const char* body : {
           "DECLARE c refcursor; BEGIN OPEN c FOR SELECT a FROM t; RETURN c; END",
           "DECLARE c CURSOR FOR SELECT a FROM t; BEGIN OPEN c; RETURN 1; END",
           "DECLARE c refcursor; d text; BEGIN OPEN c FOR SELECT a FROM t; d := c; CLOSE c; RETURN d; END",
       })
    EXPECT_THAT(reason(body), HasSubstr("volatile")) << body;
}

TEST_F(plpgsql_source_test, reads_assignments_to_fields) {
  EXPECT_EQ(reason("DECLARE r row_of_two; BEGIN r.a := 1; r.b := (SELECT count(*) FROM t); RETURN r; END"),
            "read");
  EXPECT_EQ(reason("DECLARE r t%ROWTYPE; x record; BEGIN x.y := 1; r.a := 1; RETURN r; END"), "read");
  EXPECT_THAT(reason("DECLARE r row_of_two; BEGIN r.a := nextval('s'); RETURN r; END"),
              HasSubstr("nextval()"));
  EXPECT_THAT(reason("DECLARE r nothing; BEGIN r.a := 1; RETURN r; END"), HasSubstr("volatile"));
}

TEST_F(plpgsql_source_test, passes_over_options) {
  EXPECT_EQ(reason("\n#variable_conflict use_column\n#print_strict_params on\nBEGIN RETURN 1; END"), "read");
}

TEST_F(plpgsql_source_test, believes_no_unread_body_that_names_what_a_standby_has_otherwise) {
  const std::string unread = "DECLARE c refcursor; BEGIN OPEN c FOR SELECT %; RETURN c; END";
  const auto with = [&](std::string_view query) {
    auto body = unread;
    return body.replace(body.find('%'), 1, query);
  };
  EXPECT_EQ(reason(with("1"), "s"), "read");
  EXPECT_THAT(reason(with("pg_is_in_recovery ()"), "s"), HasSubstr("pg_is_in_recovery()"));
  EXPECT_THAT(reason(with("log_cnt FROM s"), "i"), HasSubstr("sequence"));
}

TEST_F(plpgsql_source_test, looks_into_the_texts_that_are_put_together) {
  const std::string made =
      "DECLARE q text; BEGIN q := 'SELECT last_value FROM '; q := q || 's'; EXECUTE q; RETURN 1; END";
  EXPECT_THAT(reason(made, "s"), HasSubstr("sequence"));
  EXPECT_EQ(reason("DECLARE q text; BEGIN SELECT a INTO q FROM t; EXECUTE q; RETURN 1; END", "s"), "read");
}

TEST(plpgsql_source, reads_words_as_postgresql_does) {
  const std::string text =
      "BEGIN /* OPEN c; /* ; */ */ x := E'\\'OPEN c;' || $q$FOR r IN c LOOP$q$; -- CLOSE c;\nEND";
  const auto made = without_cursors("DECLARE c CURSOR FOR SELECT 1; " + text);
  EXPECT_THAT(made.text, testing::EndsWith(text));
  EXPECT_THAT(made.queries, IsEmpty());
  EXPECT_THAT(
      without_cursors("DECLARE \"C\" refcursor; BEGIN open \"C\" for SELECT ';'; close \"C\"; END").text,
      HasSubstr("PERFORM * FROM (SELECT ';'\n) AS c; NULL; END"));
  EXPECT_THAT(without_cursors("RETURN  NEXT ; RETURN NEXT x;").text,
              StartsWith("RETURN  NEXT NULL ; RETURN NEXT x;"));
  EXPECT_THAT(
      without_cursors("DECLARE c CURSOR (a int) FOR SELECT a; BEGIN FOR r IN c(f(1, ')')) LOOP").queries,
      ElementsAre("SELECT pg_catalog.concat(f(1, ')'))"));
}

TEST(plpgsql_source, survives_what_ends_too_early) {
  for (const char* text :
       {"", "#", "'", "\"", "$", "$a$", "/*", "OPEN", "c CURSOR", "c refcursor; OPEN c", "FOR r IN",
        "c refcursor; FETCH NEXT FROM", "E'\\", "c refcursor; OPEN c FOR;", "\"c"})
    EXPECT_NO_THROW(with_record(without_cursors(text), "c")) << text;
}

}  // namespace
}  // namespace pgsteer::routing
