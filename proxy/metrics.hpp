// Counters the data path bumps and the admin port reads. One block per worker, each field written
// by its worker alone (relaxed load and store, no locked instruction), read by anyone.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/counter.hpp"
#include "proxy/statement_table.hpp"

namespace pgsteer::proxy {

// Log-2 buckets of microseconds: bucket i counts values below 2^i us.
class histogram {
 public:
  static constexpr std::size_t buckets = 28;
  void observe(std::uint64_t us) {
    const auto i = static_cast<std::size_t>(std::bit_width(us));
    counts_[i < buckets ? i : buckets - 1].add();
    sum_.add(us);
  }
  [[nodiscard]] std::uint64_t count(std::size_t i) const { return counts_[i].get(); }
  [[nodiscard]] std::uint64_t sum_us() const { return sum_.get(); }

 private:
  std::array<counter, buckets> counts_;
  counter sum_;
};

// Why a unit went where it went: short labels for metrics, few and fixed.
enum class route_reason : std::uint8_t {
  read,
  write,
  transaction,
  read_only_block,
  split_block,
  unknown_function,
  not_parsed,
  pinned,
  session_state,
  no_replica,
  replica_down,
  replica_lag,
  replica_behind,
  catalog,
  shared,
  retried,
  learned,
  held,
  count_
};
[[nodiscard]] std::string_view to_string(route_reason r);

struct worker_metrics {
  counter clients;          // logged in now
  counter clients_waiting;  // queued for a backend now
  counter clients_pinned;   // now
  counter clients_total;    // accepted since start
  counter logins_failed;
  counter protocol_errors;  // connections ended for breaking the protocol
  std::array<counter, static_cast<std::size_t>(route_reason::count_)> primary_units;
  std::array<counter, static_cast<std::size_t>(route_reason::count_)> replica_units;
  counter retries;             // reads run again elsewhere, unseen by the client
  counter statements_learned;  // that a replica has refused: they go to the primary for a while
  counter lost_writes;         // positions that sessions have seen and the primary's timeline has not
  counter tokens_issued;
  counter consistency_waits;          // reads that waited for a replica
  counter consistency_wait_timeouts;  // ... in vain
  counter moves;                      // read-only blocks moved from a replica to the primary
  counter acquire_timeouts;
  counter failover_timeouts;  // units that waited for a primary in vain
  counter failover_refusals;  // units for which the queue was full
  counter backend_connects;
  counter backend_connect_failures;
  counter backend_losses;  // connections that broke while in use
  counter ledger_mismatches;
  counter query_timeouts, transaction_timeouts, idle_in_transaction_timeouts, client_idle_timeouts;
  counter cancels;
  counter cancels_unknown;  // forged or late keys
  counter state_probes;     // questions asked to learn a session's settings and pins
  counter settings_replays;
  counter statements_prepared;  // Parse messages of our own
  counter client_bytes_in, client_bytes_out;
  histogram wait_us;  // time queued for a backend
  histogram unit_us;  // from dispatch to ReadyForQuery
};

// Gauges of one pool, refreshed by its worker about once a second for the admin port.
struct pool_gauge {
  std::string server, role, user, database;
  int idle = 0, active = 0, connecting = 0, waiting = 0, size = 0, pinned = 0;
  std::uint64_t oldest_wait_ms = 0;
};

// What one worker publishes; the admin thread copies it under the mutex.
struct worker_board {
  worker_metrics metrics;
  statement_table statements;
  std::mutex mutex;
  std::vector<pool_gauge> pools;
  std::map<std::string, int> pins;  // pinned sessions by reason
};

}  // namespace pgsteer::proxy
