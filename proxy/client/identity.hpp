// Who may log in, with what, and as whom on the servers; limits of users and databases. Made by the
// application when the configuration loads; shared by all workers, asked at each login. Single identities
// come from user_lookup, too.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "protocol/client_login.hpp"
#include "proxy/backend/backend_login.hpp"

namespace pgsteer::proxy {

struct identity {
  protocol::login_credentials credentials;
  backend_login_ref login;                                             // null: the user of the servers' URLs
  std::optional<std::chrono::system_clock::time_point> valid_until{};  // of the credentials
};
using identity_ref = std::shared_ptr<const identity>;

// The user with its password or verifier, which may be empty. Derives a SCRAM verifier (milliseconds), with
// SASLprep applied by libpq; throws where the password cannot be used for that.
[[nodiscard]] identity make_identity(const std::string& user, const std::string& secret,
                                     const std::string& mock_seed);

class identities {
 public:
  identities(const config::settings& s, const std::string& mock_seed);

  // Null: unknown user.
  [[nodiscard]] identity_ref find(std::string_view user) const;
  [[nodiscard]] config::own_limits limits_of(std::string_view user) const;
  [[nodiscard]] config::own_limits limits_of_database(std::string_view database) const;

 private:
  std::map<std::string, identity_ref, std::less<>> users_;
  using limits_map = std::map<std::string, config::own_limits, std::less<>>;
  limits_map limits_;
  limits_map limits_of_databases_;
};

}  // namespace pgsteer::proxy
