// As whom a backend is logged in, where that is not the user of the server's URL. Made by identities and
// by logins of clients; shared by the pools of the user, and wiped when the last of them lets go.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/server_login.hpp"

namespace pgsteer::proxy {

struct backend_login {
  std::string user;
  std::string password;  // empty: none is known; then the secrets below are all there is
  std::string md5_secret;
  std::optional<protocol::scram_keys> keys;  // from a client's proof
  bool is_shown =
      false;  // what it holds was shown by a client at its login: kept while such clients are there

  backend_login() = default;
  ~backend_login();
  // It can log in by itself, without what a client's proof yields.
  [[nodiscard]] bool has_secret() const { return !is_shown && (!password.empty() || !md5_secret.empty()); }
  backend_login(const backend_login&) = delete;
  backend_login& operator=(const backend_login&) = delete;
};
using backend_login_ref = std::shared_ptr<const backend_login>;

// A login of the user with no secret.
[[nodiscard]] backend_login_ref make_login(std::string user);
// ... and with what a client has shown.
[[nodiscard]] backend_login_ref make_login(std::string user, std::optional<protocol::scram_keys> keys);
[[nodiscard]] backend_login_ref make_login(std::string user, std::string password);

}  // namespace pgsteer::proxy
