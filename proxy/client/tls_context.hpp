// The server side of TLS to clients: certificate and key, checked when they are loaded.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "config/settings.hpp"

namespace pgsteer::proxy {

struct tls_identity {
  std::shared_ptr<SSL_CTX> context;  // null where TLS is off
  std::string end_point;             // tls-server-end-point hash of the certificate (RFC 5929)
};

// Throws std::runtime_error that names the file and the cause.
[[nodiscard]] tls_identity load_tls(const config::settings& s);

}  // namespace pgsteer::proxy
