#include "proxy/client/sql_statements.hpp"

#include <string>

#include <gtest/gtest.h>

using namespace pgsteer;
using namespace pgsteer::proxy;

namespace {

struct bench {
  protocol::settings_pool settings;
  sql_statement_pool pool;
  routing::classifier classifier;
  client_statements by_protocol;
  sql_statements by_sql;
  std::vector<fresh_statement> fresh;

  routing::classification_ref executed(std::string_view name, bool has_temporary = false) {
    return executed_statement(name, {by_protocol, &by_sql, &fresh, settings.none()->plan_key, has_temporary},
                              classifier, {});
  }
};

TEST(sql_statements, equal_ones_are_one_object) {
  bench b;
  const auto one = b.pool.intern("PREPARE p AS SELECT 1", b.settings.none(), 1);
  EXPECT_EQ(b.pool.intern("PREPARE p AS SELECT 1", b.settings.none(), 1), one);
  EXPECT_NE(b.pool.intern("PREPARE p AS SELECT 2", b.settings.none(), 1), one);
  EXPECT_NE(b.pool.intern("PREPARE p AS SELECT 1", b.settings.none(), 2), one) << "before and after DDL";
  EXPECT_NE(b.pool.intern("PREPARE p AS SELECT 1", b.settings.intern({{"search_path", "s"}}), 1), one);
  EXPECT_EQ(b.pool.intern("PREPARE p AS SELECT 1", b.settings.intern({{"work_mem", "9MB"}}), 1), one)
      << "settings that no plan depends on";
}

TEST(sql_statements, the_pool_forgets_what_nobody_has) {
  bench b;
  for (int i = 0; i < 2000; ++i)
    static_cast<void>(b.pool.intern("PREPARE p AS SELECT " + std::to_string(i), b.settings.none(), 1));
  EXPECT_LT(b.pool.size(), 600U);
}

TEST(sql_statements, only_so_many_and_so_long_ones_are_carried) {
  bench b;
  EXPECT_TRUE(b.by_sql.has_room(1000));
  EXPECT_FALSE(b.by_sql.has_room(100'000));
  for (int i = 0; i < 200; ++i)
    b.by_sql.set("p" + std::to_string(i), b.pool.intern("PREPARE", b.settings.none(), 1));
  EXPECT_FALSE(b.by_sql.has_room(10));
  b.by_sql.erase("p7");
  EXPECT_TRUE(b.by_sql.has_room(10));
  EXPECT_TRUE(b.by_sql.is_carried());
  b.by_sql.set("p7", std::make_shared<const sql_statement>());
  EXPECT_FALSE(b.by_sql.is_carried());
}

TEST(sql_statements, execute_finds_what_the_session_has_made) {
  bench b;
  EXPECT_EQ(b.executed("p"), nullptr);
  b.by_sql.set("p", b.pool.intern("PREPARE p AS SELECT 1", b.settings.none(), 1));
  EXPECT_EQ(b.executed("p")->kind, routing::statement_kind::read);
  EXPECT_EQ(b.executed("p", true)->kind, routing::statement_kind::write) << "it may mean a temporary table";
  b.by_sql.set("p", b.pool.intern("PREPARE p AS SELECT 1", b.settings.intern({{"datestyle", "SQL"}}), 1));
  EXPECT_EQ(b.executed("p")->kind, routing::statement_kind::write) << "made under other settings";
  b.by_sql.set("p",
               std::make_shared<const sql_statement>(sql_statement{"PREPARE p AS SELECT 1", nullptr, 0}));
  EXPECT_EQ(b.executed("p")->kind, routing::statement_kind::write) << "it exists on one backend alone";
  b.by_sql.set("p", std::make_shared<const sql_statement>(
                        sql_statement{"PREPARE p AS SELECT 1; SELECT 2", nullptr, 0}));
  EXPECT_EQ(b.executed("p"), nullptr);
}

TEST(sql_statements, execute_finds_what_its_own_transaction_has_made) {
  bench b;
  b.fresh.push_back({"p", "PREPARE p AS SELECT 1", true});
  ASSERT_NE(b.executed("p"), nullptr);
  EXPECT_EQ(b.executed("p")->kind, routing::statement_kind::write);
  EXPECT_FALSE(b.executed("p")->effects.may_set);
  b.fresh.push_back({"p", "PREPARE p AS SELECT 2", false});
  EXPECT_NE(b.executed("p"), nullptr) << "the second has not been answered, or was refused";
  b.fresh.back().is_made = true;
  EXPECT_EQ(b.executed("p"), nullptr) << "which of them, nobody knows";
}

}  // namespace
