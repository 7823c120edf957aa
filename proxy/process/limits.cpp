#include "proxy/process/limits.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace pgsteer::proxy {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

std::uint64_t descriptors_needed(std::uint64_t max_clients, std::uint64_t backends) {
  // Listeners, event queues, monitors, the admin port's connections, files of libraries.
  constexpr std::uint64_t own = 200;
  return max_clients + backends + own;
}

bool reserve_descriptor::release() {
  if (fd_ < 0) return false;
  ::close(fd_);
  fd_ = -1;
  return true;
}

bool reserve_descriptor::take() {
  if (fd_ < 0) fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd_ >= 0;
}

}  // namespace pgsteer::proxy
