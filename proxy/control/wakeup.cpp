#include "proxy/control/wakeup.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace pgsteer::proxy {

wakeup::wakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

wakeup::~wakeup() {
  ::close(fd_);
}

void wakeup::set() const {
  const std::uint64_t one = 1;
  // Fails only where the counter is full, and then it is set already.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

void wakeup::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof count);
}

}  // namespace pgsteer::proxy
