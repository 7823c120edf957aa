#include "protocol/scram_server.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/scram_client.hpp"

namespace pgsteer::protocol {
namespace {

using step = scram_output::step;

constexpr std::string_view missing_binding =
    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.";
constexpr std::string_view stray_binding =
    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel "
    "binding "
    "data.";

scram_verifier verifier_of(std::string_view password) {
  return make_scram_verifier(password, "0123456789abcdef", 10).value();
}

scram_server server_of(std::string_view password = "secret",
                       std::optional<std::string> end_point = std::nullopt) {
  return {verifier_of(password), false, std::move(end_point), "servernonce"};
}

void expect_violation(const scram_output& out, std::string_view state, std::string_view message,
                      std::string_view detail) {
  ASSERT_EQ(out.next, step::violation) << message << detail;
  EXPECT_EQ(out.error.severity, "FATAL");
  EXPECT_EQ(out.error.sqlstate, state);
  EXPECT_EQ(out.error.message, message);
  EXPECT_EQ(out.error.detail, detail);
  EXPECT_EQ(out.message, "");
}

scram_output first(std::string_view data, bool is_plus = false) {
  auto server = server_of("secret", is_plus ? std::optional<std::string>("hash") : std::nullopt);
  return server.on_message(
      scram_client::initial_response(is_plus ? scram_plus_mechanism : scram_mechanism, data));
}

TEST(scram_server, agrees_with_rfc_7677) {
  const auto salt = decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  scram_server server(make_scram_verifier("pencil", salt).value(), false, std::nullopt,
                      "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  const auto challenge =
      server.on_message(scram_client::initial_response("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  ASSERT_EQ(challenge.next, step::challenge);
  EXPECT_EQ(challenge.message,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto verdict = server.on_message(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  ASSERT_EQ(verdict.next, step::success);
  EXPECT_EQ(verdict.message, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  ASSERT_TRUE(server.client_key());
  EXPECT_EQ(encode_base64({reinterpret_cast<const char*>(server.client_key()->data()), 32}),
            "pg/JI9Z+hkSpLRa5btpe9GVrDHJcSEN0viVTVXaZbos=");
}

TEST(scram_server, accepts_the_right_password_only) {
  for (const auto* password : {"secret", "secreT", ""}) {
    auto server = server_of("secret");
    const scram_client client{password};
    const auto challenge = server.on_message(client.initial_response(scram_mechanism, client.first()));
    ASSERT_EQ(challenge.next, step::challenge);
    const auto verdict = server.on_message(client.final(challenge.message));
    const bool is_right = std::string_view(password) == "secret";
    EXPECT_EQ(verdict.next, is_right ? step::success : step::wrong_password);
    EXPECT_EQ(verdict.message, is_right ? client.expected_server_final(challenge.message) : "");
    EXPECT_EQ(server.client_key().has_value(), is_right);
    // Over is over.
    expect_violation(server.on_message(client.final(challenge.message)), "08P01",
                     "invalid SCRAM exchange state", "");
  }
}

TEST(scram_server, fails_a_doomed_exchange_though_the_proof_is_right) {
  scram_server server(verifier_of("secret"), true, std::nullopt, "servernonce");
  const scram_client client{"secret"};
  const auto challenge = server.on_message(client.initial_response(scram_mechanism, client.first()));
  EXPECT_EQ(server.on_message(client.final(challenge.message)).next, step::wrong_password);
  EXPECT_FALSE(server.client_key());
}

TEST(scram_server, ignores_optional_extensions) {
  auto server = server_of();
  scram_client client{"secret"};
  client.nonce += ",x=1,Y=2";
  const auto challenge = server.on_message(client.initial_response(scram_mechanism, client.first()));
  ASSERT_EQ(challenge.next, step::challenge);
  EXPECT_TRUE(challenge.message.starts_with("r=clientnonceservernonce,"));
  client.extension = ",z=,q=3";
  EXPECT_EQ(server.on_message(client.final(challenge.message)).next, step::success);
}

TEST(scram_server, sends_an_empty_challenge_where_the_client_waits_for_one) {
  auto server = server_of();
  const scram_client client{"secret"};
  const auto empty = server.on_message(wire::text(scram_mechanism) + wire::int32(0xffffffffU));
  ASSERT_EQ(empty.next, step::challenge);
  EXPECT_EQ(empty.message, "");
  const auto challenge = server.on_message(client.first());
  ASSERT_EQ(challenge.next, step::challenge);
  EXPECT_EQ(server.on_message(client.final(challenge.message)).next, step::success);
}

TEST(scram_server, binds_to_the_certificate) {
  const std::string hash("\x00\xff\x10hash", 7);
  auto server = server_of("secret", hash);
  const scram_client client{"secret", "c", "p=tls-server-end-point,,", hash};
  const auto challenge = server.on_message(client.initial_response(scram_plus_mechanism, client.first()));
  ASSERT_EQ(challenge.next, step::challenge);
  EXPECT_EQ(server.on_message(client.final(challenge.message)).next, step::success);
}

TEST(scram_server, notices_somebody_elses_certificate) {
  auto server = server_of("secret", "hash");
  const scram_client client{"secret", "c", "p=tls-server-end-point,,", "hasH"};
  const auto challenge = server.on_message(client.initial_response(scram_plus_mechanism, client.first()));
  expect_violation(server.on_message(client.final(challenge.message)), "28000",
                   "SCRAM channel binding check failed", "");
}

TEST(scram_server, lets_a_client_without_channel_binding_in_over_tls) {
  auto server = server_of("secret", "hash");
  const scram_client client{"secret"};
  const auto challenge = server.on_message(client.initial_response(scram_mechanism, client.first()));
  EXPECT_EQ(server.on_message(client.final(challenge.message)).next, step::success);
}

TEST(scram_server, takes_y_without_tls_and_as_a_downgrade_with_it) {
  const scram_client client{"secret", "c", "y,,"};
  auto plain = server_of();
  const auto challenge = plain.on_message(client.initial_response(scram_mechanism, client.first()));
  ASSERT_EQ(challenge.next, step::challenge);
  EXPECT_EQ(plain.on_message(client.final(challenge.message)).next, step::success);

  auto bound = server_of("secret", "hash");
  expect_violation(bound.on_message(client.initial_response(scram_mechanism, client.first())), "28000",
                   "SCRAM channel binding negotiation error",
                   "The client supports SCRAM channel binding but thinks the server does not.  "
                   "However, this server does support channel binding.");
}

// Word for word what PostgreSQL 15 answers to the same bytes.
TEST(scram_server, refuses_broken_first_messages_in_postgresqls_words) {
  const std::string_view malformed = "malformed SCRAM message";
  expect_violation(first(""), "08P01", malformed, "The message is empty.");
  expect_violation(first(std::string_view("x\0y", 3)), "08P01", malformed,
                   "Message length does not match input length.");
  expect_violation(first("n"), "08P01", malformed, "Comma expected, but found character \"0x00\".");
  expect_violation(first("nx,n=,r=a"), "08P01", malformed, "Comma expected, but found character \"'x'\".");
  expect_violation(first("n,x,n=,r=a"), "08P01", malformed,
                   "Unexpected attribute \"'x'\" in client-first-message.");
  expect_violation(first("z,,n=,r=a"), "08P01", malformed, "Unexpected channel-binding flag \"'z'\".");
  expect_violation(first("\x01"), "08P01", malformed, "Unexpected channel-binding flag \"0x01\".");
  expect_violation(first("n,,r=a"), "08P01", malformed, "Expected attribute \"n\" but found \"'r'\".");
  expect_violation(first("n,,n,r=a"), "08P01", malformed, "Expected character \"=\" for attribute \"n\".");
  expect_violation(first("n,,n=,r=abc,1=x"), "08P01", malformed,
                   "Attribute expected, but found invalid character \"'1'\".");
  expect_violation(first("n,,n=,r=abc,x"), "08P01", malformed,
                   "Expected character \"=\" for attribute \"x\".");
  expect_violation(first("n,,n=x"), "08P01", malformed, "Expected attribute \"r\" but found \"0x00\".");
  expect_violation(first("p=tls-unique,,n=,r=a"), "08P01", malformed, stray_binding);
  expect_violation(first("n,a=bob,n=,r=a"), "0A000",
                   "client uses authorization identity, but it is not supported", "");
  expect_violation(first("n,,m=x,n=,r=a"), "0A000", "client requires an unsupported SCRAM extension", "");
  expect_violation(first("n,,n=,r=a b"), "08P01", "non-printable characters in SCRAM nonce", "");
}

TEST(scram_server, refuses_a_first_message_that_does_not_fit_plus) {
  expect_violation(first("n,,n=,r=a", true), "08P01", "malformed SCRAM message", missing_binding);
  expect_violation(first("y,,n=,r=a", true), "08P01", "malformed SCRAM message", missing_binding);
  expect_violation(first("p=tls-unique\x01,,n=,r=a", true), "08P01",
                   "unsupported SCRAM channel-binding type \"tls-unique?\"", "");
  expect_violation(first("p=tls-server-end-point", true), "08P01", "malformed SCRAM message",
                   "Unexpected attribute \"0x00\" in client-first-message.");
}

TEST(scram_server, refuses_broken_initial_responses) {
  const auto answer = [](std::string_view body) { return server_of().on_message(body); };
  const auto mechanism = wire::text(scram_mechanism);
  expect_violation(answer(""), "08P01", "invalid string in message", "");
  expect_violation(answer("abc"), "08P01", "invalid string in message", "");
  expect_violation(answer(mechanism + "\1\1"), "08P01", "insufficient data left in message", "");
  expect_violation(answer(mechanism + wire::int32(5) + "abc"), "08P01", "insufficient data left in message",
                   "");
  expect_violation(answer(mechanism + wire::int32(0xfffffffeU)), "08P01", "insufficient data left in message",
                   "");
  expect_violation(answer(mechanism + wire::int32(1) + "abc"), "08P01", "invalid message format", "");
  expect_violation(answer(mechanism + wire::int32(0xffffffffU) + "x"), "08P01", "invalid message format", "");
  const std::string_view message = "client selected an invalid SASL authentication mechanism";
  expect_violation(answer(scram_client::initial_response("FOO", "n,,n=,r=a")), "08P01", message, "");
  expect_violation(
      answer(scram_client::initial_response("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=a")), "08P01",
      message, "");
}

TEST(scram_server, refuses_broken_final_messages_in_postgresqls_words) {
  const std::string_view malformed = "malformed SCRAM message";
  const std::string zeros = std::string(43, 'A') + "=";
  struct broken {
    std::string data;
    std::string_view message;
    std::string_view detail;
  };
  const std::vector<broken> cases = {
      {"", malformed, "The message is empty."},
      {"c=eSws,r=abc,p=x", "unexpected SCRAM channel-binding attribute in client-final-message", ""},
      {"c=,", "unexpected SCRAM channel-binding attribute in client-final-message", ""},
      {"c", malformed, "Expected character \"=\" for attribute \"c\"."},
      {"c=biws", malformed, "Expected attribute \"r\" but found \"0x00\"."},
      {"r=abc", malformed, "Expected attribute \"c\" but found \"'r'\"."},
      {"c=biws,r=abc", malformed, "Attribute expected, but found end of string."},
      {"c=biws,r=abc,1=x", malformed, "Attribute expected, but found invalid character \"'1'\"."},
      {"c=biws,r=abc,p=xx", malformed, "Malformed proof in client-final-message."},
      {"c=biws,r=abc,x=,p=", malformed, "Malformed proof in client-final-message."},
      {"c=biws,r=abc,p=" + zeros + ",x=y", malformed, "Garbage found at the end of client-final-message."},
      {"c=biws,r=abc,p=" + zeros, "invalid SCRAM response", "Nonce does not match."},
  };
  for (const auto& c : cases) {
    auto server = server_of();
    ASSERT_EQ(server.on_message(scram_client::initial_response(scram_mechanism, "n,,n=,r=abc")).next,
              step::challenge);
    expect_violation(server.on_message(c.data), "08P01", c.message, c.detail);
    // A failed exchange stays failed.
    expect_violation(server.on_message("n,,n=,r=abc"), "08P01", "invalid SCRAM exchange state", "");
  }
}

TEST(scram_server, survives_every_cut_and_flip_of_both_messages) {
  const scram_client client{"secret"};
  const auto initial = client.initial_response(scram_mechanism, client.first());
  for (std::size_t size = 0; size < initial.size(); ++size) {
    EXPECT_EQ(server_of().on_message(initial.substr(0, size)).next, step::violation) << size;
  }
  auto probe = server_of();
  const auto challenge = probe.on_message(initial).message;
  const auto final = client.final(challenge);
  for (std::size_t at = 0; at < final.size(); ++at) {
    auto server = server_of();
    ASSERT_EQ(server.on_message(initial).message, challenge);
    EXPECT_NE(server.on_message(final.substr(0, at)).next, step::success) << at;

    auto other = server_of();
    ASSERT_EQ(other.on_message(initial).message, challenge);
    auto flipped = final;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_NE(other.on_message(flipped).next, step::success) << at;
  }
}

}  // namespace
}  // namespace pgsteer::protocol
