// The server's side of one SCRAM-SHA-256(-PLUS) exchange: message bodies in, the next message out.
// Driven by client_login; its rules and error texts are those of PostgreSQL's auth-scram.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error_report.hpp"
#include "protocol/scram_verifier.hpp"

namespace pgsteer::protocol {

inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256";
inline constexpr std::string_view scram_plus_mechanism = "SCRAM-SHA-256-PLUS";

struct scram_output {
  enum class step : std::uint8_t {
    challenge,       // send `message` as SASLContinue, wait for the next SASLResponse
    success,         // send `message` as SASLFinal
    wrong_password,  // or unknown user: the same by design
    violation,       // send `error`
  };
  step next = step::violation;
  std::string message;
  error_report error;
};

class scram_server {
 public:
  // `nonce` is the server's part: printable ASCII without commas, fresh for each exchange.
  // With `end_point` (the hash of our certificate) the -PLUS mechanism is offered too.
  // A doomed exchange (mock verifier) goes through every motion and fails at the end.
  scram_server(scram_verifier verifier, bool is_doomed, std::optional<std::string> end_point,
               std::string nonce);
  ~scram_server();
  scram_server(const scram_server&) = delete;
  scram_server& operator=(const scram_server&) = delete;

  // The body of SASLInitialResponse first, then of each SASLResponse.
  [[nodiscard]] scram_output on_message(std::string_view body);

  // After success: what logs in elsewhere as this user.
  [[nodiscard]] const std::optional<scram_key>& client_key() const { return client_key_; }

 private:
  enum class state : std::uint8_t { initial, awaiting_first, awaiting_final, finished };

  scram_output on_initial(std::string_view body);
  scram_output on_data(std::string_view data);
  scram_output on_client_first(std::string_view data);
  scram_output on_client_final(std::string_view data);
  scram_output fail(error_report error);
  [[nodiscard]] std::optional<error_report> check_binding(std::string_view channel_binding) const;
  [[nodiscard]] bool verify_proof(std::string_view proof, std::string_view auth_message);

  scram_verifier verifier_;
  std::optional<std::string> end_point_;
  std::string nonce_;              // the server's, then the client's before it
  std::string client_first_bare_;  // the parts that make up AuthMessage
  std::string server_first_;
  std::optional<scram_key> client_key_;
  state state_ = state::initial;
  bool is_doomed_;
  bool is_binding_ = false;  // the client chose -PLUS
  char binding_flag_ = 'n';  // n, y or p
};

}  // namespace pgsteer::protocol
