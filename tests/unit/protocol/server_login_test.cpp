#include "protocol/server_login.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "protocol/client_login.hpp"
#include "protocol/md5_password.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace pgsteer::protocol {
namespace {

using step = server_login::step;
using testing::HasSubstr;

scram_verifier verifier_of(std::string_view password, std::string_view salt = "salt") {
  return *make_scram_verifier(password, salt, 10);
}

scram_key client_key_of(std::string_view password, std::string_view salt = "salt") {
  std::string salted(32, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), 10,
                    EVP_sha256(), 32, reinterpret_cast<unsigned char*>(salted.data()));
  return scram_hmac(salted, "Client Key");
}

scram_keys keys_of(std::string_view password, std::string_view salt = "salt") {
  return {client_key_of(password, salt), verifier_of(password, salt)};
}

server_login login_with(std::optional<scram_keys> keys, channel_binding binding = channel_binding::prefer,
                        std::string end_point = {}, std::string md5 = {}) {
  const bool is_tls = !end_point.empty();
  return {{"alice", std::move(md5), std::move(keys)}, {binding, is_tls, std::move(end_point), "ournonce"}};
}

// A server that knows the verifier: pgsteer's own side for clients.
client_login server_of(const scram_verifier& verifier, std::optional<std::string> end_point = std::nullopt) {
  login_random random;
  return {{login_method::scram, std::move(end_point), "seed", 10},
          "alice",
          login_credentials{verifier, {}},
          random};
}

// Lets the two talk until one is done; what our side came to.
server_login::output converse(server_login& ours, client_login& server) {
  auto from_server = server.start();
  for (int turn = 0; turn < 10; ++turn) {
    if (from_server.next == client_login::step::accepted) {
      from_server.bytes += wire::message('R', wire::int32(0));
    }
    server_login::output last;
    for (const auto& [type, body] : wire::split(from_server.bytes)) {
      last = ours.on_message(type, body);
      if (last.next == step::failed) return last;
    }
    if (last.next == step::read) return last;
    const auto sent = wire::split(last.bytes);
    EXPECT_EQ(sent.size(), 1U);
    from_server = server.on_message(sent[0].first, sent[0].second);
  }
  ADD_FAILURE() << "no end";
  return {};
}

TEST(server_login, proves_itself_with_keys_in_place_of_a_password) {
  auto ours = login_with(keys_of("secret"));
  auto server = server_of(verifier_of("secret"));
  EXPECT_EQ(converse(ours, server).next, step::read);
  EXPECT_EQ(ours.on_message('S', wire::text("in_hot_standby") + wire::text("off")).next, step::read);
  EXPECT_EQ(ours.on_message('K', wire::int32(7) + "1234").next, step::read);
  EXPECT_EQ(ours.on_message('Z', "I").next, step::done);
  EXPECT_EQ(ours.pid(), 7);
  EXPECT_EQ(ours.cancel_key(), "1234");
  EXPECT_EQ(ours.parameters().at("in_hot_standby"), "off");
}

TEST(server_login, passes_on_what_the_keys_of_its_clients_login_were) {
  auto client_side = server_of(verifier_of("secret"));
  auto first = login_with(keys_of("secret"));
  EXPECT_EQ(converse(first, client_side).next, step::read);
  auto second = login_with(client_side.keys());
  auto server = server_of(verifier_of("secret"));
  EXPECT_EQ(converse(second, server).next, step::read);
}

TEST(server_login, binds_to_the_servers_certificate) {
  auto ours = login_with(keys_of("secret"), channel_binding::require, "hash");
  auto server = server_of(verifier_of("secret"), "hash");
  EXPECT_EQ(converse(ours, server).next, step::read);
  auto fooled = login_with(keys_of("secret"), channel_binding::prefer, "hash of the man between");
  auto other = server_of(verifier_of("secret"), "hash");
  EXPECT_EQ(converse(fooled, other).next, step::failed);
  auto strict = login_with(keys_of("secret"), channel_binding::require);
  auto plain = server_of(verifier_of("secret"));
  EXPECT_THAT(converse(strict, plain).message, HasSubstr("channel binding"));
}

TEST(server_login, says_what_is_wrong) {
  auto other_salt = login_with(keys_of("secret", "pepper"));
  auto server = server_of(verifier_of("secret"));
  const auto out = converse(other_salt, server);
  EXPECT_EQ(out.sqlstate, "28P01");
  EXPECT_THAT(out.message, HasSubstr("another salt"));
  auto nothing = login_with(std::nullopt);
  EXPECT_THAT(nothing.on_message('R', wire::int32(10) + wire::text("SCRAM-SHA-256") + '\0').message,
              HasSubstr("nothing to answer with"));
  auto clear = login_with(keys_of("secret"));
  EXPECT_EQ(clear.on_message('R', wire::int32(3)).sqlstate, "28000");
  auto strange = login_with(keys_of("secret"));
  EXPECT_EQ(strange.on_message('R', wire::int32(7)).sqlstate, "0A000");
  auto refused = login_with(keys_of("secret"));
  const auto no =
      refused.on_message('E', wire::text("SFATAL") + wire::text("C3D000") + wire::text("Mno such") + '\0');
  EXPECT_EQ(no.sqlstate, "3D000");
  EXPECT_EQ(no.message, "no such");
}

TEST(server_login, believes_no_server_that_has_proven_nothing) {
  auto ours = login_with(keys_of("secret"));
  EXPECT_EQ(ours.on_message('R', wire::int32(10) + wire::text("SCRAM-SHA-256") + '\0').next, step::send);
  EXPECT_EQ(ours.on_message('R', wire::int32(0)).next, step::failed);
}

TEST(server_login, answers_md5_with_the_verifier) {
  const auto secret = md5_secret("secret", "alice");
  auto ours = login_with(std::nullopt, channel_binding::prefer, {}, secret);
  const auto out = ours.on_message('R', wire::int32(5) + "\1\2\3\4");
  EXPECT_EQ(out.bytes, wire::message('p', wire::text(md5_response(secret, "\1\2\3\4"))));
  EXPECT_EQ(ours.on_message('R', wire::int32(0)).next, step::read);
}

TEST(server_login, survives_every_message_out_of_step) {
  for (const char type : {'R', 'S', 'K', 'Z', 'D', 'T', 'E', 'N', 'v'}) {
    for (const auto& body :
         {std::string(), std::string("\0\0", 2), wire::int32(11), wire::int32(12) + "v=x", wire::int32(10)}) {
      auto ours = login_with(keys_of("secret"));
      const auto out = ours.on_message(type, body);
      EXPECT_NE(out.next, step::done) << type;
    }
  }
}

}  // namespace
}  // namespace pgsteer::protocol
