#include "protocol/client_login.hpp"

#include <span>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "protocol/base64.hpp"
#include "protocol/md5_password.hpp"
#include "protocol/message_writer.hpp"

namespace pgsteer::protocol {

namespace {

template <typename Array>
std::string_view text_of(const Array& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

client_login::client_login(login_policy policy, std::string user,
                           std::optional<login_credentials> credentials, const login_random& random)
    : policy_(std::move(policy)),
      user_(std::move(user)),
      credentials_(std::move(credentials)),
      random_(random) {}

client_login::~client_login() {
  OPENSSL_cleanse(shown_.data(), shown_.size());
}

client_login::output client_login::start() {
  switch (policy_.method) {
    case login_method::trust:
      is_finished_ = true;
      if (credentials_) return {step::accepted, {}, {}};
      return reject(fatal_error(sqlstate::invalid_authorization_specification,
                                fmt::format("role \"{}\" does not exist", user_)));
    case login_method::md5:
      // As in PostgreSQL, md5 means SCRAM for a user whose secret is known as a SCRAM verifier only.
      if (credentials_ && credentials_->md5_or_plain_secret.empty()) return start_scram();
      return start_md5();
    case login_method::password: {
      output out{step::send_then_read, {}, {}};
      write::authentication_cleartext(out.bytes);
      return out;
    }
    case login_method::scram:
      break;
  }
  return start_scram();
}

client_login::output client_login::start_scram() {
  const bool is_known = credentials_ && credentials_->scram;
  // Made for everybody, so that a known user costs no less time than an unknown one.
  auto verifier = mock_verifier(user_, policy_.mock_seed, policy_.mock_iterations);
  if (is_known) verifier = *credentials_->scram;
  scram_.emplace(std::move(verifier), !is_known, policy_.tls_server_end_point,
                 encode_base64(text_of(random_.nonce)));

  output out{step::send_then_read, {}, {}};
  constexpr std::array mechanisms = {scram_plus_mechanism, scram_mechanism};
  const auto offered = std::span(mechanisms).subspan(policy_.tls_server_end_point ? 0 : 1);
  write::authentication_sasl(out.bytes, offered);
  return out;
}

client_login::output client_login::start_md5() {
  output out{step::send_then_read, {}, {}};
  write::authentication_md5(out.bytes, text_of(random_.md5_salt));
  return out;
}

client_login::output client_login::on_message(char type, std::string_view body) {
  const char* const expected = scram_ ? "SASL" : "password";
  if (is_finished_) {
    return reject(fatal_error(sqlstate::protocol_violation, "the login conversation is over"));
  }
  if (type != 'p') {
    return reject(fatal_error(sqlstate::protocol_violation,
                              fmt::format("expected {} response, got message type {}", expected,
                                          static_cast<unsigned>(static_cast<unsigned char>(type)))));
  }
  if (body.size() > max_auth_token) return reject_password();
  return scram_ ? on_sasl(body) : on_password(body);
}

client_login::output client_login::on_sasl(std::string_view body) {
  auto answer = scram_->on_message(body);
  output out{step::send_then_read, {}, {}};
  switch (answer.next) {
    case scram_output::step::challenge:
      write::sasl_continue(out.bytes, answer.message);
      return out;
    case scram_output::step::success:
      is_finished_ = true;
      out.next = step::accepted;
      write::sasl_final(out.bytes, answer.message);
      return out;
    case scram_output::step::wrong_password:
      return reject_password();
    case scram_output::step::violation:
      break;
  }
  return reject(std::move(answer.error));
}

client_login::output client_login::on_password(std::string_view body) {
  if (body.empty() || body.find('\0') != body.size() - 1) {
    return reject(fatal_error(sqlstate::protocol_violation, "invalid password packet size"));
  }
  if (body.size() == 1) {
    return reject(fatal_error(sqlstate::invalid_password, "empty password returned by client"));
  }
  body.remove_suffix(1);
  if (policy_.method == login_method::password) return on_clear_text(body);
  const auto secret = credentials_ ? credentials_->md5_or_plain_secret : policy_.mock_seed;
  const bool is_right = verify_md5(body, secret, user_, text_of(random_.md5_salt));
  if (!is_right || !credentials_) return reject_password();
  is_finished_ = true;
  return {step::accepted, {}, {}};
}

client_login::output client_login::on_clear_text(std::string_view password) {
  is_finished_ = true;
  const bool is_server_asked = !credentials_ && policy_.servers_know_more;
  if (!is_server_asked && !is_known_password(password)) return reject_password();
  shown_ = password;
  return {is_server_asked ? step::ask_server : step::accepted, {}, {}};
}

// Whatever is known of the user, the work is the same.
bool client_login::is_known_password(std::string_view password) const {
  const bool has_verifier = credentials_ && credentials_->scram;
  const auto verifier =
      has_verifier ? *credentials_->scram : mock_verifier(user_, policy_.mock_seed, policy_.mock_iterations);
  const auto made = make_scram_verifier(password, verifier.salt, verifier.iterations);
  const bool fits_verifier = made && CRYPTO_memcmp(made->stored_key.data(), verifier.stored_key.data(),
                                                   verifier.stored_key.size()) == 0;
  const auto secret = credentials_ ? std::string_view(credentials_->md5_or_plain_secret) : std::string_view();
  const auto hashed = md5_secret(password, user_);
  const auto known = is_md5_secret(secret) ? std::string(secret) : md5_secret(secret, user_);
  const bool fits_secret = CRYPTO_memcmp(hashed.data(), known.data(), known.size()) == 0;
  return (has_verifier && fits_verifier) || (!secret.empty() && fits_secret);
}

client_login::output client_login::reject(error_report error) {
  is_finished_ = true;
  output out{step::rejected, {}, std::move(error)};
  write::error_response(out.bytes, *out.error);
  return out;
}

client_login::output client_login::reject_password() {
  return reject(fatal_error(sqlstate::invalid_password,
                            fmt::format("password authentication failed for user \"{}\"", user_)));
}

std::optional<scram_keys> client_login::keys() const {
  if (!scram_ || !scram_->client_key()) return std::nullopt;
  return scram_keys(*scram_->client_key(), *credentials_->scram);
}

}  // namespace pgsteer::protocol
