// Which time limit a client has exceeded, from what it is doing and for how long: a decision without a
// timer. Asked by the worker's sweep, so that no query arms anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "config/settings.hpp"
#include "protocol/settings_state.hpp"

namespace pgsteer::proxy {

enum class time_limit : std::uint8_t { none, query, transaction, idle_in_transaction, client_idle };

struct client_activity {
  enum class kind : std::uint8_t { running, idle_in_transaction, idle, between };
  kind what = kind::between;
  std::chrono::nanoseconds lasting{0};      // in this state
  std::chrono::nanoseconds transaction{0};  // since it began; running and idle_in_transaction only
};

// The hardest of those exceeded: the one that ends the session, then the one that ends the query.
[[nodiscard]] time_limit exceeded_limit(const client_activity& activity, const config::settings& limits);

// statement_timeout, where it is set and not 0.
[[nodiscard]] std::optional<std::chrono::milliseconds> statement_timeout_of(
    const protocol::settings_state& settings);

// Whether any limit could be exceeded by clients that have a backend.
[[nodiscard]] bool has_time_limits(const config::settings& limits);

}  // namespace pgsteer::proxy
