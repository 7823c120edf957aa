#include "proxy/statement_table.hpp"

#include <algorithm>
#include <functional>

namespace pgsteer::proxy {

namespace {

constexpr std::size_t most_text = 4096;

}  // namespace

std::string_view to_string(held_by why) {
  switch (why) {
    case held_by::itself:
    case held_by::count_:
      break;
    case held_by::setting:
      return "calls current_setting() of what the session has not set: servers may differ";
    case held_by::block:
      return "in a transaction on the primary";
    case held_by::pin:
      return "session is pinned";
    case held_by::wish:
      return "pgsteer.route, or the configuration for its user or database";
    case held_by::catalog:
      return "the catalog is being read";
    case held_by::stale:
      return "no replica has yet what the session has seen";
    case held_by::lagging:
      return "every replica lags more than max_lag";
    case held_by::absent:
      return "no replica is usable";
    case held_by::learned:
      return "a replica has refused it before";
    case held_by::retried:
      return "refused by a replica and run again";
    case held_by::ending:
      return "its server process may just have been ended";
  }
  return "itself";
}

routing::statement_mark statement_table::mark(std::string_view sql, std::string_view key_text,
                                              const routing::classification& is) {
  const std::uint64_t key = std::hash<std::string_view>{}(key_text);
  const std::lock_guard lock(mutex_);
  const auto known = by_key_.find(key);
  const auto at = known != by_key_.end() ? known->second : take_place();
  auto& slot = slots_[at];
  if (known == by_key_.end()) {
    slot.key = key;
    slot.sql = sql.size() <= most_text ? sql : std::string_view{};
    by_key_.emplace(key, at);
  }
  slot.last_use = ++uses_;
  slot.reason = is.reason;
  slot.wish = is.wish_reason;
  slot.kind = is.kind;
  slot.is_query = is.is_query;
  return {static_cast<std::uint32_t>(at + 1), slot.generation};
}

// The place of the statement that was used longest ago is given away.
std::size_t statement_table::take_place() {
  if (slots_.size() < most_) {
    slots_.emplace_back();
    return slots_.size() - 1;
  }
  const auto oldest = std::ranges::min_element(slots_, {}, &statement_slot::last_use);
  by_key_.erase(oldest->key);
  const auto generation = oldest->generation + 1;
  oldest->learned_until = {};
  oldest->on_replica.times.reset();
  oldest->on_replica.us.reset();
  for (auto& each : oldest->on_primary) {
    each.times.reset();
    each.us.reset();
  }
  oldest->generation = generation;
  return static_cast<std::size_t>(oldest - slots_.begin());
}

statement_slot* statement_table::find(const routing::statement_mark& mark) {
  if (mark.place == 0 || mark.place > slots_.size()) return nullptr;
  auto& slot = slots_[mark.place - 1];
  if (slot.generation != mark.generation) return nullptr;
  slot.last_use = ++uses_;
  return &slot;
}

std::vector<statement_table::entry> statement_table::entries() const {
  std::vector<entry> out;
  const std::lock_guard lock(mutex_);
  out.reserve(slots_.size());
  for (const auto& slot : slots_) {
    entry one{slot.sql,
              slot.reason,
              slot.wish,
              slot.kind,
              slot.is_query,
              slot.on_replica.times.get(),
              slot.on_replica.us.get(),
              {},
              {}};
    for (std::size_t i = 0; i < one.times.size(); ++i) {
      one.times[i] = slot.on_primary[i].times.get();
      one.us[i] = slot.on_primary[i].us.get();
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace pgsteer::proxy
