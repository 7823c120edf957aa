// One configured PostgreSQL server as all threads see it: its address and what is known of it now.
// Made by control/topology; health is written by the monitor and by workers that meet a failure.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/breaker.hpp"
#include "proxy/control/lag_history.hpp"
#include "proxy/control/sample_queue.hpp"
#include "routing/consistency.hpp"

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
  std::atomic<std::uint64_t> lag_outages{0};       // times it was too far behind for its reads
};

// Where a connection leads: of several hosts and addresses the one that was taken, as libpq names it.
struct connection_place {
  std::string host;
  std::string hostaddr;  // empty: a unix socket
  std::string port;
  bool operator==(const connection_place&) const = default;
};

class server {
 public:
  // Positions on no timeline count: nothing is known of the primary's yet.
  static constexpr std::uint32_t no_timeline = ~std::uint32_t{0};

  server(config::server_url url, server_role role, int id);

  [[nodiscard]] const config::server_url& url() const { return url_; }
  [[nodiscard]] const std::string& name() const { return url_.name; }
  // As found; as configured until the server has spoken.
  [[nodiscard]] server_role role() const { return role_.load(std::memory_order_acquire); }
  // Fenced, foreign, or of unknown state after it was the primary: no traffic.
  [[nodiscard]] bool is_excluded() const { return is_excluded_.load(std::memory_order_acquire); }
  [[nodiscard]] int id() const { return id_; }  // unique in the process, never reused

  [[nodiscard]] server_health health() const { return health_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_usable() const {
    const auto h = health();
    if (is_excluded()) return false;
    return h == server_health::up || h == server_health::unknown;
  }
  // Since the process started.
  [[nodiscard]] bool was_reached() const { return counters.connects.load(std::memory_order_relaxed) > 0; }
  void set_health(server_health h) { health_.store(h, std::memory_order_release); }

  // Sets `to` only where `from` still holds, so that a report in between is not painted over.
  bool change_health(server_health from, server_health to);

  // A worker met a refused, broken or dying connection: the server counts as retrying at once and
  // its monitor probes without delay. Any thread; cheap when said often.
  void report_failure();
  // A worker wants a server that is not usable: its monitor tries now unless it tried within a second.
  void want();

  // A worker has seen in_hot_standby turn off on a connection: the monitor asks now. Any thread.
  void hint_promoted();
  // The primary is lost: the monitor asks every 100 ms for some seconds. Any thread.
  void hasten();

  // Where the control connection leads, and clients' connections with it: what is known of the server is
  // known of this address. `number` grows when it changes; 0: not known yet. Any thread may ask.
  void pin(connection_place to);
  [[nodiscard]] connection_place place() const;
  [[nodiscard]] std::uint64_t pin_number() const { return pin_number_.load(std::memory_order_acquire); }
  // What its names lead to now; empty: not all are known. Wakes the monitor where the pinned address is no
  // longer one of them.
  void note_addresses(std::vector<std::string> addresses);
  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] bool is_misplaced() const;

  // The monitor's ear, set once; other servers' monitors may run already.
  void on_poke(std::function<void()> poke);

  // What its sessions begin with: see session_defaults.hpp. Empty: not known. Any thread.
  void set_session_defaults(std::string text);
  [[nodiscard]] std::string session_defaults() const;
  [[nodiscard]] bool has_session_defaults() const { return has_defaults_.load(std::memory_order_acquire); }

  // Last failure, for messages ("connection refused"). Any thread.
  [[nodiscard]] std::string last_error() const;
  void set_last_error(std::string text);

  // How long a read took here lately, in microseconds; halves every few seconds without one. 0: unknown.
  [[nodiscard]] double latency_us(std::chrono::steady_clock::time_point now) const;
  void note_latency(std::chrono::microseconds took, std::chrono::steady_clock::time_point now);
  // Its caches are cold: it has come back, or joined others. When that was; at the start all are equal.
  void begin_cold();
  [[nodiscard]] std::chrono::steady_clock::time_point up_since() const { return at(up_since_); }

  // Units sent and not answered yet plus clients queued for it, over all workers: load balancing.
  std::atomic<int> outstanding{0};
  std::atomic<bool> failure_reported{false};
  std::atomic<bool> wanted{false};
  std::atomic<bool> hinted{false};
  std::atomic<bool> hastened{false};
  std::atomic<bool> told_defaults{false};  // that its sessions are made to begin as the primary's
  std::atomic<bool> in_recovery{false};
  std::atomic<std::uint32_t> timeline{0};     // 0: unknown
  std::atomic<std::uint64_t> written_lsn{0};  // a primary's insert position at its last probe: for lag

  // Replica: WAL position known to be replayed by the incarnation that answers now, on the timeline
  // the topology follows; 0: unknown. Zero the moment its control connection breaks or a worker
  // reports a failure. Written by publish_replayed() and forget_replayed() alone.
  std::atomic<std::uint64_t> replayed_lsn{0};
  // Replica: somebody waits until replayed_lsn >= floor: its monitor asks for the position every few
  // milliseconds until it is covered, or some seconds have passed. Any thread; cheap when said often.
  void watch(std::uint64_t floor);

  // Replica: how far it is behind at that moment, in time; nothing where it is not known, milliseconds::max()
  // where it is for longer than anything is known. Any thread.
  [[nodiscard]] std::optional<std::chrono::milliseconds> lag(std::chrono::steady_clock::time_point at) const;
  void set_gap(const replica_gap& gap);
  // Somebody minds a lag of so much: positions are asked for often enough to tell. 0: nobody. Any thread.
  void mind_lag(std::chrono::milliseconds limit);
  [[nodiscard]] std::chrono::milliseconds minded_lag() const {
    return std::chrono::milliseconds{minded_lag_.load(std::memory_order_acquire)};
  }
  std::atomic<bool> is_lagging{false};  // too far behind for a limit of the configuration
  // When its monitor last asked and got an answer.
  std::atomic<std::chrono::steady_clock::rep> heard_at{0};

  // Primary: asks for the normalised pg_current_wal_insert_lsn() by a query sent after this call.
  // Requests made while one is under way share the next. `done(seq, lsn)` is called once, on the
  // monitor's thread; with lsn 0, and then possibly before this returns, where it cannot be had: not
  // connected, a standby, too many waiting. Any thread; `done` must not block.
  void request_sample(std::uint64_t seq, std::function<void(std::uint64_t seq, std::uint64_t lsn)> done);

  server_counters counters;

  // A replica's reads: what came of one, and what its monitor met. Logs where the breaker moves.
  void note_success();
  void note_failure(std::chrono::steady_clock::time_point now);
  void note_sent(std::chrono::steady_clock::time_point now);
  [[nodiscard]] bool admits_reads(std::chrono::steady_clock::time_point now) const {
    return circuit.admits(now);
  }
  breaker circuit;

  // For the monitor and the topology.
  void set_role(server_role r);
  void set_excluded(bool is) { is_excluded_.store(is, std::memory_order_release); }
  // What was asked before a break must not be published after it: take the epoch, ask, publish.
  [[nodiscard]] std::uint64_t replay_epoch() const;
  // Somebody waits for it to replay more: `tell` is called on the monitor's thread whenever it has, while
  // `is_awaited`. Set once, before the monitor is made.
  void on_replayed(std::function<void()> tell) { tell_replayed_ = std::move(tell); }
  std::atomic<bool> is_awaited{false};
  void publish_replayed(std::uint64_t epoch, std::uint64_t lsn, std::uint32_t on_timeline);
  void forget_replayed();
  // The monitor's own connection is lost, or it got none: all others, too, if the server stops.
  void note_control_loss(std::chrono::steady_clock::time_point now) {
    control_lost_.store(now.time_since_epoch().count(), std::memory_order_release);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point control_lost() const { return at(control_lost_); }
  // It was found started anew: when the monitor lost the connection to the one before. Epoch: never.
  void note_start() {
    stopped_.store(control_lost_.load(std::memory_order_acquire), std::memory_order_release);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point stopped() const { return at(stopped_); }
  // Told apart by what was lost: a standby that restarts may show less than it did.
  [[nodiscard]] std::uint64_t starts() const { return starts_.load(std::memory_order_acquire); }
  // Positions on other timelines do not count from now on; 0: any counts.
  void follow_timeline(std::uint32_t timeline);
  [[nodiscard]] std::uint64_t watched_lsn() const { return watched_lsn_.load(std::memory_order_acquire); }
  void end_watch(std::uint64_t floor);
  sample_queue samples;

 private:
  static std::chrono::steady_clock::time_point at(const std::atomic<std::chrono::steady_clock::rep>& when) {
    return std::chrono::steady_clock::time_point{
        std::chrono::steady_clock::duration{when.load(std::memory_order_acquire)}};
  }

  config::server_url url_;
  std::atomic<server_role> role_;
  std::atomic<bool> is_excluded_{false};
  int id_;
  std::atomic<server_health> health_{server_health::unknown};
  void poke() const;
  std::function<void()> poke_;  // under mutex_
  std::function<void()> tell_replayed_;
  mutable std::mutex mutex_;
  std::string last_error_;
  std::string session_defaults_;  // guarded by mutex_
  std::atomic<bool> has_defaults_{false};
  std::uint64_t replay_epoch_ = 0;        // guarded by mutex_
  std::atomic<std::uint64_t> starts_{0};  // connections lost so far, each of which may have been a restart
  std::uint32_t followed_timeline_ = 0;   // guarded by mutex_
  std::atomic<std::uint64_t> watched_lsn_{0};
  connection_place place_;              // guarded by mutex_
  std::vector<std::string> addresses_;  // guarded by mutex_
  std::atomic<std::uint64_t> pin_number_{0};
  std::atomic<std::chrono::steady_clock::rep> behind_since_;
  std::atomic<std::chrono::milliseconds::rep> minded_lag_{0};
  std::atomic<std::chrono::steady_clock::rep> up_since_{0};
  std::atomic<std::chrono::steady_clock::rep> control_lost_{0};
  std::atomic<std::chrono::steady_clock::rep> stopped_{0};
  std::atomic<float> latency_{0};
  std::atomic<std::chrono::steady_clock::rep> latency_at_{0};
};

using server_ref = std::shared_ptr<server>;

// Immutable: the servers in force. A reload publishes another; a server that stays keeps its object.
struct topology {
  server_ref primary;
  std::vector<server_ref> replicas;
  std::vector<server_ref> excluded;  // configured, and no traffic: fenced, foreign, or a lost old primary
  std::vector<server_ref> twins;     // the primary under other names: no traffic of their own
  std::uint32_t timeline = 0;        // the primary's; 0: unknown
  std::uint64_t switch_lsn = 0;      // where that timeline begins; 0: unknown or never promoted
  std::uint64_t failovers = 0;       // times the primary changed
  std::uint64_t system = 0;          // its system identifier; 0: unknown
  routing::wal_layout wal{};
  std::vector<routing::timeline_switch>
      switches{};  // where this timeline and those before it begin, where known

  // Somebody takes writes now, as far as is known. A lone server is asked whatever it is.
  [[nodiscard]] bool has_primary() const;
};
using topology_ref = std::shared_ptr<const topology>;

}  // namespace pgsteer::proxy
