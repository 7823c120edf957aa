// The server side of TLS to clients: certificate and key, checked when they are loaded.
// Made by the application at start-up and at each reload; sessions shake hands with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "config/settings.hpp"

namespace pgsteer::proxy {

struct tls_identity {
  std::shared_ptr<SSL_CTX> context;  // null where TLS is off
  std::string end_point;             // tls-server-end-point hash of the certificate (RFC 5929)
};

// Throws std::runtime_error that names the file and the cause.
[[nodiscard]] tls_identity load_tls(const config::settings& s);

// The common name in the certificate that the client has shown and an authority vouches for; empty: it has
// none that could be a name. Nothing: there is no such certificate.
[[nodiscard]] std::optional<std::string> certificate_name(SSL* connection);

}  // namespace pgsteer::proxy
