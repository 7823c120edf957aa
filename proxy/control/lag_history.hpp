// Where the primary was when: tells since when a replica lacks something of what the primary has, by the
// primary's positions alone, so that no clock of a server counts. Pure. Used by control/topology_watch.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "routing/lsn.hpp"

namespace pgsteer::proxy {

// Of a replica, against the last known position of the primary.
struct replica_gap {
  enum class kind : std::uint8_t {
    unknown,  // one of the two positions is not known
    none,     // it has replayed all there is
    behind,   // `since` is known
    ancient,  // behind since before anything is known
  };
  using time_point = std::chrono::steady_clock::time_point;
  kind is = kind::unknown;
  time_point since{};  // all the primary had flushed by then is replayed, and not all that came later
  bool operator==(const replica_gap&) const = default;
};

class lag_history {
 public:
  using time_point = replica_gap::time_point;
  static constexpr std::size_t most = 512;  // older ones are thinned out: they need be less exact

  // What the primary had flushed, in answer to a question asked then.
  void primary_at(routing::lsn flushed, time_point asked);
  // Of a replica that has replayed so far; 0: unknown.
  [[nodiscard]] replica_gap gap_of(routing::lsn replayed) const;
  // Another primary, or another timeline of it.
  void forget() { known_.clear(); }

 private:
  struct sample {
    routing::lsn flushed;
    time_point asked;
  };
  void thin_out();

  std::deque<sample> known_;  // rising
};

}  // namespace pgsteer::proxy
