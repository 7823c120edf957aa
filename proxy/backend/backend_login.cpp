#include "proxy/backend/backend_login.hpp"

#include <utility>

#include <openssl/crypto.h>

namespace pgsteer::proxy {

backend_login::~backend_login() {
  OPENSSL_cleanse(password.data(), password.size());
  OPENSSL_cleanse(md5_secret.data(), md5_secret.size());
}

backend_login_ref make_login(std::string user) {
  auto login = std::make_shared<backend_login>();
  login->user = std::move(user);
  return login;
}

backend_login_ref make_login(std::string user, std::optional<protocol::scram_keys> keys) {
  auto login = std::make_shared<backend_login>();
  login->user = std::move(user);
  login->keys = std::move(keys);
  login->is_shown = true;
  return login;
}

backend_login_ref make_login(std::string user, std::string password) {
  auto login = std::make_shared<backend_login>();
  login->user = std::move(user);
  login->password = std::move(password);
  login->is_shown = true;
  return login;
}

}  // namespace pgsteer::proxy
