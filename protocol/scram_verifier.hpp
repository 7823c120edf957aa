// What a server keeps of a password to check SCRAM-SHA-256 (RFC 5802, RFC 7677), and the arithmetic on it.
// Made by the proxy once per user when the configuration loads; used by scram_server at each login.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::protocol {

using scram_key = std::array<unsigned char, 32>;

inline constexpr int default_scram_iterations = 4096;
inline constexpr std::size_t scram_salt_size = 16;

struct scram_verifier {
  int iterations = default_scram_iterations;
  std::string salt;  // raw bytes
  scram_key stored_key{};
  scram_key server_key{};
};

// Reads PostgreSQL's form, SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid
// and PQencryptPasswordConn give it. Nothing where it is anything else.
[[nodiscard]] std::optional<scram_verifier> parse_scram_verifier(std::string_view text);

// The same form, for comparing and storing.
[[nodiscard]] std::string format_scram_verifier(const scram_verifier& verifier);

// Derives a verifier (about 2 ms with 4096 iterations). Nothing for a password that is empty, or not
// printable ASCII: those need SASLprep, which PQencryptPasswordConn applies.
[[nodiscard]] std::optional<scram_verifier> make_scram_verifier(std::string_view password,
                                                                std::string_view salt,
                                                                int iterations = default_scram_iterations);

// A salt that depends on the user and the seed alone: real and mock verifiers made from it look alike.
[[nodiscard]] std::string derive_salt(std::string_view user, std::string_view secret_seed);

// What an unknown user is shown. Nobody's password fits, and the same name always gets the same salt.
[[nodiscard]] scram_verifier mock_verifier(std::string_view user, std::string_view secret_seed,
                                           int iterations = default_scram_iterations);

// HMAC-SHA-256 and SHA-256 over keys, as the exchange needs them.
[[nodiscard]] scram_key scram_hmac(std::string_view key, std::string_view text);
[[nodiscard]] scram_key scram_hmac(const scram_key& key, std::string_view text);
[[nodiscard]] scram_key scram_hash(const scram_key& key);

}  // namespace pgsteer::protocol
