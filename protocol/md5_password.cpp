#include "protocol/md5_password.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace pgsteer::protocol {

namespace {

constexpr std::string_view md5_prefix = "md5";
constexpr std::string_view hex_digits = "0123456789abcdef";

std::string prefixed_md5(std::string_view text, std::string_view suffix) {
  std::string input(text);
  input += suffix;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute MD5 (a FIPS provider?)");
  }
  std::string out(md5_prefix);
  for (unsigned i = 0; i < size; ++i) {
    out.push_back(hex_digits[digest[i] >> 4U]);
    out.push_back(hex_digits[digest[i] & 15U]);
  }
  return out;
}

}  // namespace

bool is_md5_secret(std::string_view secret) {
  if (secret.size() != md5_prefix.size() + 32 || !secret.starts_with(md5_prefix)) return false;
  secret.remove_prefix(md5_prefix.size());
  return std::all_of(secret.begin(), secret.end(),
                     [](char c) { return hex_digits.find(c) != std::string_view::npos; });
}

std::string md5_secret(std::string_view password, std::string_view user) {
  return prefixed_md5(password, user);
}

std::string md5_response(std::string_view secret, std::string_view salt) {
  return prefixed_md5(secret.substr(std::min(secret.size(), md5_prefix.size())), salt);
}

bool verify_md5(std::string_view response, std::string_view secret, std::string_view user,
                std::string_view salt) {
  const auto stored = is_md5_secret(secret) ? std::string(secret) : md5_secret(secret, user);
  const auto expected = md5_response(stored, salt);
  return response.size() == expected.size() &&
         CRYPTO_memcmp(response.data(), expected.data(), expected.size()) == 0;
}

}  // namespace pgsteer::protocol
