// The client's side of one SCRAM-SHA-256(-PLUS) exchange, with the keys in place of the password: what a
// client's own proof has shown logs in to a server that has the same verifier. Driven by server_login.
// RFC 5802 section 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "protocol/scram_verifier.hpp"

namespace pgsteer::protocol {

// ClientKey, and the verifier that it was checked against. Wiped when it is dropped.
struct scram_keys {
  scram_key client_key{};
  scram_verifier verifier;

  scram_keys(const scram_key& key, scram_verifier of) : client_key(key), verifier(std::move(of)) {}
  ~scram_keys();
  scram_keys(const scram_keys&) = default;
  scram_keys& operator=(const scram_keys&) = default;
};

// What the GS2 header says of channel binding.
enum class scram_binding : std::uint8_t {
  impossible,  // no TLS
  declined,    // TLS, but the server does not offer -PLUS
  end_point,   // bound to the server's certificate
};

enum class scram_failure : std::uint8_t {
  malformed,         // not a message of this exchange
  other_verifier,    // salt or iteration count are not those of the keys
  refused,           // the server says so
  not_authenticated  // its signature is wrong: it does not know the verifier
};

class scram_initiator {
 public:
  template <class T>
  using result = boost::system::result<T, scram_failure>;

  // `nonce` is printable ASCII without commas, fresh for each exchange; `end_point_hash` is used for
  // scram_binding::end_point alone.
  scram_initiator(scram_keys keys, scram_binding binding, std::string end_point_hash, std::string nonce);

  // client-first-message.
  [[nodiscard]] std::string first() const;
  // server-first-message in, client-final-message out.
  [[nodiscard]] result<std::string> on_first(std::string_view message);
  // server-final-message: nothing where the server has proven that it knows the verifier.
  [[nodiscard]] std::optional<scram_failure> on_final(std::string_view message) const;

 private:
  [[nodiscard]] std::string header() const;

  scram_keys keys_;
  scram_binding binding_;
  std::string end_point_hash_;
  std::string nonce_;
  std::string auth_message_;
};

}  // namespace pgsteer::protocol
