#include "proxy/control/server.hpp"

namespace pgsteer::proxy {

std::string_view to_string(server_role role) {
  return role == server_role::primary ? "primary" : "replica";
}

std::string_view to_string(server_health health) {
  switch (health) {
    case server_health::unknown:
      return "unknown";
    case server_health::up:
      return "up";
    case server_health::retrying:
      return "retrying";
    case server_health::failed:
      break;
  }
  return "failed";
}

void server::report_failure() {
  // From `up` or `unknown` only: a server that is retrying or failed has its next attempt scheduled.
  auto seen = health();
  while (seen == server_health::up || seen == server_health::unknown) {
    if (!health_.compare_exchange_weak(seen, server_health::retrying, std::memory_order_acq_rel)) continue;
    counters.losses.fetch_add(1, std::memory_order_relaxed);
    break;
  }
  if (failure_reported.exchange(true, std::memory_order_acq_rel)) return;
  if (poke_) poke_();
}

void server::want() {
  if (wanted.load(std::memory_order_relaxed)) return;
  if (wanted.exchange(true, std::memory_order_acq_rel)) return;
  if (poke_) poke_();
}

bool server::change_health(server_health from, server_health to) {
  return health_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

std::string server::last_error() const {
  const std::lock_guard lock{mutex_};
  return last_error_;
}

void server::set_last_error(std::string text) {
  const std::lock_guard lock{mutex_};
  last_error_ = std::move(text);
}

}  // namespace pgsteer::proxy
