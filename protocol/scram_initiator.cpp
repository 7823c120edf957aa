#include "protocol/scram_initiator.hpp"

#include <charconv>
#include <utility>

#include <openssl/crypto.h>

#include "protocol/base64.hpp"
#include "protocol/scram_attributes.hpp"

namespace pgsteer::protocol {

namespace {

std::string_view text_of(const scram_key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

bool is_number(std::string_view text, int wanted) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value == wanted;
}

}  // namespace

scram_keys::~scram_keys() {
  OPENSSL_cleanse(client_key.data(), client_key.size());
}

scram_initiator::scram_initiator(scram_keys keys, scram_binding binding, std::string end_point_hash,
                                 std::string nonce)
    : keys_(std::move(keys)),
      binding_(binding),
      end_point_hash_(std::move(end_point_hash)),
      nonce_(std::move(nonce)) {}

std::string scram_initiator::header() const {
  switch (binding_) {
    case scram_binding::impossible:
      return "n,,";
    case scram_binding::declined:
      return "y,,";
    case scram_binding::end_point:
      break;
  }
  return "p=tls-server-end-point,,";
}

// The name stands in the startup packet, and PostgreSQL ignores it here.
std::string scram_initiator::first() const {
  return header() + "n=,r=" + nonce_;
}

scram_initiator::result<std::string> scram_initiator::on_first(std::string_view message) {
  if (message.find('\0') != std::string_view::npos) return scram_failure::malformed;
  scram_attributes in(message);
  const auto nonce = in.take('r');
  const auto salt = decode_base64(in.take('s'));
  const auto iterations = in.take('i');
  if (in.error() || !salt || nonce.size() <= nonce_.size() || !nonce.starts_with(nonce_)) {
    return scram_failure::malformed;
  }
  if (*salt != keys_.verifier.salt || !is_number(iterations, keys_.verifier.iterations)) {
    return scram_failure::other_verifier;
  }
  auto bound = header();
  if (binding_ == scram_binding::end_point) bound += end_point_hash_;
  auto answer = "c=" + encode_base64(bound) + ",r=" + std::string(nonce);
  auth_message_ = "n=,r=" + nonce_ + "," + std::string(message) + "," + answer;
  auto proof = scram_hmac(keys_.verifier.stored_key, auth_message_);
  for (std::size_t i = 0; i < proof.size(); ++i)
    proof[i] ^= keys_.client_key[i];
  return answer + ",p=" + encode_base64(text_of(proof));
}

std::optional<scram_failure> scram_initiator::on_final(std::string_view message) const {
  if (auth_message_.empty() || message.find('\0') != std::string_view::npos) return scram_failure::malformed;
  if (message.starts_with("e=")) return scram_failure::refused;
  scram_attributes in(message);
  const auto signature = decode_base64(in.take('v'));
  if (in.error() || !signature) return scram_failure::malformed;
  const auto expected = scram_hmac(keys_.verifier.server_key, auth_message_);
  const bool is_right = signature->size() == expected.size() &&
                        CRYPTO_memcmp(signature->data(), expected.data(), expected.size()) == 0;
  if (!is_right) return scram_failure::not_authenticated;
  return std::nullopt;
}

}  // namespace pgsteer::protocol
