// Where a unit goes, by its class and the session's state: the matrix, and joined units.
#include "routing/decide.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/classifier.hpp"

namespace pgsteer::routing {
namespace {

classification class_of(std::string_view sql) {
  classifier judge;
  return *judge.classify(sql, {});
}

target outside(std::string_view sql, const session_view& session = {}) {
  return decide(class_of(sql), session).where;
}

target in_replica_block(std::string_view sql) {
  session_view session;
  session.open = block::on_replica;
  return decide(class_of(sql), session).where;
}

target in_primary_block(std::string_view sql) {
  session_view session;
  session.open = block::on_primary;
  return decide(class_of(sql), session).where;
}

TEST(decide, reads_go_to_a_replica_and_the_rest_to_the_primary) {
  EXPECT_EQ(outside("SELECT 1"), target::replica);
  EXPECT_EQ(outside(""), target::replica);
  EXPECT_EQ(outside("INSERT INTO t VALUES (1)"), target::primary);
  EXPECT_EQ(outside("SHOW a"), target::primary);
  EXPECT_EQ(outside("SET a = 1"), target::primary);
  EXPECT_EQ(outside("FETCH c"), target::primary);
  EXPECT_EQ(outside("COMMIT"), target::primary);
}

TEST(decide, a_read_only_transaction_runs_on_a_replica_unless_serializable) {
  session_view session;
  session.default_read_only = true;
  EXPECT_EQ(outside("BEGIN", session), target::replica);
  EXPECT_EQ(outside("BEGIN READ WRITE", session), target::primary);
  EXPECT_EQ(outside("BEGIN ISOLATION LEVEL SERIALIZABLE", session), target::primary);
  session.default_isolation = isolation::serializable;
  EXPECT_EQ(outside("BEGIN", session), target::primary);
  EXPECT_EQ(outside("BEGIN ISOLATION LEVEL REPEATABLE READ", session), target::replica);
  EXPECT_EQ(outside("BEGIN READ ONLY"), target::replica);
  EXPECT_EQ(outside("BEGIN"), target::primary);
}

TEST(decide, a_block_may_begin_on_a_replica_where_transactions_are_split) {
  session_view session;
  session.splits = true;
  for (const auto* sql :
       {"BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN READ ONLY"})
    EXPECT_EQ(outside(sql, session), target::replica) << sql;
  for (const auto* sql :
       {"BEGIN READ WRITE", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "BEGIN DEFERRABLE", "BEGIN; SELECT 1", "BEGIN; INSERT INTO t VALUES (1)"})
    EXPECT_EQ(outside(sql, session), target::primary) << sql;
  EXPECT_TRUE(begins_split_block(class_of("BEGIN"), session));
  EXPECT_FALSE(begins_split_block(class_of("BEGIN READ ONLY"), session));
  session.default_isolation = isolation::repeatable_read;
  EXPECT_EQ(outside("BEGIN", session), target::primary);
  session.default_isolation = isolation::read_committed;
  session.wish.wish = route_wish::primary;
  EXPECT_EQ(outside("BEGIN", session), target::primary);
}

TEST(decide, a_split_block_leaves_at_what_does_not_move_along) {
  session_view session;
  session.open = block::on_replica;
  session.block_is_split = true;
  const auto within = [&](std::string_view sql) { return decide(class_of(sql), session).where; };
  for (const auto* sql :
       {"SELECT 1", "", "COMMIT", "ROLLBACK", "SET LOCAL work_mem = '1MB'", "SHOW timezone",
        "EXPLAIN SELECT 1", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET LOCAL search_path = a",
        "SET LOCAL ROLE a", "SELECT pg_catalog.set_config('role', $1, true)"})
    EXPECT_EQ(within(sql), target::stay) << sql;
  for (const auto* sql :
       {"INSERT INTO t VALUES (1)", "SELECT 1 FOR UPDATE", "SAVEPOINT s", "DECLARE c CURSOR FOR SELECT 1",
        "FETCH c", "SET work_mem = '1MB'", "SET LOCAL search_path = a, b", "SET LOCAL a TO DEFAULT",
        "SET LOCAL SESSION AUTHORIZATION a", "SET LOCAL ROLE a; SELECT 1",
        "SELECT pg_catalog.set_config('a.b', 'c', true); SELECT 1", "SHOW transaction_read_only",
        "COMMIT AND CHAIN", "SET TRANSACTION READ ONLY", "SELECT foo()",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "/* pgsteer: primary */ SELECT 1"})
    EXPECT_EQ(within(sql), target::move_primary) << sql;
}

TEST(decide, a_read_in_a_serializable_session_cannot_run_on_a_standby) {
  session_view session;
  session.default_isolation = isolation::serializable;
  EXPECT_EQ(outside("SELECT 1", session), target::primary);
}

TEST(decide, a_default_read_only_session_still_sends_writes_to_the_primary) {
  session_view session;
  session.default_read_only = true;
  EXPECT_EQ(outside("INSERT INTO t VALUES (1)", session), target::primary);
  EXPECT_EQ(outside("SELECT 1", session), target::replica);
}

TEST(decide, a_pinned_session_stays_with_its_primary_backend_and_says_why) {
  session_view session;
  session.pin = "session has a temporary object";
  for (const auto* sql : {"SELECT 1", "INSERT INTO t VALUES (1)", "BEGIN READ ONLY", "", "SET a = 1"}) {
    const auto decided = decide(class_of(sql), session);
    EXPECT_EQ(decided.where, target::primary) << sql;
    EXPECT_EQ(decided.reason, session.pin) << sql;
  }
}

TEST(decide, everything_in_a_block_on_the_primary_stays) {
  for (const auto* sql : {"SELECT 1", "INSERT INTO t VALUES (1)", "COMMIT", "SAVEPOINT a", "SELEC", "SHOW a",
                          "BEGIN READ ONLY", "COMMIT; SELECT 1"}) {
    EXPECT_EQ(in_primary_block(sql), target::stay) << sql;
  }
}

TEST(decide, a_block_on_a_replica_keeps_what_a_read_only_transaction_answers_there) {
  for (const auto* sql : {"SELECT 1",
                          "",
                          "COMMIT",
                          "ROLLBACK",
                          "COMMIT AND CHAIN",
                          "SET LOCAL a = 1",
                          "SET TRANSACTION READ ONLY",
                          "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                          "DECLARE c CURSOR FOR SELECT 1",
                          "FETCH c",
                          "MOVE c",
                          "CLOSE c",
                          "SHOW transaction_isolation",
                          "SHOW transaction_read_only",
                          "SHOW timezone",
                          "SHOW client_encoding",
                          "BEGIN",
                          "BEGIN READ WRITE",
                          "COPY t TO STDOUT",
                          "EXPLAIN ANALYZE SELECT 1",
                          "SELECT 1; COMMIT",
                          "SELECT 1; SELECT 2",
                          "SAVEPOINT a; SELECT 1; RELEASE a"}) {
    EXPECT_EQ(in_replica_block(sql), target::stay) << sql;
  }
}

TEST(decide, a_block_on_a_replica_moves_at_its_first_savepoint_while_it_can) {
  session_view session;
  session.open = block::on_replica;
  for (const auto* sql : {"SAVEPOINT a", "RELEASE a", "ROLLBACK TO a"}) {
    session.block_may_move = true;
    EXPECT_EQ(decide(class_of(sql), session).where, target::move_primary) << sql;
    session.block_may_move = false;
    EXPECT_EQ(decide(class_of(sql), session).where, target::stay) << sql;
  }
}

// A standby refuses these with the words of any read-only transaction (25006), before they do anything.
TEST(decide, a_block_on_a_replica_lets_the_standby_refuse_plain_writes) {
  for (const auto* sql :
       {"INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "CREATE TABLE t (a int)",
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x"}) {
    EXPECT_EQ(in_replica_block(sql), target::stay) << sql;
  }
}

TEST(decide, a_block_on_a_replica_moves_for_what_only_the_primary_answers_rightly) {
  for (const auto* sql : {"SELECT foo()",
                          "SELECT pg_advisory_lock(1)",
                          "LISTEN a",
                          "PREPARE p AS SELECT 1",
                          "EXECUTE p",
                          "SET a = 1",
                          "DISCARD ALL",
                          "SET TRANSACTION READ WRITE",
                          "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                          "SET TRANSACTION SNAPSHOT 'x'",
                          "SET transaction_read_only = off",
                          "SELECT * FROM pg_locks",
                          "DO 'x'",
                          "CALL p()",
                          "VACUUM t",
                          "LOCK TABLE t",
                          "NOTIFY a",
                          "PREPARE TRANSACTION 'x'",
                          "COMMIT PREPARED 'x'",
                          "SELECT * FROM t FOR UPDATE",
                          "SHOW work_mem",
                          "DEALLOCATE p",
                          "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                          "SELECT 1; INSERT INTO t VALUES (1)",
                          "COMMIT; BEGIN",
                          "COMMIT; SET a = 1",
                          "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
                          "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DO NOTHING",
                          "RESET transaction_isolation",
                          "SET transaction_isolation = 'serializable'",
                          "SET a = 1; SELECT 1",
                          "SELEC",
                          "SELECT set_config('a', 'b', true)"}) {
    EXPECT_EQ(in_replica_block(sql), target::move_primary) << sql;
  }
}

TEST(decide, a_failed_block_on_a_replica_stays_until_it_ends) {
  session_view session;
  session.open = block::on_replica;
  session.failed = true;
  for (const auto* sql : {"SELECT foo()", "ROLLBACK", "SET a = 1"}) {
    EXPECT_EQ(decide(class_of(sql), session).where, target::stay) << sql;
  }
}

classification joined(std::initializer_list<std::string_view> texts) {
  auto at = texts.begin();
  auto unit = class_of(*at);
  for (++at; at != texts.end(); ++at)
    join(unit, class_of(*at));
  return unit;
}

TEST(join, one_statement_that_is_no_read_makes_the_unit_a_write_with_its_reason) {
  EXPECT_EQ(joined({"SELECT 1", "SELECT 2"}).kind, statement_kind::read);
  EXPECT_EQ(joined({"", "SELECT 2"}).kind, statement_kind::read);
  EXPECT_EQ(joined({"", ""}).kind, statement_kind::empty);
  EXPECT_EQ(joined({"INSERT INTO t VALUES (1)", ""}).kind, statement_kind::write);
  EXPECT_EQ(decide(joined({"", "BEGIN READ ONLY"}), {}).where, target::replica);
  const auto unit = joined({"SELECT 1", "SELECT foo()", "SELECT bar()"});
  EXPECT_EQ(unit.kind, statement_kind::write);
  EXPECT_EQ(unit.reason, "calls unknown function foo()");
  EXPECT_TRUE(unit.effects.may_pin);
  EXPECT_EQ(joined({"SET a = 1", "SELECT 1"}).kind, statement_kind::write);
  EXPECT_EQ(joined({"SELECT 1", "SHOW a"}).kind, statement_kind::write);
  EXPECT_FALSE(joined({"SELECT 1", "INSERT INTO t VALUES (1)"}).is_dml);
}

TEST(join, begin_and_its_reads_in_one_pipeline_go_where_begin_goes) {
  EXPECT_EQ(decide(joined({"BEGIN READ ONLY", "SELECT 1"}), {}).where, target::replica);
  EXPECT_EQ(decide(joined({"BEGIN", "SELECT 1"}), {}).where, target::primary);
  EXPECT_EQ(decide(joined({"BEGIN READ ONLY", "SELECT foo()"}), {}).where, target::primary);
  EXPECT_EQ(decide(joined({"BEGIN READ ONLY", "SET TRANSACTION READ WRITE"}), {}).where, target::primary);
  EXPECT_EQ(decide(joined({"BEGIN READ ONLY", "SELECT 1", "COMMIT"}), {}).where, target::primary);
  EXPECT_EQ(joined({"BEGIN READ ONLY", "SELECT 1", "COMMIT"}).verb, transaction_verb::mixed);
  EXPECT_EQ(decide(joined({"SELECT 1", "BEGIN READ ONLY"}), {}).where, target::primary);
}

TEST(join, the_end_of_a_block_in_a_pipeline_stays_with_the_block) {
  session_view session;
  session.open = block::on_replica;
  EXPECT_EQ(decide(joined({"SELECT 1", "COMMIT"}), session).where, target::stay);
  EXPECT_EQ(decide(joined({"SAVEPOINT a", "SELECT 1", "RELEASE a"}), session).where, target::stay);
  EXPECT_EQ(decide(joined({"COMMIT", "BEGIN"}), session).where, target::move_primary);
  EXPECT_EQ(decide(joined({"COMMIT", "BEGIN READ ONLY", "SELECT 1"}), session).where, target::move_primary);
  EXPECT_EQ(decide(joined({"SELECT 1", "COMMIT"}), {}).where, target::primary);
  EXPECT_EQ(decide(joined({"FETCH c", "SELECT 1", "CLOSE c"}), session).where, target::stay);
  EXPECT_EQ(decide(joined({"SET LOCAL a = 1", "DECLARE c CURSOR FOR SELECT 1", "FETCH c"}), session).where,
            target::stay);
  EXPECT_EQ(decide(joined({"FETCH c", "COMMIT"}), session).where, target::stay);
  EXPECT_EQ(decide(joined({"FETCH c", "SELECT foo()"}), session).where, target::move_primary);
  EXPECT_EQ(decide(joined({"FETCH c", "SET TRANSACTION READ WRITE"}), session).where, target::move_primary);
  EXPECT_EQ(decide(joined({"FETCH c", "SELECT 1"}), {}).where, target::primary);
}

TEST(decide, execute_is_as_what_it_executes) {
  const auto unit = class_of("EXECUTE p (lower('a'))");
  const auto read = as_executed(unit, *class_of("PREPARE p (text) AS SELECT $1").part);
  EXPECT_EQ(read.kind, statement_kind::read);
  EXPECT_EQ(read.used, "p");
  EXPECT_FALSE(read.effects.may_set || read.effects.may_pin);
  EXPECT_EQ(decide(read, {}).where, target::replica);
  const auto write = as_executed(unit, *class_of("PREPARE p (text) AS DELETE FROM t WHERE a = $1").part);
  EXPECT_EQ(decide(write, {}).where, target::primary);
  EXPECT_FALSE(write.effects.may_set || write.effects.may_pin);
  const auto unknown = as_executed(unit, *class_of("PREPARE p (text) AS SELECT foo($1)").part);
  EXPECT_TRUE(unknown.effects.may_set && unknown.effects.may_pin);
  EXPECT_EQ(unknown.use, statement_use::executes);
  EXPECT_EQ(unknown.part, nullptr);
}

TEST(decide, what_explains_or_keeps_an_execute_runs_on_the_primary) {
  const auto target = class_of("PREPARE p AS SELECT 1").part;
  const auto explain = as_executed(class_of("EXPLAIN EXECUTE p"), *target);
  EXPECT_EQ(decide(explain, {}).where, target::primary);
  EXPECT_FALSE(explain.effects.may_set || explain.effects.may_pin);
  const auto kept = as_executed(class_of("CREATE TABLE t AS EXECUTE p"), *target);
  EXPECT_TRUE(kept.effects.may_pin && kept.effects.changes_catalog) << "what CREATE TABLE AS leaves itself";
  EXPECT_FALSE(kept.effects.may_set);
}

TEST(decide, execute_of_another_kind_of_statement_stays_unknown) {
  const auto is = as_executed(class_of("EXECUTE p"), class_of("SET a = 1"));
  EXPECT_TRUE(is.effects.may_set && is.effects.may_pin);
  EXPECT_EQ(decide(is, {}).where, target::primary);
}

}  // namespace
}  // namespace pgsteer::routing
