#include "protocol/scram_verifier.hpp"

#include <gtest/gtest.h>

#include "protocol/base64.hpp"

namespace pgsteer::protocol {
namespace {

// Password "pencil", salt and count of RFC 7677; keys computed with Python's hashlib.
constexpr std::string_view pencil =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(base64, follows_rfc_4648) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xff\xfe\xfd", "//79"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(encode_base64(plain), encoded);
    EXPECT_EQ(decode_base64(encoded), plain);
  }
}

TEST(base64, refuses_everything_else) {
  for (const auto* bad :
       {"Z", "Zg", "Zg=", "Z===", "====", "=", "Zm8=Zg==", "Zh==", "Zm9=", "Zm 9v", "Zm-_", "Zg=a"}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

TEST(scram_hmac, follows_rfc_4231) {
  const auto hex = [](const scram_key& key) {
    std::string out;
    for (const unsigned c : key) {
      out += "0123456789abcdef"[c >> 4];
      out += "0123456789abcdef"[c & 15];
    }
    return out;
  };
  EXPECT_EQ(hex(scram_hmac(std::string("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hex(scram_hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(scram_verifier, derives_what_others_derive) {
  const auto salt = decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  const auto verifier = make_scram_verifier("pencil", salt, 4096);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(format_scram_verifier(*verifier), pencil);
}

TEST(scram_verifier, reads_and_writes_postgresqls_form) {
  const auto verifier = parse_scram_verifier(pencil);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(verifier->iterations, 4096);
  EXPECT_EQ(verifier->salt.size(), 16U);
  EXPECT_EQ(format_scram_verifier(*verifier), pencil);
}

TEST(scram_verifier, refuses_every_cut_and_every_broken_part) {
  for (std::size_t size = 0; size < pencil.size(); ++size) {
    EXPECT_FALSE(parse_scram_verifier(pencil.substr(0, size))) << size;
  }
  const auto with = [](std::string_view from, std::string_view to) {
    std::string text(pencil);
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_FALSE(parse_scram_verifier(with("4096", "0")));
  EXPECT_FALSE(parse_scram_verifier(with("4096", "-1")));
  EXPECT_FALSE(parse_scram_verifier(with("4096", "4096x")));
  EXPECT_FALSE(parse_scram_verifier(with("4096", "99999999999")));
  EXPECT_FALSE(parse_scram_verifier(with("4096", "")));
  EXPECT_FALSE(parse_scram_verifier(with("W22ZaJ0SNY7soEsUEjb6gQ==", "")));
  EXPECT_FALSE(parse_scram_verifier(with("W22Z", "W2!Z")));
  EXPECT_FALSE(parse_scram_verifier(with("WG5d", "")));
  EXPECT_FALSE(parse_scram_verifier(std::string(pencil) + "AAAA"));
  EXPECT_FALSE(parse_scram_verifier("md54a0a68b43b6cd5cf266fa02f196e2371"));
}

TEST(scram_verifier, leaves_saslprep_to_others) {
  EXPECT_FALSE(make_scram_verifier("pass\xc3\xa4", "salt"));
  EXPECT_FALSE(make_scram_verifier("tab\t", "salt"));
  EXPECT_FALSE(make_scram_verifier("", "salt"));
  EXPECT_FALSE(make_scram_verifier("x", ""));
  EXPECT_FALSE(make_scram_verifier("x", "salt", 0));
  EXPECT_TRUE(make_scram_verifier("with blank~", "salt", 1));
}

TEST(scram_verifier, mocks_the_same_user_the_same_way) {
  const auto one = mock_verifier("nobody", "seed");
  EXPECT_EQ(encode_base64(one.salt), "5+nNxs5sMKuz/eYk09rG/g==");
  EXPECT_EQ(one.iterations, 4096);
  EXPECT_EQ(one.salt, mock_verifier("nobody", "seed").salt);
  EXPECT_NE(one.salt, mock_verifier("nobody2", "seed").salt);
  EXPECT_NE(one.salt, mock_verifier("nobody", "other").salt);
  EXPECT_EQ(one.salt, derive_salt("nobody", "seed"));
  EXPECT_EQ(mock_verifier("nobody", "seed", 10000).iterations, 10000);
}

}  // namespace
}  // namespace pgsteer::protocol
