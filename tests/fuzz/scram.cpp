// SASL messages of a client in any order: no overrun, and nobody gets in without the password.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/client_login.hpp"

using namespace pgsteer::protocol;

namespace {

login_credentials known_user() {
  static const auto verifier = make_scram_verifier("a password that no input holds", "0123456789abcdef", 1);
  return {verifier, {}};
}

}  // namespace

// The first byte chooses the policy; then each message is a length (2 bytes) and its body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto choice = data[0];
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  login_policy policy{(choice & 1U) != 0 ? login_method::md5 : login_method::scram, {}, "seed", 1};
  if ((choice & 2U) != 0) policy.tls_server_end_point = "hash";
  auto credentials = (choice & 4U) != 0 ? std::optional(known_user()) : std::nullopt;
  if (credentials && (choice & 8U) != 0) credentials->md5_or_plain_secret = "another password";
  client_login login(policy, "alice", credentials, {});

  auto out = login.start();
  while (out.next == client_login::step::send_then_read && rest.size() >= 2) {
    const std::size_t wanted =
        static_cast<unsigned char>(rest[0]) * 256U + static_cast<unsigned char>(rest[1]);
    const auto body = rest.substr(2, wanted);
    rest.remove_prefix(2 + body.size());
    out = login.on_message('p', body);
  }
  if (out.next == client_login::step::accepted) std::abort();
  if (out.next == client_login::step::rejected && out.bytes.empty()) std::abort();
  return 0;
}
