#include "proxy/process/notify.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pgsteer::proxy {

notify_socket notify_socket::from_environment() {
  // Start-up, before there are threads that could read the environment.
  const char* const path = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  notify_socket found{path == nullptr ? "" : path};
  ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  return found;
}

bool notify_socket::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto us = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  return send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us));
}

bool notify_socket::status(std::string_view text) const {
  std::string line{text};
  std::replace(line.begin(), line.end(), '\n', ' ');  // a newline would begin another assignment
  return send("STATUS=" + line);
}

bool notify_socket::send(std::string_view message) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_known = path_.size() > 1 && (path_[0] == '/' || path_[0] == '@');
  if (!is_known || path_.size() >= sizeof address.sun_path) return false;
  std::copy(path_.begin(), path_.end(), std::begin(address.sun_path));
  const bool is_abstract = path_[0] == '@';
  if (is_abstract) address.sun_path[0] = '\0';
  // An abstract name is as long as it is said to be; a path ends with its zero.
  const auto size = offsetof(sockaddr_un, sun_path) + path_.size() + (is_abstract ? 0 : 1);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const auto sent = ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
  ::close(fd);
  return sent == static_cast<ssize_t>(message.size());
}

}  // namespace pgsteer::proxy
