#include "proxy/backend/backend_login.hpp"

#include <openssl/crypto.h>

namespace pgsteer::proxy {

backend_login::~backend_login() {
  OPENSSL_cleanse(password.data(), password.size());
}

}  // namespace pgsteer::proxy
