// What the admin port knows of the process at one moment, as plain values; renderers make text of
// it. Taken for each request by proxy/admin/routes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/control/server.hpp"
#include "proxy/lists.hpp"
#include "proxy/log.hpp"
#include "proxy/metrics.hpp"

namespace pgsteer::proxy {

// Where the values come from. Called on the admin thread: thread-safe, quick; only `clients` asks a worker.
struct admin_sources {
  std::function<topology_ref()> topology;
  std::function<std::vector<std::shared_ptr<worker_board>>()> boards;
  std::function<bool()> draining;
  // At most so many clients; nothing: the worker is too busy to say. It waits a second at most.
  std::function<std::optional<client_list>(std::size_t limit)> clients;
  std::chrono::system_clock::time_point started_at = std::chrono::system_clock::now();
  std::string version;
};

struct server_view {
  std::string name;  // made unique within its role
  server_role role = server_role::primary;
  config::claimed_role claimed = config::claimed_role::automatic;
  server_health health = server_health::unknown;
  bool in_recovery = false;
  bool is_excluded = false;  // gets no traffic
  std::uint32_t timeline = 0;
  std::optional<std::uint64_t> replayed_lsn;     // a replica's, where known
  std::optional<std::uint64_t> lag_bytes;        // behind the primary's last known position
  std::optional<std::chrono::milliseconds> lag;  // the same in time; max(): for longer than is known
  bool is_lagging = false;                       // gets no reads for it
  std::uint64_t lag_outages = 0;
  std::string last_error;
  int outstanding = 0;
  breaker_state breaker = breaker_state::closed;
  std::uint64_t breaker_openings = 0;
  double latency_us = 0;  // of recent reads
  std::uint64_t connects = 0, connect_failures = 0, losses = 0, role_mismatches = 0;
};

struct admin_view {
  std::vector<server_view> servers;  // the primary first
  std::vector<pool_gauge> pools;     // one entry a server, role, user and database, over all workers
  std::map<std::string, int> pins;   // pinned sessions by reason, over all workers
  std::vector<std::shared_ptr<worker_board>> boards;  // for the counters
  std::vector<log_event> events;                      // the newest first
  bool is_draining = false;
  std::uint64_t failovers = 0;
  std::uint64_t dropped_log_lines = 0;
  std::chrono::system_clock::time_point started_at;
  std::string version;
};

[[nodiscard]] std::vector<server_view> view_servers(const topology& servers);
// Sums the gauges of the workers; sizes and ages are the largest.
[[nodiscard]] std::vector<pool_gauge> merge_pools(std::vector<pool_gauge> pools);
[[nodiscard]] admin_view take_view(const admin_sources& sources);

}  // namespace pgsteer::proxy
