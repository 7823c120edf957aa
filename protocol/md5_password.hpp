// PostgreSQL's md5 password exchange, for old clients where the operator allows it.
// Called by client_login.
#pragma once

#include <string>
#include <string_view>

namespace pgsteer::protocol {

// "md5" and 32 hexadecimal digits, as pg_authid stores it.
[[nodiscard]] bool is_md5_secret(std::string_view secret);

// What pg_authid stores for this password.
[[nodiscard]] std::string md5_secret(std::string_view password, std::string_view user);

// What a client answers to AuthenticationMD5Password. `secret` is an md5 secret.
[[nodiscard]] std::string md5_response(std::string_view secret, std::string_view salt);

// Whether `response` is right for a secret (an md5 secret or the plain password), in constant time.
[[nodiscard]] bool verify_md5(std::string_view response, std::string_view secret, std::string_view user,
                              std::string_view salt);

}  // namespace pgsteer::protocol
