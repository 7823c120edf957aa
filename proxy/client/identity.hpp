// Who may log in, and with what. Made by the application when the configuration loads;
// shared by all workers, asked at each login.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "protocol/client_login.hpp"

namespace pgsteer::proxy {

class identities {
 public:
  // Derives SCRAM verifiers (milliseconds each), with SASLprep applied by libpq.
  identities(const config::settings& s, const std::string& mock_seed);

  // Nothing: unknown user.
  [[nodiscard]] std::optional<protocol::login_credentials> find(const std::string& user) const;

 private:
  std::map<std::string, protocol::login_credentials, std::less<>> users_;
};

}  // namespace pgsteer::proxy
