#include "protocol/md5_password.hpp"

#include <gtest/gtest.h>

namespace pgsteer::protocol {
namespace {

constexpr std::string_view stored = "md54a0a68b43b6cd5cf266fa02f196e2371";  // "secret" of "alice"
constexpr std::string_view answer = "md598a0412b9c31436fc53776e863350083";
constexpr std::string_view salt = "\1\2\3\4";

TEST(md5_password, computes_what_postgresql_stores_and_clients_answer) {
  EXPECT_EQ(md5_secret("secret", "alice"), stored);
  EXPECT_EQ(md5_response(stored, salt), answer);
}

TEST(md5_password, tells_a_secret_from_a_password) {
  EXPECT_TRUE(is_md5_secret(stored));
  EXPECT_FALSE(is_md5_secret("md5"));
  EXPECT_FALSE(is_md5_secret("secret"));
  EXPECT_FALSE(is_md5_secret("md5za0a68b43b6cd5cf266fa02f196e2371"));
  EXPECT_FALSE(is_md5_secret("md54A0A68B43B6CD5CF266FA02F196E2371"));
}

TEST(md5_password, verifies) {
  EXPECT_TRUE(verify_md5(answer, stored, "alice", salt));
  EXPECT_TRUE(verify_md5(answer, "secret", "alice", salt));
  EXPECT_FALSE(verify_md5(answer, "secret", "bob", salt));
  EXPECT_FALSE(verify_md5(answer, stored, "alice", "\1\2\3\5"));
  EXPECT_FALSE(verify_md5(answer.substr(0, 34), stored, "alice", salt));
  EXPECT_FALSE(verify_md5("", stored, "alice", salt));
  EXPECT_FALSE(verify_md5(stored, stored, "alice", salt));
}

}  // namespace
}  // namespace pgsteer::protocol
