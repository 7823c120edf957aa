// How fresh what is read must be, as far as it concerns all sessions: replicas that lag, reads that wait for
// one, what a promotion has lost.
#include <algorithm>
#include <utility>

#include "config/routes.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

server_ref worker::choose_replica(const routing::freshness& wanted, std::chrono::milliseconds max_lag) {
  return balancer_.choose(*config_.servers, settings(), wanted, max_lag, loop.now());
}

// The old primary died with WAL that the new one never had. Said once, counted for each that has seen it.
void worker::note_lost_write(std::uint32_t timeline) {
  metrics().lost_writes.add();
  if (std::exchange(lost_told_, timeline) == timeline) return;
  log_error("The new primary lacks WAL that sessions have seen: writes are lost",
            {{"server", config_.servers->primary->name()}, {"timeline", std::to_string(timeline)}});
}

// What sessions that left had seen is brought to the timeline in force.
void worker::adopt_timeline() {
  const auto& servers = *config_.servers;
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(loop.now().time_since_epoch());
  if (departed.settle(servers.timeline, servers.switches, at) == routing::position_fate::lost)
    note_lost_write(servers.timeline);
}

void worker::await_replica(session& s, clock::time_point until) {
  s.wait().where = nullptr;
  s.wait().since = loop.now();
  catching_up_.push_back(s.wait());
  metrics().clients_waiting.add();
  for (const auto& r : config_.servers->replicas)
    r->is_awaited.store(true, std::memory_order_release);
  loop.sweep_by(until);
}

void worker::replica_moved() {
  loop.post([this] { wake_readers(); });
}

// Each is looked at by comparing numbers; only who can go on has its statement taken up again.
void worker::wake_readers() {
  const auto now = loop.now();
  auto next = clock::time_point::max();
  for (auto at = catching_up_.begin(); at != catching_up_.end();) {
    auto& s = *at->who;
    ++at;  // it leaves the queue
    if (s.may_stop_waiting(now)) {
      s.on_replica_ready();
    } else {
      next = std::min(next, s.waits_until());
    }
  }
  if (next != clock::time_point::max()) return loop.sweep_by(next);
  for (const auto& r : config_.servers->replicas)
    r->is_awaited.store(false, std::memory_order_release);
}

bool worker::do_all_replicas_lag(std::chrono::milliseconds max_lag) {
  return balancer_.do_all_lag(*config_.servers, max_lag, loop.now());
}

void worker::adopt_lag_limits() {
  std::vector<std::chrono::milliseconds> limits;
  const auto add = [&](std::chrono::milliseconds limit) {
    if (limit.count() != 0 && std::find(limits.begin(), limits.end(), limit) == limits.end())
      limits.push_back(limit);
  };
  add(settings().max_lag);
  for (const auto* all : {&config_.rules->users, &config_.rules->databases}) {
    for (const auto& each : *all) {
      if (const auto limit = config::parse_max_lag(each.max_lag)) add(*limit);
    }
  }
  configured_lag_ = limits.empty() ? std::chrono::milliseconds{0} : *std::ranges::min_element(limits);
  balancer_.use_limits(std::move(limits));
  mind_lag(configured_lag_);
}

void worker::mind_lag(std::chrono::milliseconds limit) {
  if (limit.count() != 0 && (minded_lag_.count() == 0 || limit < minded_lag_)) minded_lag_ = limit;
  tell_minded_lag();
}

void worker::tell_minded_lag() {
  config_.servers->primary->mind_lag(minded_lag_);
  for (const auto& s : config_.servers->replicas)
    s->mind_lag(minded_lag_);
}

}  // namespace pgsteer::proxy
