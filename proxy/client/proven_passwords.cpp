#include "proxy/client/proven_passwords.hpp"

#include <utility>

#include <openssl/crypto.h>

#include "protocol/scram_verifier.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::size_t most = 10000;

}  // namespace

std::string proven_passwords::hash(std::string_view user, std::string_view database,
                                   std::string_view password) const {
  std::string all(user);
  all.append(1, '\0').append(database).append(1, '\0').append(password);
  const auto digest = protocol::scram_hmac(key_, all);
  OPENSSL_cleanse(all.data(), all.size());
  return {digest.begin(), digest.end()};
}

void proven_passwords::add(std::string_view user, std::string_view database, std::string_view password,
                           time_point until) {
  if (until_.size() >= most) until_.clear();
  until_[hash(user, database, password)] = until;
}

bool proven_passwords::has(std::string_view user, std::string_view database, std::string_view password,
                           time_point now) const {
  const auto at = until_.find(hash(user, database, password));
  return at != until_.end() && now < at->second;
}

}  // namespace pgsteer::proxy
