// `pgsteer route`: sessions as they would go on, and its two forms of answer.
#include "routing/route_command.hpp"

#include <initializer_list>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

using testing::HasSubstr;

struct step {
  const char* sql;
  target where;
};

constexpr auto primary = target::primary;
constexpr auto replica = target::replica;

void expect_session(std::initializer_list<step> steps) {
  router routes;
  int line = 0;
  for (const auto& [sql, where] : steps) {
    const auto answer = routes.route(sql, "s");
    ++line;
    EXPECT_EQ(answer.where, where) << "step " << line << ": " << sql << ": " << answer.reason;
  }
}

TEST(route, a_transaction_stays_where_it_began) {
  expect_session({{"BEGIN", primary}, {"SELECT 1", primary}, {"COMMIT", primary}, {"SELECT 1", replica}});
  expect_session({{"BEGIN READ ONLY", replica},
                  {"SELECT 1", replica},
                  {"COMMIT", replica},
                  {"INSERT INTO t VALUES (1)", primary}});
  expect_session({{"BEGIN READ ONLY", replica},
                  {"SELECT foo()", primary},
                  {"SELECT 1", primary},
                  {"END", primary},
                  {"SELECT 1", replica}});
  expect_session(
      {{"BEGIN; SELECT 1", primary}, {"SELECT 1", primary}, {"ROLLBACK", primary}, {"SELECT 1", replica}});
  expect_session({{"BEGIN", primary},
                  {"COMMIT AND CHAIN", primary},
                  {"SELECT 1", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica}});
  expect_session({{"BEGIN READ ONLY", replica},
                  {"ROLLBACK AND CHAIN", replica},
                  {"SELECT 1", replica},
                  {"ROLLBACK", replica}});
  expect_session({{"BEGIN", primary}, {"PREPARE TRANSACTION 'x'", primary}, {"SELECT 1", replica}});
  expect_session({{"COMMIT", primary}, {"SELECT 1", replica}});
}

TEST(route, a_setting_of_the_sessions_own_is_the_same_everywhere) {
  constexpr auto asks = "SELECT current_setting('app.tenant', true)";
  expect_session({{asks, primary},
                  {"SET app.tenant = 'x'", primary},
                  {asks, replica},
                  {"SHOW app.Tenant", replica},
                  {"SHOW work_mem", primary},
                  {"SELECT current_setting('APP.tenant')", replica},
                  {"SELECT current_setting('app.tenant') || current_setting('app.other')", primary},
                  {"SELECT current_setting('transaction_read_only')", primary},
                  {"BEGIN READ ONLY", replica},
                  {asks, replica},
                  {"COMMIT", replica},
                  {"RESET app.tenant", primary},
                  {asks, primary}});
  expect_session({{"SET work_mem = '1MB'", primary},
                  {"SHOW work_mem", replica},
                  {"RESET ALL", primary},
                  {"SHOW work_mem", primary}});
  expect_session({{"SHOW search_path", replica},
                  {"SHOW client_min_messages", replica},
                  {"SHOW TRANSACTION ISOLATION LEVEL", replica},
                  {"SET default_transaction_isolation = 'serializable'", primary},
                  {"SHOW TRANSACTION ISOLATION LEVEL", primary},
                  {"RESET default_transaction_isolation", primary},
                  {"SHOW default_transaction_read_only", primary},
                  {"SELECT version(), current_setting('server_version_num')", replica},
                  {"SHOW server_version", replica},
                  {"SELECT version(1)", primary}});
  expect_session({{"BEGIN", primary},
                  {"SET app.tenant = 'x'", primary},
                  {"ROLLBACK", primary},
                  {asks, primary},
                  {"SET transaction_read_only = off", primary},
                  {"SHOW transaction_read_only", primary},
                  {"SET pgsteer.route = 'auto'", primary},
                  {"SELECT current_setting('pgsteer.route')", primary}});
}

TEST(route, defaults_of_transactions_are_remembered) {
  expect_session({{"SET default_transaction_read_only = on", primary},
                  {"BEGIN", replica},
                  {"SELECT 1", replica},
                  {"COMMIT", replica},
                  {"BEGIN READ WRITE", primary}});
  expect_session({{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", primary}, {"BEGIN", replica}});
  expect_session({{"SET default_transaction_isolation = 'serializable'", primary},
                  {"SELECT 1", primary},
                  {"BEGIN READ ONLY", primary}});
  expect_session({{"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE", primary},
                  {"SELECT 1", primary},
                  {"RESET default_transaction_isolation", primary},
                  {"SELECT 1", replica}});
  expect_session({{"BEGIN", primary},
                  {"SET default_transaction_read_only = on", primary},
                  {"ROLLBACK", primary},
                  {"BEGIN", primary}});
  expect_session({{"BEGIN", primary},
                  {"SET LOCAL default_transaction_read_only = on", primary},
                  {"COMMIT", primary},
                  {"BEGIN", primary}});
  expect_session(
      {{"SELECT set_config('default_transaction_read_only', 'on', false)", primary}, {"BEGIN", replica}});
  expect_session(
      {{"SET default_transaction_read_only = on", primary}, {"RESET ALL", primary}, {"BEGIN", primary}});
  expect_session(
      {{"SET default_transaction_read_only = on", primary}, {"DISCARD ALL", primary}, {"BEGIN", primary}});
}

TEST(route, a_temporary_table_pins_what_may_name_it_until_it_is_dropped) {
  expect_session({{"CREATE TEMP TABLE t (a int)", primary},
                  {"SELECT * FROM t", primary},
                  {"DROP TABLE t", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"CREATE TABLE pg_temp.t (a int)", primary},
                  {"SELECT * FROM t", primary},
                  {"DISCARD TEMP", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"SELECT 1 INTO TEMP t", primary},
                  {"SELECT * FROM t", primary},
                  {"DISCARD ALL", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"CREATE TEMP TABLE t AS SELECT 1", primary},
                  {"ALTER TABLE t RENAME TO u", primary},
                  {"DROP TABLE t", primary},
                  {"SELECT * FROM u", primary},
                  {"DROP TABLE pg_temp.u", primary},
                  {"SELECT 1 FROM u", replica}});
  expect_session({{"BEGIN", primary},
                  {"CREATE TEMP TABLE t (a int)", primary},
                  {"ROLLBACK", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"BEGIN", primary},
                  {"CREATE TEMP TABLE t (a int) ON COMMIT DROP", primary},
                  {"COMMIT", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"BEGIN", primary},
                  {"SAVEPOINT a", primary},
                  {"CREATE TEMP TABLE t (a int)", primary},
                  {"ROLLBACK TO a", primary},
                  {"COMMIT", primary},
                  {"SELECT 1 FROM t", replica}});
  expect_session({{"CREATE TEMP VIEW v AS SELECT 1", primary},
                  {"SELECT * FROM v", primary},
                  {"DROP VIEW v", primary},
                  {"SELECT 1 FROM v", replica}});
  expect_session({{"CREATE TEMP SEQUENCE q", primary}, {"SELECT last_value FROM Q", primary}});
  expect_session({{"SET search_path = pg_temp", primary},
                  {"CREATE TABLE t (a int)", primary},
                  {"SELECT * FROM t", primary}});
  expect_session({{"CREATE TABLE t (a int)", primary}, {"SELECT 1 FROM t", replica}});
}

TEST(route, reads_that_have_nothing_to_do_with_what_pins_go_to_a_replica) {
  expect_session({{"CREATE TEMP TABLE mine (a int)", primary},
                  {"SELECT * FROM others", replica},
                  {"SELECT * FROM others WHERE a = 'mine'", primary},
                  {"SELECT * FROM others WHERE a = 'miners'", replica},
                  {"SELECT * FROM \"MINE\"", primary},
                  {R"(SELECT * FROM U&"m\0069ne")", primary},
                  {"SELECT c.oid::regclass FROM pg_class c", primary},
                  {"SELECT pg_table_is_visible(oid) FROM pg_class", primary},
                  {"SELECT 1; SELECT 2 FROM others", replica},
                  {"BEGIN READ ONLY", primary},
                  {"SELECT * FROM others", primary},
                  {"COMMIT", primary},
                  {"DROP TABLE other.mine", primary},
                  {"SELECT * FROM mine", primary}});
  expect_session({{"CREATE TEMP TABLE \"my own\" (a int)", primary}, {"SELECT * FROM others", primary}});
  expect_session(
      {{"CREATE TEMP TABLE mine () INHERITS (others)", primary}, {"SELECT * FROM third", primary}});
  expect_session({{"CREATE TEMP TABLE mine (a int)", primary},
                  {"CREATE TEMP TABLE child () INHERITS (mine)", primary},
                  {"SELECT * FROM others", replica},
                  {"ALTER TABLE child INHERIT others", primary},
                  {"SELECT * FROM others", primary}});
  expect_session({{"LOAD 'x'", primary}, {"SELECT 1", primary}});
}

TEST(route, what_else_a_backend_keeps_pins_too) {
  expect_session({{"LISTEN a", primary},
                  {"BEGIN READ ONLY", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica},
                  {"UNLISTEN *", primary},
                  {"SELECT 1", replica}});
  expect_session({{"BEGIN", primary},
                  {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", primary},
                  {"COMMIT", primary},
                  {"BEGIN READ ONLY", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica},
                  {"CLOSE c", primary},
                  {"SELECT 1", replica}});
  expect_session({{"SELECT pg_advisory_lock(1)", primary},
                  {"BEGIN READ ONLY", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica},
                  {"SELECT pg_advisory_unlock(1)", primary},
                  {"SELECT 1", replica}});
  expect_session({{"SELECT pg_advisory_lock(1), pg_advisory_lock(2)", primary},
                  {"SELECT pg_advisory_unlock(1)", primary},
                  {"BEGIN READ ONLY", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica},
                  {"SELECT pg_advisory_unlock_all()", primary},
                  {"SELECT 1", replica}});
  expect_session({{"SELECT pg_advisory_xact_lock(1)", primary}, {"SELECT 1", replica}});
  expect_session({{"PREPARE p AS SELECT 1", primary},
                  {"EXECUTE p", primary},
                  {"BEGIN READ ONLY", primary},
                  {"COMMIT", primary},
                  {"SELECT 1", replica},
                  {"DEALLOCATE p", primary},
                  {"SELECT 1", replica}});
  expect_session({{"LOAD 'x'", primary}, {"DISCARD ALL", primary}, {"SELECT 1", primary}});
  expect_session({{"SELECT setseed(0.5)", primary}, {"SELECT random()", primary}});
}

TEST(route, a_cursor_of_a_read_only_transaction_stays_on_its_replica) {
  expect_session({{"BEGIN READ ONLY", replica},
                  {"DECLARE c CURSOR FOR SELECT 1", replica},
                  {"FETCH 1 FROM c", replica},
                  {"CLOSE c", replica},
                  {"COMMIT", replica}});
}

TEST(route, settings_that_change_the_reading_of_texts_are_remembered) {
  expect_session({{"SET standard_conforming_strings = off", primary},
                  {R"(SELECT 'a\''; DELETE FROM t; --')", primary},
                  {"SELECT 'a'", replica},
                  {"RESET standard_conforming_strings", primary},
                  {R"(SELECT 'a\')", replica}});
  expect_session({{"SET NAMES 'SJIS'", primary},
                  {"SELECT '\x95\x5c'", primary},
                  {"SELECT 'a'", replica},
                  {"SET client_encoding = 'UTF8'", primary},
                  {"SELECT 'é'", replica}});
}

TEST(route, learns_from_the_log_which_relations_a_replica_cannot_serve) {
  expect_session({{"SELECT * FROM counter", replica},
                  {"CREATE SEQUENCE counter", primary},
                  {"SELECT * FROM counter", primary},
                  {"SELECT * FROM s.counter", primary},
                  {"ALTER SEQUENCE counter RENAME TO ticks", primary},
                  {"SELECT * FROM ticks", primary},
                  {"DROP SEQUENCE ticks", primary},
                  {"SELECT * FROM ticks", replica}});
  expect_session({{"CREATE UNLOGGED TABLE u (a int)", primary},
                  {"SELECT * FROM u", primary},
                  {"DROP TABLE u", primary},
                  {"CREATE TABLE u (a int)", primary},
                  {"SELECT * FROM u", replica}});
  expect_session({{"CREATE VIEW busy AS SELECT * FROM pg_stat_activity", primary},
                  {"SELECT * FROM busy", primary},
                  {"CREATE VIEW over_busy AS SELECT * FROM busy", primary},
                  {"SELECT * FROM over_busy", primary},
                  {"CREATE OR REPLACE VIEW busy AS SELECT 1", primary},
                  {"SELECT * FROM busy", replica}});
  expect_session({{"CREATE FOREIGN TABLE f (a int) SERVER x", primary}, {"SELECT * FROM f", primary}});
}

TEST(route, what_one_session_creates_the_others_see) {
  router routes;
  EXPECT_EQ(routes.route("CREATE SEQUENCE counter", "a").where, primary);
  EXPECT_EQ(routes.route("SELECT * FROM counter", "b").where, primary);
}

TEST(route, sessions_are_apart_and_bounded) {
  router routes(10);
  EXPECT_EQ(routes.route("BEGIN", "a").where, primary);
  EXPECT_EQ(routes.route("SELECT 1", "b").where, replica);
  EXPECT_EQ(routes.route("SELECT 1", "a").where, primary);
  for (int i = 0; i < 100; ++i)
    static_cast<void>(routes.route("SELECT 1", fmt::format("s{}", i)));
  EXPECT_EQ(routes.sessions(), 10U);
}

TEST(route, answers_in_text) {
  router routes;
  EXPECT_EQ(routes.text_answer("SELECT 1"), "replica: read");
  EXPECT_EQ(routes.text_answer("SELECT foo()"), "primary: calls unknown function foo()");
}

TEST(route, answers_in_json_line_by_line) {
  router routes;
  EXPECT_EQ(routes.json_answer(R"({"sql": "SELECT 1", "session": "a"})"),
            R"({"target":"replica","reason":"read"})");
  EXPECT_EQ(routes.json_answer(R"({"sql": "BEGIN", "session": "a"})"),
            R"({"target":"primary","reason":"transaction may write"})");
  EXPECT_EQ(routes.json_answer(R"({"sql": "SELECT 1", "session": "a", "more": [1]})"),
            R"({"target":"primary","reason":"in a transaction on the primary"})");
  EXPECT_EQ(routes.json_answer(R"({"sql": "SELECT 1"})"), R"({"target":"replica","reason":"read"})");
  EXPECT_EQ(routes.json_answer(R"x({"sql": "SELECT \"a\nb\"()"})x"),
            R"x({"target":"primary","reason":"calls unknown function a\nb()"})x");
}

TEST(route, says_what_is_wrong_with_a_line) {
  router routes;
  for (const auto* line : {"", "x", "[]", "{}", R"x({"sql": 1})x", R"x({"sql": "SELECT 1", "session": 1})x",
                           R"x({"sql": "SELECT 1")x"}) {
    EXPECT_THAT(routes.json_answer(line), HasSubstr(R"x({"error":")x")) << line;
  }
}

}  // namespace
}  // namespace pgsteer::routing
