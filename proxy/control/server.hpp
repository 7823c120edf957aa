// One configured PostgreSQL server as all threads see it: its address and what is known of it now.
// Made by control/topology; health is written by the monitor and by workers that meet a failure.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace pgsteer::proxy {

enum class server_role : std::uint8_t { primary, replica };

enum class server_health : std::uint8_t {
  unknown,   // not asked yet: connections may be tried
  up,        // the last probe or login worked
  retrying,  // attempts fail, the next one is scheduled
  failed,    // all attempts used up: tried again when wanted, and by a slow probe
};

[[nodiscard]] std::string_view to_string(server_role role);
[[nodiscard]] std::string_view to_string(server_health health);

// Since the server was configured, for the admin port. Any thread adds.
struct server_counters {
  std::atomic<std::uint64_t> connects{0};          // control connections that logged in
  std::atomic<std::uint64_t> connect_failures{0};  // attempts that did not
  std::atomic<std::uint64_t> losses{0};            // times it went from usable to not: traffic had to move
  std::atomic<std::uint64_t> role_mismatches{0};   // times it contradicted its configured role
};

class server {
 public:
  server(config::server_url url, server_role role, int id) : url_(std::move(url)), role_(role), id_(id) {}

  [[nodiscard]] const config::server_url& url() const { return url_; }
  [[nodiscard]] const std::string& name() const { return url_.name; }
  [[nodiscard]] server_role role() const { return role_; }
  [[nodiscard]] int id() const { return id_; }  // unique in the process, never reused

  [[nodiscard]] server_health health() const { return health_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_usable() const {
    const auto h = health();
    return h == server_health::up || h == server_health::unknown;
  }
  void set_health(server_health h) { health_.store(h, std::memory_order_release); }

  // Sets `to` only where `from` still holds, so that a report in between is not painted over.
  bool change_health(server_health from, server_health to);

  // A worker met a refused, broken or dying connection: the server counts as retrying at once and
  // its monitor probes without delay. Any thread; cheap when said often.
  void report_failure();
  // A worker wants a server that is not usable: its monitor tries now unless it tried within a second.
  void want();

  // The monitor's ear, set once before workers run.
  void on_poke(std::function<void()> poke) { poke_ = std::move(poke); }

  // Last failure, for messages ("connection refused"). Any thread.
  [[nodiscard]] std::string last_error() const;
  void set_last_error(std::string text);

  // Units sent and not answered yet plus clients queued for it, over all workers: load balancing.
  std::atomic<int> outstanding{0};
  std::atomic<bool> failure_reported{false};
  std::atomic<bool> wanted{false};
  // Replay position and such may be added here by the monitor.
  std::atomic<bool> in_recovery{false};
  server_counters counters;

 private:
  config::server_url url_;
  server_role role_;
  int id_;
  std::atomic<server_health> health_{server_health::unknown};
  std::function<void()> poke_;
  mutable std::mutex mutex_;
  std::string last_error_;
};

using server_ref = std::shared_ptr<server>;

// Immutable: the servers in force. A reload publishes another; a server that stays keeps its object.
struct topology {
  server_ref primary;
  std::vector<server_ref> replicas;
};
using topology_ref = std::shared_ptr<const topology>;

}  // namespace pgsteer::proxy
