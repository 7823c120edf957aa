#include "protocol/client_login.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/md5_password.hpp"
#include "tests/unit/protocol/scram_client.hpp"

namespace pgsteer::protocol {
namespace {

using step = client_login::step;

constexpr std::string_view wrong_password = "password authentication failed for user \"alice\"";

login_policy policy_of(login_method method, std::optional<std::string> end_point = std::nullopt) {
  return {method, std::move(end_point), "seed", 10};
}

login_random random_of(unsigned char byte = 1) {
  login_random random;
  random.nonce.fill(byte);
  random.md5_salt = {1, 2, 3, 4};
  return random;
}

login_credentials credentials_of(std::string_view password, std::string secret = {}) {
  return {make_scram_verifier(password, derive_salt("alice", "seed"), 10), std::move(secret)};
}

client_login login_of(login_method method, std::optional<login_credentials> credentials) {
  return {policy_of(method), "alice", std::move(credentials), random_of()};
}

std::pair<char, std::string> only_message(const client_login::output& out) {
  const auto sent = wire::split(out.bytes);
  EXPECT_EQ(sent.size(), 1U);
  return sent.empty() ? std::pair<char, std::string>{} : sent[0];
}

void expect_rejected(const client_login::output& out, std::string_view state, std::string_view message) {
  ASSERT_EQ(out.next, step::rejected);
  const auto [type, body] = only_message(out);
  EXPECT_EQ(type, 'E');
  const auto view = parse_error_fields(body);
  EXPECT_EQ(view.severity, "FATAL");
  EXPECT_EQ(view.sqlstate, state);
  EXPECT_EQ(view.message, message);
  EXPECT_EQ(out.error->message, message);
}

// The challenge of the server, out of its AuthenticationSASLContinue.
std::string challenge_of(const client_login::output& out) {
  EXPECT_EQ(out.next, step::send_then_read);
  const auto [type, body] = only_message(out);
  EXPECT_EQ(type, 'R');
  EXPECT_EQ(body.substr(0, 4), wire::int32(11));
  return body.substr(4);
}

struct conversation {
  client_login::output request;
  std::string challenge;
  client_login::output verdict;
};

conversation log_in(client_login& login, const scram_client& client) {
  conversation talk;
  talk.request = login.start();
  talk.challenge =
      challenge_of(login.on_message('p', client.initial_response(scram_mechanism, client.first())));
  talk.verdict = login.on_message('p', client.final(talk.challenge));
  return talk;
}

TEST(client_login, accepts_the_right_password_over_scram) {
  auto login = login_of(login_method::scram, credentials_of("secret"));
  const scram_client client{"secret"};
  const auto talk = log_in(login, client);
  EXPECT_EQ(talk.request.next, step::send_then_read);
  EXPECT_EQ(talk.request.bytes, wire::message('R', wire::int32(10) + wire::text("SCRAM-SHA-256") + '\0'));
  EXPECT_EQ(talk.verdict.next, step::accepted);
  EXPECT_EQ(talk.verdict.bytes,
            wire::message('R', wire::int32(12) + client.expected_server_final(talk.challenge)));
  EXPECT_TRUE(login.keys());
}

TEST(client_login, refuses_a_wrong_password_in_postgresqls_words) {
  auto login = login_of(login_method::scram, credentials_of("secret"));
  expect_rejected(log_in(login, scram_client{"guess"}).verdict, "28P01", wrong_password);
  EXPECT_FALSE(login.keys());
}

TEST(client_login, shows_an_unknown_user_what_a_wrong_password_shows) {
  auto known = login_of(login_method::scram, credentials_of("secret"));
  auto unknown = login_of(login_method::scram, std::nullopt);
  auto without_verifier = login_of(login_method::scram, login_credentials{});
  const auto expected = log_in(known, scram_client{"guess"});
  for (auto* login : {&unknown, &without_verifier}) {
    const auto talk = log_in(*login, scram_client{"guess"});
    EXPECT_EQ(talk.request.bytes, expected.request.bytes);
    EXPECT_EQ(talk.challenge, expected.challenge);
    EXPECT_EQ(talk.verdict.bytes, expected.verdict.bytes);
  }
}

TEST(client_login, challenges_afresh_each_time) {
  client_login one(policy_of(login_method::scram), "alice", std::nullopt, random_of(1));
  client_login two(policy_of(login_method::scram), "alice", std::nullopt, random_of(2));
  const scram_client client{"x"};
  const auto first = log_in(one, client).challenge;
  const auto second = log_in(two, client).challenge;
  EXPECT_NE(client.attribute(first, 'r'), client.attribute(second, 'r'));
  EXPECT_EQ(client.attribute(first, 's'), client.attribute(second, 's'));
}

TEST(client_login, offers_channel_binding_first_where_it_can) {
  client_login login(policy_of(login_method::scram, "hash"), "alice", credentials_of("secret"), random_of());
  EXPECT_EQ(login.start().bytes, wire::message('R', wire::int32(10) + wire::text("SCRAM-SHA-256-PLUS") +
                                                        wire::text("SCRAM-SHA-256") + '\0'));
  const scram_client client{"secret", "c", "p=tls-server-end-point,,", "hash"};
  const auto challenge =
      challenge_of(login.on_message('p', client.initial_response(scram_plus_mechanism, client.first())));
  EXPECT_EQ(login.on_message('p', client.final(challenge)).next, step::accepted);
}

TEST(client_login, refuses_every_other_message_before_authentication) {
  for (int type = 0; type < 256; ++type) {
    if (type == 'p') continue;
    const auto number = std::to_string(type);
    auto scram = login_of(login_method::scram, credentials_of("secret"));
    static_cast<void>(scram.start());
    expect_rejected(scram.on_message(static_cast<char>(type), "select 1"), "08P01",
                    "expected SASL response, got message type " + number);
    auto md5 = login_of(login_method::md5, credentials_of("secret", "secret"));
    static_cast<void>(md5.start());
    expect_rejected(md5.on_message(static_cast<char>(type), ""), "08P01",
                    "expected password response, got message type " + number);
  }
}

TEST(client_login, stays_rejected_after_any_failure) {
  auto login = login_of(login_method::scram, credentials_of("secret"));
  const scram_client client{"secret"};
  static_cast<void>(login.start());
  expect_rejected(login.on_message('Q', ""), "08P01", "expected SASL response, got message type 81");
  EXPECT_EQ(login.on_message('p', client.initial_response(scram_mechanism, client.first())).next,
            step::rejected);
}

TEST(client_login, takes_no_message_after_success) {
  auto login = login_of(login_method::scram, credentials_of("secret"));
  const scram_client client{"secret"};
  const auto talk = log_in(login, client);
  ASSERT_EQ(talk.verdict.next, step::accepted);
  EXPECT_EQ(login.on_message('p', client.final(talk.challenge)).next, step::rejected);
}

TEST(client_login, passes_on_what_scram_refuses) {
  auto login = login_of(login_method::scram, credentials_of("secret"));
  static_cast<void>(login.start());
  const auto out = login.on_message('p', scram_client::initial_response(scram_mechanism, ""));
  expect_rejected(out, "08P01", "malformed SCRAM message");
  EXPECT_EQ(out.error->detail, "The message is empty.");
}

TEST(client_login, refuses_an_oversized_token_as_a_wrong_password) {
  for (const auto method : {login_method::scram, login_method::md5}) {
    auto login = login_of(method, credentials_of("secret", "secret"));
    static_cast<void>(login.start());
    expect_rejected(login.on_message('p', std::string(max_auth_token + 1, 'a')), "28P01", wrong_password);
  }
}

TEST(client_login, accepts_md5_for_plain_and_hashed_secrets) {
  for (const auto& secret : {std::string("secret"), std::string("md54a0a68b43b6cd5cf266fa02f196e2371")}) {
    auto login = login_of(login_method::md5, login_credentials{std::nullopt, secret});
    const auto request = login.start();
    EXPECT_EQ(request.bytes, wire::message('R', wire::int32(5) + "\1\2\3\4"));
    const auto verdict = login.on_message('p', wire::text("md598a0412b9c31436fc53776e863350083"));
    EXPECT_EQ(verdict.next, step::accepted);
    EXPECT_EQ(verdict.bytes, "");
    EXPECT_FALSE(login.keys());
  }
}

TEST(client_login, checks_clear_text_against_whatever_is_known) {
  const auto answer = [](std::optional<login_credentials> credentials, std::string_view password) {
    auto login = login_of(login_method::password, std::move(credentials));
    EXPECT_EQ(login.start().bytes, wire::message('R', wire::int32(3)));
    const auto out = login.on_message('p', wire::text(password));
    EXPECT_EQ(login.password(), out.next == step::accepted ? password : "");
    return out;
  };
  const login_credentials verifier = credentials_of("secret");
  const login_credentials plain{std::nullopt, "secret"};
  const login_credentials hashed{std::nullopt, md5_secret("secret", "alice")};
  for (const auto& known : {verifier, plain, hashed}) {
    EXPECT_EQ(answer(known, "secret").next, step::accepted);
    expect_rejected(answer(known, "guess"), "28P01", wrong_password);
  }
  expect_rejected(answer(hashed, hashed.md5_or_plain_secret), "28P01", wrong_password);
  expect_rejected(answer(login_credentials{}, "x"), "28P01", wrong_password);
  expect_rejected(answer(std::nullopt, "seed"), "28P01", wrong_password);
}

TEST(client_login, leaves_users_it_does_not_know_to_the_servers_where_they_may_know_more) {
  auto policy = policy_of(login_method::password);
  policy.servers_know_more = true;
  client_login unknown(policy, "alice", std::nullopt, random_of());
  static_cast<void>(unknown.start());
  EXPECT_EQ(unknown.on_message('p', wire::text("anything")).next, step::ask_server);
  EXPECT_EQ(unknown.password(), "anything");
  client_login known(policy, "alice", credentials_of("secret"), random_of());
  static_cast<void>(known.start());
  expect_rejected(known.on_message('p', wire::text("anything")), "28P01", wrong_password);
}

TEST(client_login, refuses_wrong_md5_answers) {
  const auto answer = [](std::optional<login_credentials> credentials, std::string_view body) {
    auto login = login_of(login_method::md5, std::move(credentials));
    static_cast<void>(login.start());
    return login.on_message('p', body);
  };
  const login_credentials known{std::nullopt, "secret"};
  expect_rejected(answer(known, wire::text("md598a0412b9c31436fc53776e863350084")), "28P01", wrong_password);
  expect_rejected(answer(known, wire::text("secret")), "28P01", wrong_password);
  expect_rejected(answer(std::nullopt, wire::text("md598a0412b9c31436fc53776e863350083")), "28P01",
                  wrong_password);
  // The seed stands in for an unknown user's password: even who guesses it stays out.
  expect_rejected(answer(std::nullopt, wire::text(md5_response(md5_secret("seed", "alice"), "\1\2\3\4"))),
                  "28P01", wrong_password);
  expect_rejected(answer(known, wire::text("")), "28P01", "empty password returned by client");
  for (const std::string_view body :
       {std::string_view(), std::string_view("abc"), std::string_view("a\0b\0", 4)}) {
    expect_rejected(answer(known, body), "08P01", "invalid password packet size");
  }
}

TEST(client_login, speaks_scram_under_md5_where_only_a_verifier_is_known) {
  auto login = login_of(login_method::md5, credentials_of("secret"));
  EXPECT_EQ(log_in(login, scram_client{"secret"}).verdict.next, step::accepted);
}

TEST(client_login, trusts_known_users_only) {
  auto known = login_of(login_method::trust, login_credentials{});
  const auto out = known.start();
  EXPECT_EQ(out.next, step::accepted);
  EXPECT_EQ(out.bytes, "");
  expect_rejected(login_of(login_method::trust, std::nullopt).start(), "28000",
                  "role \"alice\" does not exist");
}

}  // namespace
}  // namespace pgsteer::protocol
