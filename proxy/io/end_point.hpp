// The tls-server-end-point channel binding of a certificate (RFC 5929), for SCRAM on either side of pgsteer.
// Used by tls_context for clients and by open_with_keys for servers.
#pragma once

#include <string>

#include <openssl/x509.h>

namespace pgsteer::proxy {

// The certificate's hash by its own signature's digest, SHA-256 in place of MD5 and SHA-1; empty where
// there is none.
[[nodiscard]] std::string end_point_hash(X509* certificate);

}  // namespace pgsteer::proxy
