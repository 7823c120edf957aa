// A connected, non-blocking byte stream: a socket, with TLS over it or not. Owns the TLS object of
// a client; the socket (and a backend's TLS object, which is libpq's) belongs to its owner.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <openssl/ssl.h>
#include <sys/uio.h>

namespace pgsteer::proxy {

struct ssl_deleter {
  void operator()(SSL* s) const { SSL_free(s); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;

enum class io_status : unsigned char { ok, would_block, closed };

struct io_result {
  io_status status = io_status::ok;
  std::size_t size = 0;
  bool drained = false;  // a plain socket gave less than was asked: nothing more is there now
};

class stream {
 public:
  stream() = default;
  explicit stream(int fd, SSL* borrowed = nullptr) : fd_(fd), ssl_(borrowed) {}

  [[nodiscard]] io_result read(std::span<char> into);
  // Writes what the kernel takes at once. At most IOV_MAX parts.
  [[nodiscard]] io_result write(std::span<const iovec> parts);

  // Takes over the server side of a TLS handshake on the socket; continue it with handshake().
  void start_tls(ssl_ptr ssl);
  // ok: done; would_block: call again on readiness; closed: failed, see tls_error().
  [[nodiscard]] io_status handshake();
  [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }
  [[nodiscard]] SSL* ssl() const { return ssl_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] static std::string tls_error();

 private:
  io_result read_tls(std::span<char> into);
  io_result write_tls(std::span<const iovec> parts);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  ssl_ptr owned_;
};

}  // namespace pgsteer::proxy
