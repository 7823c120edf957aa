// What the data path reads off a class: kinds, verbs, names, values and what may be left in the session.
#include "routing/classification.hpp"

#include <string>

#include <gtest/gtest.h>

#include "routing/classifier.hpp"

namespace pgsteer::routing {
namespace {

classification class_of(std::string_view sql, const parse_context& context = {}) {
  classifier judge;
  return *judge.classify(sql, context);
}

TEST(classification, names_the_parameter_of_set_as_the_server_does) {
  const auto expect = [](std::string_view sql, statement_kind kind, std::string_view name,
                         std::string_view value) {
    const auto is = class_of(sql);
    EXPECT_EQ(is.kind, kind) << sql;
    EXPECT_EQ(is.name, name) << sql;
    EXPECT_EQ(is.value, value) << sql;
  };
  expect("SET Work_Mem = '64MB'", statement_kind::set, "work_mem", "64MB");
  expect("SET a.B TO on", statement_kind::set, "a.b", "on");
  expect("SET a = 12", statement_kind::set, "a", "12");
  expect("SET a = 0", statement_kind::set, "a", "0");
  expect("SET a = -5", statement_kind::set, "a", "");
  expect("SET a = 1.5", statement_kind::set, "a", "1.5");
  expect("SET search_path = a, b", statement_kind::set, "search_path", "");
  expect("SET SCHEMA 'x'", statement_kind::set, "search_path", "x");
  expect("SET TIME ZONE 'UTC'", statement_kind::set, "timezone", "UTC");
  expect("SET TIME ZONE LOCAL", statement_kind::set, "timezone", "");
  expect("SET TIME ZONE INTERVAL '1' HOUR", statement_kind::set, "timezone", "");
  expect("SET NAMES 'latin1'", statement_kind::set, "client_encoding", "latin1");
  expect("SET ROLE r", statement_kind::set, "role", "r");
  expect("SET SESSION AUTHORIZATION DEFAULT", statement_kind::set, "session_authorization", "");
  expect("SET a TO DEFAULT", statement_kind::set, "a", "");
  expect("RESET a", statement_kind::set, "a", "");
  expect("RESET ALL", statement_kind::set, "all", "");
  expect("SET LOCAL a = 'b'", statement_kind::set_local, "a", "b");
  expect("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", statement_kind::set,
         "session_characteristics", "");
  expect("SHOW TimeZone", statement_kind::show, "timezone", "");
  expect("SHOW TRANSACTION ISOLATION LEVEL", statement_kind::show, "transaction_isolation", "");
  expect("DEALLOCATE Foo", statement_kind::deallocate, "foo", "");
  expect("DEALLOCATE \"Foo\"", statement_kind::deallocate, "Foo", "");
  expect("DEALLOCATE ALL", statement_kind::deallocate, "", "");
}

TEST(classification, reads_transaction_modes) {
  const auto begin = class_of("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE");
  EXPECT_EQ(begin.kind, statement_kind::transaction);
  EXPECT_EQ(begin.verb, transaction_verb::begin);
  EXPECT_EQ(begin.access, access_mode::read_only);
  EXPECT_EQ(begin.level, isolation::serializable);
  EXPECT_TRUE(begin.deferrable);
  EXPECT_EQ(class_of("BEGIN").access, access_mode::unspecified);
  EXPECT_EQ(class_of("BEGIN READ WRITE").access, access_mode::read_write);
  EXPECT_EQ(class_of("START TRANSACTION ISOLATION LEVEL READ UNCOMMITTED").level,
            isolation::read_uncommitted);
  const auto set = class_of("SET transaction_isolation = 'Repeatable Read'");
  EXPECT_EQ(set.verb, transaction_verb::set_transaction);
  EXPECT_EQ(set.level, isolation::repeatable_read);
  EXPECT_EQ(class_of("SET transaction_read_only TO true").access, access_mode::read_only);
  EXPECT_EQ(class_of("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").access, access_mode::read_only);
}

TEST(classification, tells_transaction_verbs) {
  EXPECT_EQ(class_of("COMMIT").verb, transaction_verb::commit);
  EXPECT_EQ(class_of("END").verb, transaction_verb::commit);
  EXPECT_EQ(class_of("ABORT").verb, transaction_verb::rollback);
  EXPECT_EQ(class_of("COMMIT AND CHAIN").verb, transaction_verb::chain);
  EXPECT_EQ(class_of("ROLLBACK AND CHAIN").verb, transaction_verb::chain);
  EXPECT_EQ(class_of("ROLLBACK TO a").verb, transaction_verb::savepoint);
  EXPECT_EQ(class_of("SET TRANSACTION READ ONLY").verb, transaction_verb::set_transaction);
  EXPECT_EQ(class_of("BEGIN; SELECT 1; COMMIT").verb, transaction_verb::mixed);
  EXPECT_EQ(class_of("SELECT 1; COMMIT").verb, transaction_verb::mixed);
  EXPECT_EQ(class_of("SELECT 1").verb, transaction_verb::none);
  EXPECT_EQ(class_of("PREPARE TRANSACTION 'x'").verb, transaction_verb::commit);
  EXPECT_EQ(class_of("PREPARE TRANSACTION 'x'").kind, statement_kind::write);
}

TEST(classification, says_what_may_be_left_in_the_session) {
  for (const auto* sql : {"SET a = 1",
                          "RESET a",
                          "DISCARD ALL",
                          "SELECT set_config('a', 'b', false)",
                          "DO 'x'",
                          "CALL p()",
                          "SELECT foo()",
                          "INSERT INTO t SELECT foo()",
                          "INSERT INTO t VALUES (set_config('a', 'b', false))",
                          "UPDATE t SET a = foo()",
                          "DELETE FROM t WHERE foo()",
                          "WITH x AS (INSERT INTO t SELECT foo()) SELECT 1",
                          "MERGE INTO t USING u ON foo() WHEN MATCHED THEN DELETE",
                          "CREATE TABLE x AS SELECT foo()",
                          "EXECUTE p",
                          "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = foo()",
                          "INSERT INTO t VALUES (1) RETURNING foo()",
                          "DECLARE c CURSOR FOR SELECT foo()",
                          "SELECT 1; SET a = 1",
                          "COPY (SELECT foo()) TO STDOUT",
                          "SELEC",
                          "EXPLAIN ANALYZE SELECT foo()",
                          "EXPLAIN ANALYZE INSERT INTO t SELECT foo()"}) {
    EXPECT_TRUE(class_of(sql).effects.may_set) << sql;
  }
  for (const auto* sql : {"CREATE TEMP TABLE t (a int)",
                          "CREATE TABLE pg_temp.t (a int)",
                          "SELECT 1 INTO TEMP t",
                          "LISTEN c",
                          "UNLISTEN *",
                          "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                          "CLOSE c",
                          "CLOSE ALL",
                          "DROP TABLE t",
                          "DROP SCHEMA s",
                          "DROP VIEW v",
                          "DROP SEQUENCE s",
                          "SELECT pg_advisory_lock(1)",
                          "SELECT pg_advisory_unlock_all()",
                          "PREPARE p AS SELECT 1",
                          "DEALLOCATE p",
                          "DISCARD TEMP",
                          "LOAD 'x'",
                          "DO 'x'",
                          "CALL p()",
                          "SELECT foo()",
                          "CREATE TEMP VIEW v AS SELECT 1",
                          "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'select 1'",
                          "CREATE TEMP SEQUENCE s",
                          "INSERT INTO t SELECT pg_advisory_lock(1)",
                          "EXECUTE p",
                          "SELECT 1; LISTEN c"}) {
    EXPECT_TRUE(class_of(sql).effects.may_pin) << sql;
  }
  for (const auto* sql :
       {"SELECT 1", "INSERT INTO t VALUES (1)", "UPDATE t SET a = now()", "BEGIN", "COMMIT", "FETCH c",
        "SELECT nextval('s')", "NOTIFY c", "TRUNCATE t", "SELECT * FROM t FOR UPDATE"}) {
    EXPECT_FALSE(class_of(sql).effects.may_set) << sql;
    EXPECT_FALSE(class_of(sql).effects.may_pin) << sql;
  }
}

TEST(classification, names_the_statement_that_a_text_uses) {
  const auto expect = [](std::string_view sql, statement_use use, std::string_view name) {
    const auto is = class_of(sql);
    EXPECT_EQ(is.use, use) << sql;
    EXPECT_EQ(is.used, name) << sql;
  };
  expect("PREPARE Mine (int) AS SELECT $1", statement_use::prepares, "mine");
  expect("/* why */ EXECUTE \"M y\" (1, 'a', now());", statement_use::executes, "M y");
  expect("EXPLAIN (COSTS off) EXECUTE p", statement_use::embeds, "p");
  expect("CREATE TEMP TABLE t AS EXECUTE p", statement_use::embeds, "p");
  expect("DEALLOCATE p", statement_use::deallocates, "p");
  expect("DEALLOCATE ALL", statement_use::none, "");
  expect("SELECT 1; EXECUTE p", statement_use::executes, "p");
  EXPECT_EQ(class_of("EXECUTE p; EXECUTE q").use, statement_use::several);
  EXPECT_EQ(class_of("EXECUTE p (foo())").use, statement_use::several);
  EXPECT_EQ(class_of("SELECT foo(); EXECUTE p").use, statement_use::several);
  EXPECT_EQ(class_of("EXECUTE p; SELECT foo()").use, statement_use::several);
}

TEST(classification, says_what_a_prepared_statement_will_be) {
  const auto part = [](std::string_view sql) { return class_of(sql).part; };
  ASSERT_NE(part("PREPARE p AS SELECT 1"), nullptr);
  EXPECT_EQ(part("PREPARE p AS SELECT 1")->kind, statement_kind::read);
  EXPECT_EQ(part("PREPARE p (int) AS DELETE FROM t WHERE a = $1")->kind, statement_kind::write);
  EXPECT_TRUE(part("PREPARE p (int) AS DELETE FROM t WHERE a = $1")->is_dml);
  EXPECT_TRUE(part("PREPARE p AS SELECT foo()")->effects.may_set);
  EXPECT_FALSE(class_of("PREPARE p AS SELECT foo()").effects.may_set) << "nothing runs yet";
  EXPECT_EQ(part("PREPARE p AS SELECT 1; SELECT 2"), nullptr) << "not the whole of the text";
  EXPECT_EQ(part("SELECT 2; PREPARE p AS SELECT 1"), nullptr);
}

TEST(classification, says_what_the_catalog_and_prepared_statements_lose) {
  EXPECT_TRUE(class_of("DEALLOCATE ALL").effects.deallocates_all);
  EXPECT_TRUE(class_of("DISCARD ALL").effects.deallocates_all);
  EXPECT_FALSE(class_of("DISCARD PLANS").effects.deallocates_all);
  EXPECT_FALSE(class_of("DEALLOCATE p").effects.deallocates_all);
  EXPECT_TRUE(class_of("LOAD 'x'").effects.loads_library);
  EXPECT_TRUE(class_of("SELECT currval('s')").effects.uses_session_sequence);
  EXPECT_TRUE(class_of("SELECT lastval()").effects.uses_session_sequence);
  EXPECT_TRUE(class_of("INSERT INTO t VALUES (nextval('s'))").effects.calls_nextval);
  EXPECT_TRUE(class_of("SELECT setseed(0.5)").effects.seeds_random);
  EXPECT_TRUE(class_of("SET seed = 0.5").effects.seeds_random);
  EXPECT_TRUE(class_of("CREATE INDEX ON t (a)").effects.changes_catalog);
  EXPECT_TRUE(class_of("DROP FUNCTION f").effects.changes_catalog);
  EXPECT_FALSE(class_of("INSERT INTO t VALUES (1)").effects.changes_catalog);
  EXPECT_FALSE(class_of("SELECT 1").effects.changes_catalog);
}

TEST(classification, tells_writes_that_any_read_only_server_refuses) {
  EXPECT_TRUE(class_of("INSERT INTO t VALUES (1)").is_dml);
  EXPECT_TRUE(class_of("WITH x AS (UPDATE t SET a = 1) SELECT 1").is_dml);
  EXPECT_FALSE(class_of("EXPLAIN INSERT INTO t VALUES (1)").is_dml);
  EXPECT_FALSE(class_of("PREPARE p AS INSERT INTO t VALUES (1)").is_dml);
  EXPECT_FALSE(class_of("SELECT foo()").is_dml);
  for (const auto* sql :
       {"CREATE TABLE t (a int)", "CREATE TEMP TABLE t (a int)", "TRUNCATE t", "DROP VIEW v", "GRANT a TO b"})
    EXPECT_TRUE(class_of(sql).is_dml) << sql;
  // A standby says something else of these, or does them.
  for (const auto* sql :
       {"VACUUM t", "REINDEX TABLE t", "LOCK t", "LISTEN a", "DO 'x'", "CALL p()", "ALTER SYSTEM SET a = 1"})
    EXPECT_FALSE(class_of(sql).is_dml) << sql;
}

TEST(classification, does_not_parse_what_settings_make_ambiguous) {
  const parse_context backslashes{.standard_conforming_strings = false, .ascii_safe_encoding = true};
  const parse_context hidden{.standard_conforming_strings = true, .ascii_safe_encoding = false};
  EXPECT_EQ(class_of(R"(SELECT 'a\''; DELETE FROM t; --')").kind, statement_kind::read);
  EXPECT_EQ(class_of(R"(SELECT 'a\''; DELETE FROM t; --')", backslashes).kind, statement_kind::write);
  EXPECT_EQ(class_of("SELECT 'a'", backslashes).kind, statement_kind::read);
  EXPECT_EQ(class_of("SELECT '\x95\x5c'", hidden).kind, statement_kind::write);
  EXPECT_EQ(class_of("SELECT 'a'", hidden).kind, statement_kind::read);
}

TEST(classification, a_text_read_under_other_settings_is_not_taken_from_the_cache) {
  classifier judge;
  const std::string_view sql = R"(SELECT 'a\''; DELETE FROM t; --')";
  const parse_context backslashes{.standard_conforming_strings = false, .ascii_safe_encoding = true};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(judge.classify(sql, {})->kind, statement_kind::read);
    EXPECT_EQ(judge.classify(sql, backslashes)->kind, statement_kind::write);
  }
}

TEST(classification, a_zero_byte_hides_nothing) {
  EXPECT_EQ(class_of(std::string_view("SELECT 1\0; DELETE FROM t", 24)).kind, statement_kind::write);
}

TEST(encodings, only_those_whose_characters_hide_no_ascii_are_safe) {
  for (const auto* name :
       {"UTF8", "utf-8", "Unicode", "LATIN1", "SQL_ASCII", "EUC_JP", "windows-1252", "KOI8-R", "WIN1251"}) {
    EXPECT_TRUE(is_ascii_safe_encoding(name)) << name;
  }
  for (const auto* name : {"SJIS", "Shift_JIS", "mskanji", "BIG5", "GBK", "UHC", "GB18030", "JOHAB",
                           "SHIFT_JIS_2004", "win949", "", "?"}) {
    EXPECT_FALSE(is_ascii_safe_encoding(name)) << name;
  }
}

}  // namespace
}  // namespace pgsteer::routing
