// Who may log in, with what, and as whom on the servers. Made by the application when the configuration
// loads; shared by all workers, asked at each login.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "protocol/client_login.hpp"
#include "proxy/backend/backend_login.hpp"

namespace pgsteer::proxy {

// What the operator allows one user; what is missing is as for everybody.
struct user_limits {
  std::optional<config::pool_mode> mode;
  std::optional<int> pool_size;
  std::optional<int> max_clients;
};

struct identity {
  protocol::login_credentials credentials;
  backend_login_ref login;  // null: the user of the servers' URLs
};

class identities {
 public:
  // Derives SCRAM verifiers (milliseconds each), with SASLprep applied by libpq.
  identities(const config::settings& s, const std::string& mock_seed);

  // Null: unknown user.
  [[nodiscard]] const identity* find(std::string_view user) const;
  [[nodiscard]] user_limits limits_of(std::string_view user) const;

 private:
  std::map<std::string, identity, std::less<>> users_;
  std::map<std::string, user_limits, std::less<>> limits_;
};

}  // namespace pgsteer::proxy
