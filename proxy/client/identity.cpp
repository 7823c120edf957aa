#include "proxy/client/identity.hpp"

#include <memory>
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

protocol::login_credentials credentials_of(const std::string& user, const std::string& password,
                                           config::auth_method method, const std::string& mock_seed) {
  protocol::login_credentials c;
  c.scram = protocol::parse_scram_verifier(password);
  if (c.scram) return c;
  c.md5_or_plain_secret = password;
  if (protocol::is_md5_secret(password)) return c;
  if (method != config::auth_method::scram_sha_256 || password.empty()) return c;
  c.scram = protocol::make_scram_verifier(password, protocol::derive_salt(user, mock_seed));
  if (!c.scram) c.scram = verifier_by_libpq(password, user);
  if (!c.scram)
    throw std::runtime_error("the password of user " + user + " cannot be used for SCRAM-SHA-256");
  return c;
}

backend_login_ref login_of(const config::user_entry& u) {
  auto login = std::make_shared<backend_login>();
  login->user = u.name;
  if (protocol::is_md5_secret(u.secret)) {
    login->md5_secret = u.secret;
  } else if (!protocol::parse_scram_verifier(u.secret)) {
    login->password = u.secret;
  }
  return login;
}

}  // namespace

identities::identities(const config::settings& s, const std::string& mock_seed) {
  const bool needs_password = s.auth != config::auth_method::trust;
  for (const auto& u : s.users) {
    limits_[u.name] = {u.mode, u.pool_size, u.max_clients};
    if (u.name == s.primary.user || (needs_password && u.secret.empty())) continue;
    users_.emplace(u.name, identity{credentials_of(u.name, u.secret, s.auth, mock_seed), login_of(u)});
  }
  if (needs_password && s.primary.password.empty()) return;
  users_.emplace(s.primary.user,
                 identity{credentials_of(s.primary.user, s.primary.password, s.auth, mock_seed), nullptr});
}

const identity* identities::find(std::string_view user) const {
  const auto at = users_.find(user);
  return at == users_.end() ? nullptr : &at->second;
}

user_limits identities::limits_of(std::string_view user) const {
  const auto at = limits_.find(user);
  return at == limits_.end() ? user_limits{} : at->second;
}

}  // namespace pgsteer::proxy
