#include "proxy/client/identity.hpp"

#include <memory>
#include <optional>
#include <stdexcept>

#include <libpq-fe.h>

#include "protocol/md5_password.hpp"

namespace pgsteer::proxy {

namespace {

// PQencryptPasswordConn applies SASLprep; it needs a connection object, though none that is open.
std::optional<protocol::scram_verifier> verifier_by_libpq(const std::string& password,
                                                          const std::string& user) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> c(PQconnectStart("host=/nowhere"), &PQfinish);
  if (!c) return std::nullopt;
  const std::unique_ptr<char, decltype(&PQfreemem)> text(
      PQencryptPasswordConn(c.get(), password.c_str(), user.c_str(), "scram-sha-256"), &PQfreemem);
  return text ? protocol::parse_scram_verifier(text.get()) : std::nullopt;
}

protocol::login_credentials credentials_of(const std::string& user, const std::string& secret,
                                           const std::string& mock_seed) {
  protocol::login_credentials c;
  c.scram = protocol::parse_scram_verifier(secret);
  if (c.scram) return c;
  c.md5_or_plain_secret = secret;
  if (protocol::is_md5_secret(secret) || secret.empty()) return c;
  c.scram = protocol::make_scram_verifier(secret, protocol::derive_salt(user, mock_seed));
  if (!c.scram) c.scram = verifier_by_libpq(secret, user);
  if (!c.scram)
    throw std::runtime_error("the password of user " + user + " cannot be used for SCRAM-SHA-256");
  return c;
}

backend_login_ref login_of(const std::string& user, const std::string& secret) {
  auto login = std::make_shared<backend_login>();
  login->user = user;
  if (protocol::is_md5_secret(secret)) {
    login->md5_secret = secret;
  } else if (!protocol::parse_scram_verifier(secret)) {
    login->password = secret;
  }
  return login;
}

}  // namespace

identity make_identity(const std::string& user, const std::string& secret, const std::string& mock_seed) {
  return {credentials_of(user, secret, mock_seed), login_of(user, secret)};
}

identities::identities(const config::settings& s, const std::string& mock_seed) {
  for (const auto& d : s.databases)
    limits_of_databases_[d.name] = d.limits;
  // A user without a password is one for rules that ask for none, or for others to tell more of.
  const bool needs_password = s.auth != config::auth_method::trust && s.hba.empty();
  for (const auto& u : s.users) {
    limits_[u.name] = u.limits;
    const bool is_told_elsewhere = u.secret.empty() && !s.auth_query.empty();
    if (u.name == s.primary.user || is_told_elsewhere || (needs_password && u.secret.empty())) continue;
    users_.emplace(u.name, std::make_shared<identity>(make_identity(u.name, u.secret, mock_seed)));
  }
  if (needs_password && s.primary.password.empty()) return;
  users_.emplace(s.primary.user,
                 std::make_shared<identity>(
                     identity{credentials_of(s.primary.user, s.primary.password, mock_seed), nullptr}));
}

identity_ref identities::find(std::string_view user) const {
  const auto at = users_.find(user);
  return at == users_.end() ? nullptr : at->second;
}

config::own_limits identities::limits_of(std::string_view user) const {
  const auto at = limits_.find(user);
  return at == limits_.end() ? config::own_limits{} : at->second;
}

config::own_limits identities::limits_of_database(std::string_view database) const {
  const auto at = limits_of_databases_.find(database);
  return at == limits_of_databases_.end() ? config::own_limits{} : at->second;
}

}  // namespace pgsteer::proxy
