#include "proxy/io/stream.hpp"

#include <algorithm>
#include <cerrno>

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pgsteer::proxy {

namespace {

bool is_transient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

io_status tls_status(SSL* ssl, int result) {
  const int error = SSL_get_error(ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return io_status::would_block;
  return io_status::closed;
}

}  // namespace

// Not by recv() and send(): in a process of several threads these are cancellation points, which cost more
// than all else here.
io_result stream::read(std::span<char> into) {
  if (ssl_ != nullptr) return read_tls(into);
  for (;;) {
    const auto n = ::syscall(SYS_recvfrom, fd_, into.data(), into.size(), 0, nullptr, nullptr);
    if (n > 0) {
      const auto size = static_cast<std::size_t>(n);
      return {io_status::ok, size, size < into.size()};
    }
    if (n == 0) return {io_status::closed, 0, true};
    if (errno == EINTR) continue;
    return {is_transient(errno) ? io_status::would_block : io_status::closed, 0, true};
  }
}

io_result stream::write(std::span<const iovec> parts) {
  if (ssl_ != nullptr) return write_tls(parts);
  for (;;) {
    ssize_t n = 0;
    if (parts.size() == 1) {
      n = ::syscall(SYS_sendto, fd_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL, nullptr, 0);
    } else {
      msghdr m{};
      m.msg_iov = const_cast<iovec*>(parts.data());
      m.msg_iovlen = parts.size();
      n = ::sendmsg(fd_, &m, MSG_NOSIGNAL);
    }
    if (n >= 0) return {io_status::ok, static_cast<std::size_t>(n), false};
    if (errno == EINTR) continue;
    return {is_transient(errno) ? io_status::would_block : io_status::closed, 0, false};
  }
}

io_result stream::read_tls(std::span<char> into) {
  std::size_t total = 0;
  while (total < into.size()) {
    ERR_clear_error();
    const int want = static_cast<int>(std::min<std::size_t>(into.size() - total, 1U << 20));
    const int n = SSL_read(ssl_, into.data() + total, want);
    if (n <= 0) {
      if (total > 0) return {io_status::ok, total, false};
      return {tls_status(ssl_, n), 0, true};
    }
    total += static_cast<std::size_t>(n);
  }
  return {io_status::ok, total, false};
}

// One record a write where the parts are small: they are joined first.
io_result stream::write_tls(std::span<const iovec> parts) {
  constexpr std::size_t record = 16384;
  std::size_t sent = 0;
  std::string joined;
  for (std::size_t i = 0; i < parts.size();) {
    const char* data = static_cast<const char*>(parts[i].iov_base);
    std::size_t size = parts[i].iov_len;
    ++i;
    if (size < record && i < parts.size()) {
      joined.assign(data, size);
      while (i < parts.size() && joined.size() + parts[i].iov_len <= record) {
        joined.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        ++i;
      }
      data = joined.data();
      size = joined.size();
    }
    while (size > 0) {
      ERR_clear_error();
      const int n = SSL_write(ssl_, data, static_cast<int>(std::min<std::size_t>(size, 1U << 20)));
      if (n <= 0) {
        if (sent > 0) return {io_status::ok, sent, false};
        return {tls_status(ssl_, n), 0, false};
      }
      sent += static_cast<std::size_t>(n);
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }
  return {io_status::ok, sent, false};
}

void stream::start_tls(ssl_ptr ssl) {
  owned_ = std::move(ssl);
  ssl_ = owned_.get();
  SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_fd(ssl_, fd_);
  SSL_set_accept_state(ssl_);
}

io_status stream::handshake() {
  ERR_clear_error();
  const int n = SSL_do_handshake(ssl_);
  return n == 1 ? io_status::ok : tls_status(ssl_, n);
}

std::string stream::tls_error() {
  const auto code = ERR_peek_last_error();
  if (code == 0) return "connection closed during the TLS handshake";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS error";
}

}  // namespace pgsteer::proxy
