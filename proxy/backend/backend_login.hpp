// As whom a backend is logged in, where that is not the user of the server's URL. Made by identities and
// by logins of clients; shared by the pools of the user, and wiped when the last of them lets go.
#pragma once

#include <memory>
#include <string>

namespace pgsteer::proxy {

struct backend_login {
  std::string user;
  std::string password;  // empty: none is known

  backend_login() = default;
  ~backend_login();
  backend_login(const backend_login&) = delete;
  backend_login& operator=(const backend_login&) = delete;
};
using backend_login_ref = std::shared_ptr<const backend_login>;

}  // namespace pgsteer::proxy
