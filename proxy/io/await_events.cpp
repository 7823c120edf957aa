#include "proxy/io/await_events.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

namespace pgsteer::proxy {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

awaited await_events(int fd, short events, steady_clock::time_point until, int stop_fd) {
  constexpr milliseconds longest{3'600'000};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left <= -await_grace) return awaited::late;
    std::array<pollfd, 2> fds{pollfd{fd, events, 0}, pollfd{stop_fd, POLLIN, 0}};
    const auto timeout = std::clamp(left, milliseconds{0}, longest);
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
    if (ready < 0 && errno != EINTR) return awaited::failed;
    if (ready > 0 && fds[1].revents != 0) return awaited::stopped;
    if (ready > 0 && fds[0].revents != 0) return awaited::ready;
    if (left.count() <= 0) return awaited::late;
  }
}

}  // namespace pgsteer::proxy
