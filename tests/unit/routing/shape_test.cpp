// Shapes: what they leave out, and what must never make two different statements one.
#include "routing/shape.hpp"

#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "routing/classifier.hpp"

namespace pgsteer::routing {
namespace {

std::optional<std::string> shape(std::string_view sql) {
  std::array<char, 1024> buffer;
  const auto found = shape_of(sql, buffer);
  if (!found) return std::nullopt;
  return std::string(found->text);
}

TEST(shape, takes_out_literals_and_white_space) {
  EXPECT_EQ(shape("SELECT a FROM t WHERE b = 42"), "SELECT a FROM t WHERE b = 0");
  EXPECT_EQ(shape("SELECT 'it''s', 1.5e-3, 7."), "SELECT '', 0, 0");
  EXPECT_EQ(shape("  SELECT\n\t a \r\n"), "SELECT a");
  EXPECT_EQ(shape("SELECT a1, b_2, $1, \"c 3\", d$4"), "SELECT a1, b_2, $1, \"c 3\", d$4");
  EXPECT_EQ(shape("SELECT -1+2-3"), "SELECT -0+0-0");
  EXPECT_EQ(shape("SELECT a[1:2]"), "SELECT a[0:0]");
  EXPECT_EQ(shape("SELECT interval '1 day'"), "SELECT interval ''");
  EXPECT_EQ(shape("SELECT 'é', é"), "SELECT '', é");
  EXPECT_EQ(shape(""), "");
}

TEST(shape, makes_one_of_the_literals_of_a_list) {
  EXPECT_EQ(shape("a IN (1,2,3)"), "a IN (0)");
  EXPECT_EQ(shape("a in ( 1 , 2 , 3 )"), "a in ( 0 )");
  EXPECT_EQ(shape("a IN ('x', 'y')"), "a IN ('')");
  EXPECT_EQ(shape("a IN (1, 'y')"), "a IN (0, '')");
  EXPECT_EQ(shape("a IN (1, 2, b)"), "a IN (0, b)");
  EXPECT_EQ(shape("a IN (b, 1, 2)"), "a IN (b, 0, 0)");
  EXPECT_EQ(shape("a IN (1, f(2, 3))"), "a IN (0, f(0, 0))");
  EXPECT_EQ(shape("a IN (1, 2 + 3)"), "a IN (0 + 0)");
  EXPECT_EQ(shape("f(1, 2)"), "f(0, 0)");
  EXPECT_EQ(shape("VALUES (1, 2)"), "VALUES (0, 0)");
  EXPECT_EQ(shape("\"in\" (1, 2)"), "\"in\" (0, 0)");
}

TEST(shape, refuses_what_could_hide_the_end_of_a_string) {
  for (const auto* sql :
       {R"('a\'b')", R"(E'a')",  R"(e'a\'')", R"(U&'a')", R"(u&"a")",  R"(B'1')", R"(x'1F')",  R"(N'a')",
        "$$a$$",     "$a$b$a$",  "$",         "$a",       "/* a */ 1", "1 -- a",  "1 /* ' */", "'a",
        "\"a",       "'a'\n'b'", "'a' 'b'",   "1a",       "1e",        "1e+",     "0x1F",      "1_000",
        "1..2",      "1.2.3",    "a.1",       ".5",       "$1a",       "$1$a$",   "'a'b",      "\"a\"b",
        "\"a\\\"",   "\v",       "a\\b",      "1'a'",     "$1'a'",     "\x7f",    "_a'b'"}) {
    EXPECT_EQ(shape(sql), std::nullopt) << sql;
  }
  EXPECT_EQ(shape(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(shape(std::string_view("'a\0'", 4)), std::nullopt);
}

TEST(shape, refuses_what_does_not_fit) {
  EXPECT_EQ(shape(std::string(1025, 'a')), std::nullopt);
}

TEST(shape, distinct_tokens_never_run_together) {
  EXPECT_NE(shape("a 1"), shape("a1"));
  EXPECT_NE(shape("t.a"), shape("t a"));
  EXPECT_NE(shape("a - -1"), shape("a --1"));
  EXPECT_NE(shape("$1"), shape("$2"));
  EXPECT_NE(shape("'1'"), shape("1"));
}

// Each pair tries to have the class of its first text applied to its second.
TEST(shape, cannot_be_poisoned) {
  struct attempt {
    const char* harmless;
    const char* harmful;
  };
  for (const auto& [harmless, harmful] : {
           attempt{"SELECT 'a', 'b'", "SELECT 'a\\', nextval('s'), '"},
           attempt{"SELECT '' , ''", "SELECT E'\\'' , nextval('s') , ''"},
           attempt{"SELECT '', ''", "SELECT '''', nextval('s'), ''"},
           attempt{"SELECT 1 ; SELECT ''", "SELECT 1 ; SELECT $$'$$; DELETE FROM t; SELECT $$'$$"},
           attempt{"SELECT 'x'", "SELECT /* ' */ nextval('s') /* ' */"},
           attempt{"SELECT 'x'", "SELECT -- '\nnextval('s') -- '"},
           attempt{"SELECT a IN (1)", "SELECT a IN (1, nextval('s'))"},
           attempt{"SELECT a IN (1, 2)", "SELECT a IN (1, 2); DELETE FROM t"},
           attempt{"SELECT \"a'\", 'b'", "SELECT \"a\", nextval('s'), 'b'"},
           attempt{"SELECT U&\"a\", 'b'", "SELECT U&\"a\"\"\", nextval('s'), 'b'"},
           attempt{"EXPLAIN (SETTINGS 0) SELECT 1", "EXPLAIN (SETTINGS 1) SELECT 1"},
           attempt{"EXPLAIN (SETTINGS 'off') SELECT 1", "EXPLAIN (SETTINGS 'on') SELECT 1"},
           attempt{"SELECT a FROM t0", "SELECT a FROM t.nextval"},
           attempt{"SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 1 FOR UPDATE"},
       }) {
    classifier judge;
    static_cast<void>(judge.classify(harmless, {}));
    static_cast<void>(judge.classify(harmless, {}));
    const auto after = judge.classify(harmful, {});
    classifier fresh;
    EXPECT_EQ(after->kind, fresh.classify(harmful, {})->kind) << harmful;
    EXPECT_EQ(after->reason, fresh.classify(harmful, {})->reason) << harmful;
  }
}

TEST(shape, a_set_is_never_remembered_by_its_shape) {
  classifier judge;
  EXPECT_EQ(judge.classify("SET a = 'x'", {})->value, "x");
  EXPECT_EQ(judge.classify("SET a = 'y'", {})->value, "y");
}

}  // namespace
}  // namespace pgsteer::routing
