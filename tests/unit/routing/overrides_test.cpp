// What comments, patterns, lists, sessions and the configuration wish for, and what is made of it.
#include "routing/overrides.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/classifier.hpp"
#include "routing/decide.hpp"
#include "routing/facts.hpp"
#include "routing/normal_form.hpp"
#include "routing/route_command.hpp"

namespace pgsteer::routing {
namespace {

constexpr auto automatic = route_wish::automatic;
constexpr auto to_primary = route_wish::primary;
constexpr auto to_replica = route_wish::replica;

TEST(wish_of_comments, is_found_before_and_behind_a_text) {
  EXPECT_EQ(wish_of_comments("/* pgsteer: primary */ SELECT 1"), to_primary);
  EXPECT_EQ(wish_of_comments(" \n/*pgsteer:replica*/SELECT 1"), to_replica);
  EXPECT_EQ(wish_of_comments("SELECT 1 /* PgSteer:  Replica */"), to_replica);
  EXPECT_EQ(wish_of_comments("SELECT 1; /* pgsteer: primary */ ; "), to_primary);
  EXPECT_EQ(wish_of_comments("SELECT 1 /* pgsteer: primary */ /* route='/a' */"), to_primary);
  EXPECT_EQ(wish_of_comments("/* a */ /* pgsteer: primary */ SELECT 1"), to_primary);
  EXPECT_EQ(wish_of_comments("/* pgsteer: auto */ SELECT 1"), automatic);
  EXPECT_EQ(wish_of_comments("/* pgsteer: somewhere */ SELECT 1"), automatic);
  EXPECT_EQ(wish_of_comments("SELECT /* pgsteer: primary */ 1"), automatic);
  EXPECT_EQ(wish_of_comments("SELECT '/* pgsteer: primary */'"), automatic);
  EXPECT_EQ(wish_of_comments("SELECT $$ /* pgsteer: primary */$$"), automatic);
  EXPECT_EQ(wish_of_comments("/* pgsteer: primary"), automatic);
  EXPECT_EQ(wish_of_comments("/*/"), automatic);
  EXPECT_EQ(wish_of_comments("*/"), automatic);
  EXPECT_EQ(wish_of_comments(""), automatic);
}

TEST(normal_form, holds_no_literals_and_no_comments) {
  EXPECT_EQ(
      normal_form("SELECT *\n  FROM t WHERE a = -5 AND b='x' /* secret */ AND c IN (1,2, 3) -- secret\n"),
      "SELECT * FROM t WHERE a = ? AND b=? AND c IN (?)");
  EXPECT_EQ(normal_form("INSERT INTO t VALUES (1,'a')"), "INSERT INTO t VALUES (?)");
  EXPECT_EQ(normal_form("SELECT $1, $$abc$$"), "SELECT ?");
  EXPECT_EQ(normal_form("SELECT \"A  b\" FROM t"), "SELECT \"A  b\" FROM t");
  EXPECT_EQ(normal_form("PREPARE a AS SELECT 'secret'"), "PREPARE a AS SELECT ...");
  EXPECT_EQ(normal_form("COPY t TO '/secret'"), "COPY t TO ...");
  EXPECT_EQ(normal_form("DO $$ secret $$"), "DO ?");
  EXPECT_EQ(normal_form("SELECT FROM WHERE 'secret"), "");
}

TEST(patterns, match_as_a_whole) {
  EXPECT_TRUE(matches("select * from Queue *", "SELECT * FROM queue WHERE id = ?"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*queue*", "SELECT * FROM queue"));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches("queue", "SELECT * FROM queue"));
  EXPECT_FALSE(matches("a*b", "a-b-c"));
  EXPECT_FALSE(matches("", "a"));
}

TEST(listed_function, is_written_as_the_catalog_writes_it) {
  EXPECT_EQ(listed_function("Public.Rate"), "public.rate");
  EXPECT_EQ(listed_function(" public.rate ( int , timestamptz[] )"),
            "public.rate(integer, timestamp with time zone[])");
  EXPECT_EQ(listed_function("public.rate()"), "public.rate()");
  EXPECT_EQ(listed_function("\"App\".\"Rate\"(int)"), "App.Rate(integer)");
  for (const auto* wrong : {"rate", "a.b.c", ".a", "a.", "a.b(", "a .b", ""})
    EXPECT_EQ(listed_function(wrong), "") << wrong;
}

TEST(find_listing, prefers_the_exact_entry_and_then_the_write) {
  const function_lists lists{{"a.f", "a.g(integer)"}, {"a.f(text)", "a.g"}};
  EXPECT_EQ(find_listing(lists, "a.f(integer)"), listing::read);
  EXPECT_EQ(find_listing(lists, "a.f(text)"), listing::write);
  EXPECT_EQ(find_listing(lists, "a.g(integer)"), listing::read);
  EXPECT_EQ(find_listing(lists, "a.g(text)"), listing::write);
  EXPECT_EQ(find_listing(lists, "a.h()"), listing::none);
}

class overridden : public testing::Test {
 protected:
  decision decide_for(std::string_view sql) {
    known = judge.classify(sql, {});
    return decide(*known, session);
  }
  void use(routing_rules rules) { judge.use_rules(std::make_shared<const routing_rules>(std::move(rules))); }

  classifier judge;
  classification_ref known;
  session_view session;
};

TEST_F(overridden, by_a_comment) {
  for (int round = 0; round < 2; ++round) {  // the second time from the cache
    EXPECT_EQ(decide_for("/* pgsteer: primary */ SELECT 1").where, target::primary);
    EXPECT_EQ(decide_for("/* pgsteer: primary */ SELECT 2").reason, "comment asks for the primary");
    EXPECT_EQ(decide_for("SELECT 1").where, target::replica);
    EXPECT_EQ(decide_for("SELECT f(1) /* pgsteer: replica */").where, target::replica);
    EXPECT_EQ(decide_for("SELECT f(2)").where, target::primary);
  }
  EXPECT_EQ(judge.stats().misses, 4U);  // texts that differ in literals are one
}

TEST_F(overridden, never_to_a_replica_what_is_known_to_be_no_read) {
  for (const auto* sql : {"INSERT INTO t VALUES (1)",
                          "SELECT 1 FROM t FOR UPDATE",
                          "SELECT nextval('s')",
                          "SELECT pg_advisory_lock(1)",
                          "SELECT set_config('a.b', 'c', false)",
                          "CREATE TABLE t ()",
                          "SET a.b = 1",
                          "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x",
                          "SELECT f(), nextval('s')",
                          "CALL p()",
                          "SELECT last_value FROM a_seq",
                          "LOCK TABLE t",
                          "DO $$BEGIN PERFORM f(); END$$",
                          "COPY t FROM STDIN",
                          "SELECT pg_is_in_recovery()",
                          "SELECT * FROM pg_temp.t",
                          "SELECT f(); INSERT INTO t VALUES (1)",
                          "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
                          "EXPLAIN ANALYZE DELETE FROM t",
                          "FETCH c",
                          "LISTEN a",
                          "garbage"})
    EXPECT_EQ(decide_for(std::string("/* pgsteer: replica */ ") + sql).where, target::primary) << sql;
}

TEST_F(overridden, to_a_replica_what_is_only_doubted_or_local_to_each_server) {
  for (const auto* sql : {"SELECT f()", "SELECT * FROM f(1)", "SELECT a.f(), 1", "EXPLAIN ANALYZE SELECT f()",
                          "SELECT * FROM pg_stat_activity", "SELECT f(); SELECT 1",
                          "COPY (SELECT f()) TO STDOUT", "TABLE pg_locks"}) {
    EXPECT_EQ(decide_for(std::string("/* pgsteer: replica */ ") + sql).where, target::replica) << sql;
    EXPECT_EQ(decide_for(sql).where, target::primary) << sql;
  }
}

TEST_F(overridden, by_the_session) {
  session.wish = wish_of_session("primary", {}, {}, {});
  EXPECT_EQ(decide_for("SELECT 1").reason, "pgsteer.route is primary");
  EXPECT_EQ(decide_for("BEGIN READ ONLY").where, target::primary);
  EXPECT_EQ(decide_for("INSERT INTO t VALUES (1)").reason, "INSERT is not a read");
  EXPECT_EQ(decide_for("/* pgsteer: replica */ SELECT 1").where, target::replica);
  session.wish = wish_of_session("Replica", {}, {}, {});
  EXPECT_EQ(decide_for("SELECT f()").reason, "pgsteer.route is replica");
  EXPECT_EQ(decide_for("BEGIN").where, target::primary);
  EXPECT_EQ(decide_for("/* pgsteer: primary */ SELECT 1").where, target::primary);
  session.default_isolation = isolation::serializable;
  EXPECT_EQ(decide_for("SELECT f()").where, target::primary);
}

TEST_F(overridden, by_the_first_pattern_that_matches) {
  routing_rules rules;
  rules.patterns = {{to_primary, "SELECT * FROM queue*", "pollers want the newest"},
                    {to_replica, "*f(*", "only reads"}};
  use(rules);
  EXPECT_EQ(decide_for("select * from queue where id = 5").reason,
            "pattern \"SELECT * FROM queue*\": pollers want the newest");
  EXPECT_EQ(decide_for("SELECT f(1)").where, target::replica);
  EXPECT_EQ(decide_for("SELECT f(1) FROM queue /* pgsteer: primary */").where, target::primary);
  session.wish = wish_of_session("replica", {}, {}, {});
  EXPECT_EQ(decide_for("SELECT * FROM queue").where, target::replica)
      << "the session counts before a pattern";
}

TEST_F(overridden, by_what_the_configuration_says_of_user_and_database) {
  routing_rules rules;
  rules.users = {{"reports", to_replica, "eventual"}};
  rules.databases = {{"shop", to_primary, "global"}};
  session.wish = wish_of_session({}, "reports", "shop", rules);
  EXPECT_EQ(decide_for("SELECT f()").where, target::replica);
  session.wish = wish_of_session({}, "app", "shop", rules);
  EXPECT_EQ(decide_for("SELECT 1").reason,
            "routing_databases sends this database's statements to the primary");
  session.wish = wish_of_session("auto", "app", "shop", rules);
  EXPECT_EQ(decide_for("SELECT 1").where, target::replica);
  constexpr auto level = &session_wishes::consistency;
  EXPECT_EQ(said_of_session(level, {}, "reports", "shop", rules), "eventual");
  EXPECT_EQ(said_of_session(level, {}, "app", "shop", rules), "global");
  EXPECT_EQ(said_of_session(level, "session", "app", "shop", rules), "session");
  EXPECT_EQ(said_of_session(level, {}, "app", "other", rules), "");
}

TEST_F(overridden, by_lists_of_functions_without_a_catalog) {
  judge.use_facts(make_listed_facts(
      std::make_shared<const function_lists>(function_lists{{"app.rate"}, {"app.lower(text)"}})));
  EXPECT_EQ(decide_for("SELECT app.rate(1)").where, target::replica);
  EXPECT_EQ(decide_for("SELECT rate(1)").where, target::primary) << "nobody knows whose it is";
  EXPECT_EQ(decide_for("SELECT lower('A')").where, target::primary) << "it may be the listed one";
  EXPECT_EQ(decide_for("SELECT pg_catalog.lower('A')").where, target::replica);
}

TEST_F(overridden, joined_units_go_to_the_primary_if_one_of_them_wants_it) {
  auto unit = *judge.classify("/* pgsteer: replica */ SELECT f()", {});
  join(unit, *judge.classify("SELECT 1", {}));
  EXPECT_EQ(decide(unit, session).where, target::replica);
  join(unit, *judge.classify("SELECT 1 /* pgsteer: primary */", {}));
  EXPECT_EQ(decide(unit, session).where, target::primary);
  auto other = *judge.classify("/* pgsteer: replica */ SELECT f()", {});
  join(other, *judge.classify("INSERT INTO t VALUES (1)", {}));
  EXPECT_EQ(decide(other, session).where, target::primary);
}

TEST(route, honours_every_override) {
  routing_rules rules;
  rules.functions.reads = {"public.rate"};
  rules.patterns = {{to_primary, "*queue*", "pollers"}};
  rules.users = {{"reports", to_replica, {}}};
  router routes(10, {{}, "reports", "shop"}, std::make_shared<const routing_rules>(rules));
  EXPECT_EQ(routes.route("SELECT public.rate(1)", "a").reason, "read");
  EXPECT_EQ(routes.route("TABLE queue", "a").reason, "pattern \"*queue*\": pollers");
  EXPECT_EQ(routes.route("SELECT f()", "a").where, target::replica);
  EXPECT_EQ(routes.route("SET pgsteer.route = 'primary'", "a").where, target::primary);
  EXPECT_EQ(routes.route("SELECT 1", "a").reason, "pgsteer.route is primary");
  EXPECT_EQ(routes.route("SELECT 1", "b").where, target::replica);
  EXPECT_EQ(routes.route("RESET pgsteer.route", "a").where, target::primary);
  EXPECT_EQ(routes.route("SELECT 1", "a").where, target::replica);
}

}  // namespace
}  // namespace pgsteer::routing
