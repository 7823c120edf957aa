#include "proxy/control/lag_history.hpp"

#include <algorithm>
#include <utility>

namespace pgsteer::proxy {

void lag_history::primary_at(routing::lsn flushed, time_point asked) {
  if (flushed == 0) return;
  if (!known_.empty() && flushed < known_.back().flushed) forget();
  if (!known_.empty() && flushed == known_.back().flushed) {
    known_.back().asked = std::max(known_.back().asked, asked);  // idle: nothing has come since then either
    return;
  }
  known_.push_back({flushed, asked});
  if (known_.size() > most) thin_out();
}

replica_gap lag_history::gap_of(routing::lsn replayed) const {
  using enum replica_gap::kind;
  if (known_.empty() || replayed == 0) return {unknown};
  if (replayed >= known_.back().flushed) return {none};
  const auto beyond = std::upper_bound(known_.begin(), known_.end(), replayed,
                                       [](routing::lsn at, const sample& each) { return at < each.flushed; });
  if (beyond == known_.begin()) return {ancient};
  return {behind, std::prev(beyond)->asked};
}

// Every second one of the older half goes: what stays speaks of earlier times, so lag is never said to be
// less than it is.
void lag_history::thin_out() {
  std::deque<sample> kept;
  const auto half = known_.size() / 2;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (i >= half || i % 2 == 0) kept.push_back(known_[i]);
  }
  known_ = std::move(kept);
}

}  // namespace pgsteer::proxy
