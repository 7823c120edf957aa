// Reads that wait for a replica, whichever comes first: reads_on_primary keeps them off the primary.
#include <algorithm>

#include <fmt/format.h>

#include "proxy/worker.hpp"

namespace pgsteer::proxy {

bool worker::has_replica() const {
  const auto& replicas = config_.servers->replicas;
  return std::any_of(replicas.begin(), replicas.end(),
                     [this](const auto& s) { return s->is_usable() && s->admits_reads(loop.now()); });
}

void worker::await_replica(session& s) {
  auto& wait = s.wait();
  wait.since = loop.now();
  if (wait.begun == clock::time_point{}) wait.begun = wait.since;
  wait.only = nullptr;
  wait.where = nullptr;
  readers_.push_back(wait);
  metrics().clients_waiting.add();
  for (const auto& each : config_.servers->replicas)
    each->want();
}

// In the order they came; one that finds the replica gone again comes back here with the time it has waited.
void worker::serve_readers(clock::time_point now) {
  if (readers_.empty()) return;
  const bool may_go = has_replica() || settings().primary_reads != config::reads_on_primary::never;
  const auto& t = *config_.servers;
  const bool is_hopeless = t.replicas.empty() && t.excluded.empty();
  const auto patience = is_hopeless ? std::chrono::milliseconds{0} : settings().acquire_timeout;
  wait_queue all;
  all.swap(readers_);
  while (!all.empty()) {
    auto& w = all.front();
    all.pop_front();
    if (!may_go && now - w.begun < patience) {
      readers_.push_back(w);
      continue;
    }
    metrics().clients_waiting.sub();
    if (may_go) {
      w.who->on_reroute();
    } else {
      metrics().acquire_timeouts.add();
      w.who->on_acquire_failed(no_replica_error(patience));
    }
  }
  for (const auto& each : t.replicas) {
    if (!readers_.empty() && !each->is_usable()) each->want();
  }
}

protocol::error_report worker::no_replica_error(std::chrono::milliseconds waited) {
  const auto seconds = std::chrono::duration<double>(waited).count();
  return protocol::statement_error(
      protocol::sqlstate::cannot_connect_now, "there is no replica to run this on",
      "reads_on_primary is never, and no replica is up.",
      fmt::format("It waited {:g} s (acquire_timeout) for one. Bring a replica back, or set reads_on_primary "
                  "to fallback.",
                  seconds));
}

}  // namespace pgsteer::proxy
