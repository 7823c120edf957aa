// The conversation with a server between the startup packet and the first ReadyForQuery, for users of whom
// no password is known: with SCRAM keys or an md5 secret. Messages in, bytes to send and the verdict out.
// Driven by proxy/backend, which has libpq connect and shake hands.
// https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.3
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/scram_initiator.hpp"

namespace pgsteer::protocol {

enum class channel_binding : std::uint8_t { disable, prefer, require };

// What proves to a server who the user is.
struct server_login_secret {
  std::string user;
  std::string md5_secret;          // as pg_authid stores it; empty: none
  std::optional<scram_keys> keys;  // of its SCRAM verifier
};

struct server_login_policy {
  channel_binding binding = channel_binding::prefer;
  bool is_tls = false;
  std::string end_point_hash;  // of the server's certificate; empty: it has none that can be bound to
  std::string nonce;           // fresh
};

class server_login {
 public:
  enum class step : std::uint8_t { read, send, done, failed };
  struct output {
    step next = step::failed;
    std::string bytes;     // send
    std::string sqlstate;  // failed: the server's, or ours
    std::string message;
  };

  server_login(server_login_secret secret, server_login_policy policy)
      : secret_(std::move(secret)), policy_(std::move(policy)) {}

  [[nodiscard]] output on_message(char type, std::string_view body);

  // What the server has told of itself, once it is done.
  using parameter_map = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] const parameter_map& parameters() const { return parameters_; }
  [[nodiscard]] std::int32_t pid() const { return pid_; }
  [[nodiscard]] const std::string& cancel_key() const { return cancel_key_; }

 private:
  [[nodiscard]] output on_authentication(std::string_view body);
  [[nodiscard]] output on_ok();
  [[nodiscard]] output on_md5(std::string_view salt);
  [[nodiscard]] output on_sasl(std::string_view mechanisms);
  [[nodiscard]] output on_sasl_continue(std::string_view data);
  [[nodiscard]] output on_sasl_final(std::string_view data);
  [[nodiscard]] output explain(scram_failure why) const;
  [[nodiscard]] output lacks_password(std::string_view method) const;

  server_login_secret secret_;
  server_login_policy policy_;
  std::optional<scram_initiator> scram_;
  bool is_bound_ = false;
  bool has_proven_ = false;  // the server, that it knows the verifier
  bool is_authenticated_ = false;
  parameter_map parameters_;
  std::int32_t pid_ = 0;
  std::string cancel_key_;
};

}  // namespace pgsteer::protocol
