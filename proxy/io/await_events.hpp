// Waiting for a socket on a thread that has nothing else to do. Used by the control connections and by the
// connector's logins.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgsteer::proxy {

enum class awaited : std::uint8_t { ready, late, stopped, failed };

// Until `fd` shows one of `events`, `until` is over, or `stop_fd` (-1: none) can be read. What is there
// counts, whatever the clock says: it may have come in time, to a thread that did not run. No longer than
// `await_grace` after, so that what never ends is given up.
constexpr std::chrono::seconds await_grace{5};
[[nodiscard]] awaited await_events(int fd, short events, std::chrono::steady_clock::time_point until,
                                   int stop_fd);

}  // namespace pgsteer::proxy
