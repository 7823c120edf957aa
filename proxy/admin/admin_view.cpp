#include "proxy/admin/admin_view.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

server_view view_of(const server& s) {
  const auto load = [](const auto& value) { return value.load(std::memory_order_relaxed); };
  return {.name = s.name(),
          .role = s.role(),
          .claimed = s.url().role,
          .health = s.health(),
          .in_recovery = load(s.in_recovery),
          .is_excluded = s.is_excluded(),
          .timeline = load(s.timeline),
          .replayed_lsn = {},
          .lag_bytes = {},
          .lag = {},
          .is_lagging = load(s.is_lagging),
          .lag_outages = load(s.counters.lag_outages),
          .last_error = s.last_error(),
          .outstanding = load(s.outstanding),
          .breaker = s.circuit.state(),
          .breaker_openings = s.circuit.openings(),
          .latency_us = s.latency_us(std::chrono::steady_clock::now()),
          .connects = load(s.counters.connects),
          .connect_failures = load(s.counters.connect_failures),
          .losses = load(s.counters.losses),
          .role_mismatches = load(s.counters.role_mismatches)};
}

server_view view_of_replica(const server& s, std::uint64_t written) {
  auto view = view_of(s);
  view.lag = s.lag(std::chrono::steady_clock::now());
  const auto replayed = s.replayed_lsn.load(std::memory_order_acquire);
  if (replayed == 0) return view;
  view.replayed_lsn = replayed;
  // The two are not of the same moment: a replica may seem ahead.
  if (written != 0) view.lag_bytes = written > replayed ? written - replayed : 0;
  return view;
}

auto key_of(const pool_gauge& p) {
  return std::tie(p.server, p.role, p.user, p.database);
}

void add(pool_gauge& sum, const pool_gauge& p) {
  sum.idle += p.idle;
  sum.active += p.active;
  sum.connecting += p.connecting;
  sum.waiting += p.waiting;
  sum.pinned += p.pinned;
  sum.size = std::max(sum.size, p.size);
  sum.oldest_wait_ms = std::max(sum.oldest_wait_ms, p.oldest_wait_ms);
}

}  // namespace

std::vector<server_view> view_servers(const topology& servers) {
  std::vector<server_view> views;
  if (servers.primary) views.push_back(view_of(*servers.primary));
  // One address may be configured twice; two metrics of the same labels would spoil the whole page.
  std::set<std::pair<server_role, std::string>> names;
  if (servers.primary) names.insert({servers.primary->role(), servers.primary->name()});
  const auto written = servers.primary ? servers.primary->written_lsn.load(std::memory_order_relaxed) : 0;
  auto others = servers.replicas;
  others.insert(others.end(), servers.excluded.begin(), servers.excluded.end());
  others.insert(others.end(), servers.twins.begin(), servers.twins.end());
  for (const auto& replica : others) {
    auto view = view_of_replica(*replica, written);
    for (int n = 2; !names.insert({view.role, view.name}).second; ++n)
      view.name = replica->name() + "#" + std::to_string(n);
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<pool_gauge> merge_pools(std::vector<pool_gauge> pools) {
  std::stable_sort(pools.begin(), pools.end(),
                   [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  std::vector<pool_gauge> merged;
  for (auto& p : pools) {
    if (!merged.empty() && key_of(merged.back()) == key_of(p)) {
      add(merged.back(), p);
    } else {
      merged.push_back(std::move(p));
    }
  }
  return merged;
}

admin_view take_view(const admin_sources& sources) {
  admin_view v;
  if (sources.topology) {
    if (const auto servers = sources.topology()) {
      v.servers = view_servers(*servers);
      v.failovers = servers->failovers;
    }
  }
  if (sources.boards) v.boards = sources.boards();
  std::vector<pool_gauge> pools;
  for (const auto& board : v.boards) {
    const std::lock_guard lock{board->mutex};
    pools.insert(pools.end(), board->pools.begin(), board->pools.end());
    for (const auto& [reason, sessions] : board->pins)
      v.pins[reason] += sessions;
  }
  v.pools = merge_pools(std::move(pools));
  v.is_draining = sources.draining && sources.draining();
  v.dropped_log_lines = dropped_log_lines();
  v.events = recent_server_events();
  v.started_at = sources.started_at;
  v.version = sources.version;
  return v;
}

}  // namespace pgsteer::proxy
