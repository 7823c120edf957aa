#include "proxy/client/lent_statement.hpp"

#include <gtest/gtest.h>

using namespace pgsteer::proxy;

namespace {

TEST(lent_statement, finds_the_name_that_is_executed) {
  EXPECT_EQ(executed_name("EXECUTE q"), "q");
  EXPECT_EQ(executed_name("  execute\tMyPlan(1, 2)"), "myplan");
  EXPECT_EQ(executed_name("EXECUTE \"My Plan\" (1);"), "My Plan");
}

TEST(lent_statement, finds_none_elsewhere) {
  for (const auto* sql :
       {"", "EXECUTE", "EXECUTE ", "EXECUTED q", "SELECT 1", "EXECUTE \"q", "EXECUTE (1)"}) {
    EXPECT_EQ(executed_name(sql), "") << sql;
  }
}

TEST(lent_statement, is_parsed_under_the_clients_name_and_closed_again) {
  prepared_statement s;
  s.parse_tail = std::string("SELECT $1\0\0\1\0\0\0\x17", 16);
  backend_wire wire;
  pgsteer::protocol::gather out;
  lend_statement("q", s, wire, out);
  take_back_statement("q", wire, out);
  std::string sent;
  for (const auto& part : out.parts())
    sent.append(static_cast<const char*>(part.iov_base), part.iov_len);
  const std::string expected("P\0\0\0\x16q\0SELECT $1\0\0\1\0\0\0\x17S\0\0\0\4C\0\0\0\7Sq\0S\0\0\0\4", 41);
  EXPECT_EQ(sent, expected);
  EXPECT_EQ(wire.owed.size(), 4U);
}

}  // namespace
