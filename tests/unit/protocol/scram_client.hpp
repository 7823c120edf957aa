// A SCRAM client for the tests: what libpq computes, from the password alone.
// Used by the tests of the server's side.
#pragma once

#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "protocol/base64.hpp"
#include "protocol/scram_verifier.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace pgsteer::protocol {

struct scram_client {
  std::string password;
  std::string nonce = "clientnonce";
  std::string header = "n,,";  // GS2
  std::string binding_data{};
  std::string extension{};  // between nonce and proof of the last message

  [[nodiscard]] std::string first_bare() const { return "n=,r=" + nonce; }
  [[nodiscard]] std::string first() const { return header + first_bare(); }

  [[nodiscard]] static std::string initial_response(std::string_view mechanism, std::string_view data) {
    return wire::text(mechanism) + wire::int32(static_cast<std::uint32_t>(data.size())) + std::string(data);
  }

  // The value of one attribute of the server's message.
  [[nodiscard]] static std::string attribute(std::string_view message, char name) {
    const auto start = message.starts_with(name) ? 2 : message.find(std::string(",") + name + "=") + 3;
    return std::string(message.substr(start, message.find(',', start) - start));
  }

  [[nodiscard]] std::string final_without_proof(std::string_view server_first) const {
    return "c=" + encode_base64(header + binding_data) + ",r=" + attribute(server_first, 'r') + extension;
  }

  [[nodiscard]] scram_key salted(std::string_view server_first) const {
    const auto salt = decode_base64(attribute(server_first, 's')).value();
    scram_key key{};
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                      std::stoi(attribute(server_first, 'i')), EVP_sha256(), 32, key.data());
    return key;
  }

  [[nodiscard]] std::string auth_message(std::string_view server_first) const {
    return first_bare() + "," + std::string(server_first) + "," + final_without_proof(server_first);
  }

  [[nodiscard]] std::string final(std::string_view server_first) const {
    auto proof = scram_hmac(salted(server_first), "Client Key");
    const auto signature = scram_hmac(scram_hash(proof), auth_message(server_first));
    for (std::size_t i = 0; i < proof.size(); ++i)
      proof[i] ^= signature[i];
    return final_without_proof(server_first) +
           ",p=" + encode_base64({reinterpret_cast<const char*>(proof.data()), proof.size()});
  }

  [[nodiscard]] std::string expected_server_final(std::string_view server_first) const {
    const auto signature =
        scram_hmac(scram_hmac(salted(server_first), "Server Key"), auth_message(server_first));
    return "v=" + encode_base64({reinterpret_cast<const char*>(signature.data()), signature.size()});
  }
};

}  // namespace pgsteer::protocol
