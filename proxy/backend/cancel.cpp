#include "proxy/backend/cancel.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "protocol/message_writer.hpp"

namespace pgsteer::proxy {

cancel_request::cancel_request(reactor& loop, const cancel_target& at,
                               std::function<void(cancel_request&)> done)
    : loop_(loop), backend_id_(at.backend_id), begun_(loop.now()), done_(std::move(done)) {
  protocol::write::cancel_request(packet_, at.pid, at.key);
  fd_.reset(::socket(at.peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd_.is_open()) {
    const int r = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&at.peer), at.peer_size);
    if (r == 0 || errno == EINPROGRESS) {
      loop_.add(fd_.get(), *this);
      return;
    }
    fd_.reset();
  }
  loop_.soon(*this);
}

cancel_request::~cancel_request() {
  loop_.forget(*this);
}

void cancel_request::on_events(std::uint32_t events) {
  if (!fd_.is_open() || (events & EPOLLERR) != 0) return finish();
  if (!is_sent_ && (events & EPOLLOUT) != 0) {
    is_sent_ = true;
    if (::send(fd_.get(), packet_.data(), packet_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(packet_.size()))
      return finish();
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) finish();
}

void cancel_request::finish() {
  if (fd_.is_open()) loop_.remove(fd_.get());
  fd_.reset();
  if (auto done = std::exchange(done_, nullptr)) done(*this);
}

}  // namespace pgsteer::proxy
