#include "proxy/statement_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/admin/render_routes.hpp"

namespace pgsteer::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

routing::classification read_of(std::string reason = "read") {
  routing::classification c;
  c.kind = routing::statement_kind::read;
  c.is_query = true;
  c.reason = std::move(reason);
  return c;
}

void count(statement_table& table, const routing::statement_mark& mark, held_by why, std::uint64_t us) {
  auto* slot = table.find(mark);
  ASSERT_NE(slot, nullptr);
  auto& counted = why == held_by::count_ ? slot->on_replica : slot->on_primary[static_cast<std::size_t>(why)];
  counted.times.add();
  counted.us.add(us);
}

TEST(statement_table, has_one_place_for_texts_that_differ_in_literals) {
  statement_table table;
  const auto first = table.mark("SELECT 1", "SELECT ?", read_of());
  const auto second = table.mark("SELECT 2", "SELECT ?", read_of());
  EXPECT_EQ(first.place, second.place);
  EXPECT_NE(table.mark("SELECT 1, 2", "SELECT ?, ?", read_of()).place, first.place);
  EXPECT_EQ(table.find({}), nullptr);
}

TEST(statement_table, gives_the_place_unused_for_longest_to_another) {
  statement_table table(2);
  const auto a = table.mark("SELECT 1", "a", read_of());
  const auto b = table.mark("SELECT 2", "b", read_of());
  count(table, b, held_by::count_, 5);
  EXPECT_NE(table.find(a), nullptr);
  const auto c = table.mark("SELECT 3", "c", read_of());
  EXPECT_EQ(table.find(b), nullptr);
  EXPECT_NE(table.find(a), nullptr);
  EXPECT_EQ(table.find(c)->on_replica.times.get(), 0U) << "it counts from nothing";
  EXPECT_EQ(table.entries().size(), 2U);
}

TEST(render_routes, lists_the_heaviest_without_literals_and_what_is_held_back) {
  statement_table table;
  const auto quick = table.mark("SELECT a FROM t WHERE b = 'secret'", "quick", read_of());
  const auto slow = table.mark("SELECT f(1)", "slow", read_of("calls f()"));
  count(table, quick, held_by::count_, 10);
  count(table, quick, held_by::pin, 1000);
  count(table, slow, held_by::itself, 3000);
  const auto lines = route_lines(table.entries(), 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].statement, "SELECT f(?)");
  EXPECT_EQ(lines[0].reason, "calls f()");
  EXPECT_EQ(lines[1].statement, "SELECT a FROM t WHERE b = ?");
  EXPECT_EQ(lines[1].reason, "session is pinned");
  const auto held = held_lines(table.entries());
  ASSERT_EQ(held.size(), 2U);
  EXPECT_DOUBLE_EQ(held[0].share, 0.75);
  EXPECT_THAT(render_routes(table.entries(), 10), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace pgsteer::proxy
