#include "routing/token.hpp"

#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

TEST(token, is_read_as_it_is_given_out) {
  const auto token = parse_token("pgsteer-7301234567890123456-0000000A-16/B374D848");
  ASSERT_TRUE(token);
  EXPECT_EQ(*token, (session_token{7301234567890123456U, 10, 0x16B374D848}));
  EXPECT_TRUE(parse_token("pgsteer-0-00000001-0/0")) << "where no server tells its system identifier";
}

TEST(token, is_nothing_else) {
  for (const auto* text :
       {"", "pgsteer", "pgsteer-", "pgsteer-7-00000001", "pgsteer-7-1-0/10", "pgsteer-7-00000001-0", "0/10",
        "pgsteer-x-00000001-0/10", "pgsteer-7-0000000G-0/10", "pgsteer-7-00000001-0/10 ",
        "pgsteer-7-00000000-0/10", "pgsteer-99999999999999999999-00000001-0/10", "PGSTEER-7-00000001-0/10",
        "pgsteer-7-00000001-0/10-1"}) {
    EXPECT_FALSE(parse_token(text)) << text;
  }
}

TEST(token, is_made_by_the_primary) {
  const auto sql = token_query(77, false);
  EXPECT_NE(sql.find("'pgsteer-77-'"), std::string::npos) << sql;
  EXPECT_NE(sql.find("pg_current_wal_insert_lsn"), std::string::npos);
  EXPECT_NE(sql.find(", false)"), std::string::npos);
}

}  // namespace
}  // namespace pgsteer::routing
