#include "proxy/client/identity.hpp"

#include <memory>
#include <stdexcept>

#include <libpq-fe.h>

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

}  // namespace

identities::identities(const config::settings& s, const std::string& mock_seed) {
  protocol::login_credentials c;
  c.md5_or_plain_secret = s.primary.password;
  if (s.auth == config::auth_method::scram_sha_256) {
    c.scram =
        protocol::make_scram_verifier(s.primary.password, protocol::derive_salt(s.primary.user, mock_seed));
    if (!c.scram) c.scram = verifier_by_libpq(s.primary.password, s.primary.user);
    if (!c.scram) throw std::runtime_error("the password of DATABASE_URL cannot be used for SCRAM-SHA-256");
  }
  users_.emplace(s.primary.user, std::move(c));
}

std::optional<protocol::login_credentials> identities::find(const std::string& user) const {
  const auto at = users_.find(user);
  return at == users_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace pgsteer::proxy
