#include "proxy/client/tls_context.hpp"

#include <array>
#include <stdexcept>

#include <openssl/err.h>

#include "proxy/io/end_point.hpp"

namespace pgsteer::proxy {

namespace {

[[noreturn]] void fail(const std::string& what) {
  const auto code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  throw std::runtime_error(what + (reason != nullptr ? std::string(": ") + reason : std::string()));
}

// RFC 7301: who offers protocols without this one speaks something else.
int choose_protocol(SSL* /*connection*/, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  static constexpr std::array<unsigned char, 11> ours{10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};
  unsigned char* chosen = nullptr;
  const int answer = SSL_select_next_proto(&chosen, size, ours.data(), ours.size(), offered, offered_size);
  *out = chosen;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

tls_identity load_tls(const config::settings& s) {
  if (s.tls == config::client_tls::disable || s.tls_cert_file.empty()) return {};
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) fail("cannot make a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), s.tls_cert_file.c_str()) != 1) {
    fail("cannot load certificate " + s.tls_cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), s.tls_key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("cannot load private key " + s.tls_key_file);
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    fail("private key " + s.tls_key_file + " does not match certificate " + s.tls_cert_file);
  }
  return {context, end_point_hash(SSL_CTX_get0_certificate(context.get()))};
}

}  // namespace pgsteer::proxy
