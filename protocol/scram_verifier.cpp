#include "protocol/scram_verifier.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocol/base64.hpp"

namespace pgsteer::protocol {

namespace {

constexpr std::string_view verifier_prefix = "SCRAM-SHA-256$";
constexpr std::size_t block_size = 64;  // of SHA-256

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view text_of(const scram_key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

struct free_digest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Of both parts, one behind the other.
scram_key sha256(std::string_view first, std::string_view second) {
  static const std::unique_ptr<EVP_MD, free_digest> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  const std::unique_ptr<EVP_MD_CTX, free_digest> context{EVP_MD_CTX_new()};
  scram_key out{};
  if (context == nullptr || EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  return out;
}

std::optional<scram_key> decode_key(std::string_view text) {
  const auto bytes = decode_base64(text);
  scram_key key{};
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::copy_n(bytes_of(*bytes), key.size(), key.begin());
  return key;
}

// Takes the text up to `separator`, and the separator; nothing where there is none.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const auto part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

std::optional<int> parse_iterations(std::string_view text) {
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < 1) return std::nullopt;
  return value;
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

// RFC 2104 over OpenSSL's hash: OpenSSL's own HMAC looks its algorithms up for every key, at several times
// the cost of the hashing, and a login needs five.
scram_key scram_hmac(std::string_view key, std::string_view text) {
  std::array<char, block_size> inner{};
  if (key.size() > inner.size()) {
    const auto hashed = sha256(key, {});
    std::copy_n(text_of(hashed).begin(), hashed.size(), inner.begin());
  } else {
    std::ranges::copy(key, inner.begin());
  }
  auto outer = inner;
  for (auto& c : inner)
    c ^= 0x36;
  for (auto& c : outer)
    c ^= 0x5c;
  const auto hashed = sha256({inner.data(), inner.size()}, text);
  const auto out = sha256({outer.data(), outer.size()}, text_of(hashed));
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return out;
}

scram_key scram_hmac(const scram_key& key, std::string_view text) {
  return scram_hmac(text_of(key), text);
}

scram_key scram_hash(const scram_key& key) {
  return sha256(text_of(key), {});
}

std::optional<scram_verifier> parse_scram_verifier(std::string_view text) {
  if (!text.starts_with(verifier_prefix)) return std::nullopt;
  text.remove_prefix(verifier_prefix.size());
  const auto iterations_text = take_until(text, ':');
  const auto salt_text = take_until(text, '$');
  const auto stored_text = take_until(text, ':');
  if (!iterations_text || !salt_text || !stored_text) return std::nullopt;
  const auto iterations = parse_iterations(*iterations_text);
  auto salt = decode_base64(*salt_text);
  const auto stored = decode_key(*stored_text);
  const auto server = decode_key(text);
  if (!iterations || !salt || salt->empty() || !stored || !server) return std::nullopt;
  return scram_verifier{*iterations, std::move(*salt), *stored, *server};
}

std::string format_scram_verifier(const scram_verifier& verifier) {
  std::string out(verifier_prefix);
  out += std::to_string(verifier.iterations);
  out += ':';
  out += encode_base64(verifier.salt);
  out += '$';
  out += encode_base64(text_of(verifier.stored_key));
  out += ':';
  out += encode_base64(text_of(verifier.server_key));
  return out;
}

std::optional<scram_verifier> make_scram_verifier(std::string_view password, std::string_view salt,
                                                  int iterations) {
  constexpr std::size_t limit = std::numeric_limits<int>::max();
  if (password.empty() || !is_plain_ascii(password) || password.size() > limit) return std::nullopt;
  if (salt.empty() || salt.size() > limit || iterations < 1) return std::nullopt;
  scram_key salted{};
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                        static_cast<int>(salt.size()), iterations, EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) != 1) {
    return std::nullopt;
  }
  return scram_verifier{iterations, std::string(salt), scram_hash(scram_hmac(salted, "Client Key")),
                        scram_hmac(salted, "Server Key")};
}

std::string derive_salt(std::string_view user, std::string_view secret_seed) {
  const auto digest = scram_hmac(secret_seed, user);
  return std::string(text_of(digest).substr(0, scram_salt_size));
}

scram_verifier mock_verifier(std::string_view user, std::string_view secret_seed, int iterations) {
  return scram_verifier{iterations, derive_salt(user, secret_seed), {}, {}};
}

}  // namespace pgsteer::protocol
