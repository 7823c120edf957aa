// The conversation between the startup packet and AuthenticationOk, one client's.
// Driven by the proxy's client session: messages in, bytes to send and the verdict out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error_report.hpp"
#include "protocol/scram_initiator.hpp"
#include "protocol/scram_server.hpp"
#include "protocol/scram_verifier.hpp"

namespace pgsteer::protocol {

// PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH: refuse a longer 'p' message by its length word, unread.
inline constexpr std::size_t max_auth_token = 65535;

enum class login_method : std::uint8_t { scram, md5, password, trust };

struct login_policy {
  login_method method = login_method::scram;
  std::optional<std::string> tls_server_end_point;  // hash of our certificate; set under TLS only
  std::string mock_seed;                            // secret, the same for the life of the process
  int mock_iterations = default_scram_iterations;   // as the real users have
  bool servers_know_more = false;  // of login_method::password: who is unknown here may be known there
};

// What the proxy knows of the user.
struct login_credentials {
  std::optional<scram_verifier> scram;
  std::string md5_or_plain_secret;
};

// Fresh random bytes for one login.
struct login_random {
  std::array<unsigned char, 18> nonce{};
  std::array<unsigned char, 4> md5_salt{};
};

class client_login {
 public:
  enum class step : std::uint8_t {
    send_then_read,
    accepted,    // `bytes` may hold SASLFinal; the caller appends AuthenticationOk and what follows
    ask_server,  // by logging in there with password(); then the conversation is over either way
    rejected,    // `bytes` is a FATAL ErrorResponse: send, close
  };
  struct output {
    step next = step::rejected;
    std::string bytes;
    std::optional<error_report> error;  // rejected: the same as in `bytes`, to count and to log
  };

  // No credentials: the user is unknown. It sees the same messages in the same time as a wrong
  // password; under trust it is refused, because there is no identity to serve it with.
  client_login(login_policy policy, std::string user, std::optional<login_credentials> credentials,
               const login_random& random);
  ~client_login();
  client_login(const client_login&) = delete;
  client_login& operator=(const client_login&) = delete;

  // The request for authentication; under trust the verdict at once.
  [[nodiscard]] output start();

  // The next message of the client, any type: all but 'p' are refused.
  [[nodiscard]] output on_message(char type, std::string_view body);

  // What the client has shown in clear text and was accepted with, or is to be asked about; else empty.
  [[nodiscard]] const std::string& password() const { return shown_; }

  // After a SCRAM login was accepted: what can log in to a server with the same verifier.
  [[nodiscard]] std::optional<scram_keys> keys() const;

 private:
  [[nodiscard]] output start_scram();
  [[nodiscard]] output start_md5();
  [[nodiscard]] output on_sasl(std::string_view body);
  [[nodiscard]] output on_password(std::string_view body);
  [[nodiscard]] output on_clear_text(std::string_view password);
  [[nodiscard]] bool is_known_password(std::string_view password) const;
  [[nodiscard]] output reject(error_report error);
  [[nodiscard]] output reject_password();

  login_policy policy_;
  std::string user_;
  std::optional<login_credentials> credentials_;
  login_random random_;
  std::optional<scram_server> scram_;
  std::string shown_;
  bool is_finished_ = false;
};

}  // namespace pgsteer::protocol
