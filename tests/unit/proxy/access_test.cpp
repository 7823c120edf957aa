#include <gtest/gtest.h>

#include "proxy/client/proven_passwords.hpp"
#include "proxy/client/valid_until.hpp"

namespace pgsteer::proxy {
namespace {

using namespace std::chrono_literals;

TEST(valid_until, reads_what_a_server_shows_in_utc) {
  using std::chrono::system_clock;
  const auto day = [](int y, unsigned m, unsigned d) {
    return std::chrono::sys_days(std::chrono::year(y) / static_cast<int>(m) / static_cast<int>(d));
  };
  EXPECT_EQ(read_valid_until("2027-01-31 12:30:05+00"), day(2027, 1, 31) + 12h + 30min + 5s);
  EXPECT_EQ(read_valid_until("2001-01-01 00:00:00.5+00"), day(2001, 1, 1));
  EXPECT_EQ(read_valid_until("infinity"), std::nullopt);
  EXPECT_EQ(read_valid_until(""), std::nullopt);
  EXPECT_EQ(read_valid_until("294276-12-31 00:00:00+00"), std::nullopt);
  for (const auto* text :
       {"-infinity", "0044-03-15 00:00:00+00 BC", "tomorrow", "2027-13-01 00:00:00+00", "2027-01-01"})
    EXPECT_EQ(read_valid_until(text), system_clock::time_point::min()) << text;
}

TEST(proven_passwords, are_believed_for_their_time_and_their_user) {
  proven_passwords known("key");
  const proven_passwords::time_point now{};
  known.add("app", "shop", "secret", now + 1s);
  EXPECT_TRUE(known.has("app", "shop", "secret", now));
  EXPECT_FALSE(known.has("app", "shop", "secret", now + 1s));
  EXPECT_FALSE(known.has("app", "shop", "Secret", now));
  EXPECT_FALSE(known.has("app", "other", "secret", now));
  EXPECT_FALSE(known.has("other", "shop", "secret", now));
}

}  // namespace
}  // namespace pgsteer::proxy
