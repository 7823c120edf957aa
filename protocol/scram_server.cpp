#include "protocol/scram_server.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "protocol/base64.hpp"
#include "protocol/scram_attributes.hpp"

namespace pgsteer::protocol {

namespace {

constexpr std::string_view end_point_type = "tls-server-end-point";

error_report violation(std::string message) {
  return fatal_error(sqlstate::protocol_violation, std::move(message));
}

std::string_view text_of(const scram_key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

bool is_scram_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

// What PostgreSQL shows of text that a client sent before it is authenticated.
std::string sanitize(std::string_view text) {
  std::string out(text.substr(0, 30));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x21 || c > 0x7e; }, '?');
  return out;
}

struct initial_response {
  std::string_view mechanism;
  std::optional<std::string_view> data;  // nothing: the client sent -1
  std::optional<error_report> error;
};

// SASLInitialResponse: mechanism, length of the data or -1, data.
initial_response read_initial_response(std::string_view body) {
  const auto end = body.find('\0');
  if (end == std::string_view::npos) return {{}, {}, violation("invalid string in message")};
  initial_response out{body.substr(0, end), {}, {}};
  body.remove_prefix(end + 1);
  if (body.size() < 4) return {{}, {}, violation("insufficient data left in message")};
  std::uint32_t size = 0;
  for (const char c : body.substr(0, 4))
    size = (size << 8U) | static_cast<unsigned char>(c);
  body.remove_prefix(4);
  if (size == 0xffffffffU) {
    if (!body.empty()) out.error = violation("invalid message format");
    return out;
  }
  if (size > body.size()) return {{}, {}, violation("insufficient data left in message")};
  if (size < body.size()) return {{}, {}, violation("invalid message format")};
  out.data = body;
  return out;
}

std::string describe_missing_binding() {
  return "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding "
         "data.";
}

void take_comma_after_flag(scram_attributes& in) {
  in.skip();
  if (in.peek() != ',') {
    in.fail(malformed_scram(
        fmt::format("Comma expected, but found character \"{}\".", quote_scram_char(in.peek()))));
    return;
  }
  in.skip();
}

void read_no_binding(scram_attributes& in, bool is_binding) {
  if (is_binding) return in.fail(malformed_scram(describe_missing_binding()));
  take_comma_after_flag(in);
}

// The client could bind but believes that we cannot: with -PLUS on offer somebody took it away.
void read_declined_binding(scram_attributes& in, bool is_binding, bool is_binding_offered) {
  if (is_binding) return in.fail(malformed_scram(describe_missing_binding()));
  if (is_binding_offered) {
    return in.fail(fatal_error(sqlstate::invalid_authorization_specification,
                               "SCRAM channel binding negotiation error",
                               "The client supports SCRAM channel binding but thinks the server does not.  "
                               "However, this server does support channel binding."));
  }
  take_comma_after_flag(in);
}

void read_binding(scram_attributes& in, bool is_binding) {
  if (!is_binding) {
    return in.fail(
        malformed_scram("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM "
                        "message includes channel binding data."));
  }
  const auto type = in.take('p');
  if (!in.error() && type != end_point_type) {
    in.fail(violation(fmt::format("unsupported SCRAM channel-binding type \"{}\"", sanitize(type))));
  }
}

// The GS2 header up to the flag's comma (RFC 5802 section 6).
void read_binding_flag(scram_attributes& in, bool is_binding, bool is_binding_offered) {
  switch (in.peek()) {
    case 'n':
      return read_no_binding(in, is_binding);
    case 'y':
      return read_declined_binding(in, is_binding, is_binding_offered);
    case 'p':
      return read_binding(in, is_binding);
    default:
      in.fail(malformed_scram(
          fmt::format("Unexpected channel-binding flag \"{}\".", quote_scram_char(in.peek()))));
  }
}

// The rest of the GS2 header: no authorization identity, then a comma.
void read_authorization_identity(scram_attributes& in) {
  if (in.error()) return;
  if (in.peek() == 'a') {
    return in.fail(fatal_error(sqlstate::feature_not_supported,
                               "client uses authorization identity, but it is not supported"));
  }
  if (in.peek() != ',') {
    return in.fail(malformed_scram(
        fmt::format("Unexpected attribute \"{}\" in client-first-message.", quote_scram_char(in.peek()))));
  }
  in.skip();
}

}  // namespace

scram_server::scram_server(scram_verifier verifier, bool is_doomed, std::optional<std::string> end_point,
                           std::string nonce)
    : verifier_(std::move(verifier)),
      end_point_(std::move(end_point)),
      nonce_(std::move(nonce)),
      is_doomed_(is_doomed) {}

scram_server::~scram_server() {
  if (client_key_) OPENSSL_cleanse(client_key_->data(), client_key_->size());
}

scram_output scram_server::fail(error_report error) {
  state_ = state::finished;
  return {scram_output::step::violation, {}, std::move(error)};
}

scram_output scram_server::on_message(std::string_view body) {
  if (state_ == state::initial) return on_initial(body);
  return on_data(body);
}

scram_output scram_server::on_initial(std::string_view body) {
  const auto response = read_initial_response(body);
  if (response.error) return fail(*response.error);
  if (response.mechanism == scram_plus_mechanism && end_point_) {
    is_binding_ = true;
  } else if (response.mechanism != scram_mechanism) {
    return fail(violation("client selected an invalid SASL authentication mechanism"));
  }
  state_ = state::awaiting_first;
  if (!response.data) return {scram_output::step::challenge, {}, {}};
  return on_data(*response.data);
}

scram_output scram_server::on_data(std::string_view data) {
  if (data.empty()) return fail(malformed_scram("The message is empty."));
  if (data.find('\0') != std::string_view::npos) {
    return fail(malformed_scram("Message length does not match input length."));
  }
  if (state_ == state::awaiting_first) return on_client_first(data);
  if (state_ == state::awaiting_final) return on_client_final(data);
  return fail(violation("invalid SCRAM exchange state"));
}

scram_output scram_server::on_client_first(std::string_view data) {
  scram_attributes in(data);
  binding_flag_ = in.peek();
  read_binding_flag(in, is_binding_, end_point_.has_value());
  read_authorization_identity(in);
  if (in.error()) return fail(*in.error());

  client_first_bare_ = in.rest();
  if (in.peek() == 'm') {
    return fail(
        fatal_error(sqlstate::feature_not_supported, "client requires an unsupported SCRAM extension"));
  }
  // The name is ignored: the startup packet has it, and libpq leaves it empty here.
  static_cast<void>(in.take('n'));
  const auto client_nonce = in.take('r');
  if (!in.error() && !is_scram_printable(client_nonce)) {
    in.fail(violation("non-printable characters in SCRAM nonce"));
  }
  while (!in.error() && !in.is_at_end())
    static_cast<void>(in.take_any());
  if (in.error()) return fail(*in.error());

  nonce_.insert(0, client_nonce);
  server_first_ = fmt::format("r={},s={},i={}", nonce_, encode_base64(verifier_.salt), verifier_.iterations);
  state_ = state::awaiting_final;
  return {scram_output::step::challenge, server_first_, {}};
}

std::optional<error_report> scram_server::check_binding(std::string_view channel_binding) const {
  if (is_binding_) {
    const auto expected = encode_base64(fmt::format("p={},,{}", end_point_type, *end_point_));
    if (channel_binding == expected) return std::nullopt;
    return fatal_error(sqlstate::invalid_authorization_specification, "SCRAM channel binding check failed");
  }
  // "n,," and "y,,": the flag must be the one the exchange began with.
  if (channel_binding == (binding_flag_ == 'y' ? "eSws" : "biws")) return std::nullopt;
  return violation("unexpected SCRAM channel-binding attribute in client-final-message");
}

scram_output scram_server::on_client_final(std::string_view data) {
  scram_attributes in(data);
  const auto channel_binding = in.take('c');
  if (in.error()) return fail(*in.error());
  if (auto error = check_binding(channel_binding)) return fail(std::move(*error));
  const auto final_nonce = in.take('r');
  std::size_t proof_offset = 0;
  scram_attributes::attribute last;
  do {
    proof_offset = in.offset();
    last = in.take_any();
  } while (!in.error() && last.name != 'p');
  if (in.error()) return fail(*in.error());

  const auto proof = decode_base64(last.value);
  if (!proof || proof->size() != scram_key{}.size()) {
    return fail(malformed_scram("Malformed proof in client-final-message."));
  }
  if (!in.is_at_end()) return fail(malformed_scram("Garbage found at the end of client-final-message."));
  if (final_nonce != nonce_) {
    return fail(fatal_error(sqlstate::protocol_violation, "invalid SCRAM response", "Nonce does not match."));
  }

  state_ = state::finished;
  // A comma stands before every attribute but the first, so the offset is at least 1.
  const auto auth_message =
      fmt::format("{},{},{}", client_first_bare_, server_first_, data.substr(0, proof_offset - 1));
  if (!verify_proof(*proof, auth_message)) return {scram_output::step::wrong_password, {}, {}};
  const auto signature = scram_hmac(verifier_.server_key, auth_message);
  return {scram_output::step::success, "v=" + encode_base64(text_of(signature)), {}};
}

bool scram_server::verify_proof(std::string_view proof, std::string_view auth_message) {
  const auto signature = scram_hmac(verifier_.stored_key, auth_message);
  scram_key key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<unsigned char>(static_cast<unsigned char>(proof[i]) ^ signature[i]);
  }
  const auto stored = scram_hash(key);
  const bool is_equal = CRYPTO_memcmp(stored.data(), verifier_.stored_key.data(), stored.size()) == 0;
  if (!is_equal || is_doomed_) return false;
  client_key_ = key;
  return true;
}

}  // namespace pgsteer::protocol
