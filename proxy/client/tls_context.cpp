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

void load_revoked(SSL_CTX* context, const std::string& file) {
  auto* const store = SSL_CTX_get_cert_store(context);
  auto* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) < 1)
    fail("cannot load revocation list " + file);
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

// As on a server: who shows none may still be let in by a rule that wants none, who shows a bad one is not.
void ask_for_certificates(SSL_CTX* context, const config::settings& s) {
  if (s.tls_client_ca_file.empty()) return;
  const char* const file = s.tls_client_ca_file.c_str();
  auto* const names = SSL_load_client_CA_file(file);
  if (names == nullptr || SSL_CTX_load_verify_file(context, file) != 1)
    fail("cannot load authorities " + s.tls_client_ca_file);
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  if (!s.tls_client_crl_file.empty()) load_revoked(context, s.tls_client_crl_file);
}

}  // namespace

std::optional<std::string> certificate_name(SSL* connection) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(connection),
                                                                &X509_free);
  if (!certificate || SSL_get_verify_result(connection) != X509_V_OK) return std::nullopt;
  const auto* const subject = X509_get_subject_name(certificate.get());
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return std::string();
  const auto* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) return std::string();
  const std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : std::string();
}

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
  ask_for_certificates(context.get(), s);
  return {context, end_point_hash(SSL_CTX_get0_certificate(context.get()))};
}

}  // namespace pgsteer::proxy
