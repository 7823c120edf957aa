// What one worker's statements did, by their text without literals: where they ran, why, how often and how
// long. Bounded; the worker that owns it counts, the admin port reads.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/counter.hpp"
#include "routing/classification.hpp"

namespace pgsteer::proxy {

// Why a statement ran on the primary.
enum class held_by : std::uint8_t {
  itself,   // its class says so
  setting,  // asked for, and not set by its session
  block,    // its transaction
  pin,      // its session's state
  wish,     // a comment, a pattern, the session, its user or database
  catalog,  // facts that are being read
  stale,    // no replica has all that its session must see
  lagging,  // every replica is further behind than max_lag
  absent,   // there is no replica, or none usable
  learned,  // a replica has refused it before
  retried,  // a replica has refused it now
  ending,   // its own server process may just have been ended
  count_
};
[[nodiscard]] std::string_view to_string(held_by why);

struct ran {
  counter times;
  counter us;
};

struct statement_slot {
  // Guarded by the table's mutex.
  std::uint64_t key = 0;
  std::string sql;     // with its literals: never shown
  std::string reason;  // its class's
  std::string wish;    // why somebody wants it elsewhere, where its text says so
  routing::statement_kind kind = routing::statement_kind::write;
  bool is_query = false;
  // The worker's.
  std::uint32_t generation = 0;  // grows when the slot is given to another statement
  std::uint64_t last_use = 0;
  std::chrono::steady_clock::time_point learned_until;
  // The worker's to count, anybody's to read.
  ran on_replica;
  std::array<ran, static_cast<std::size_t>(held_by::count_)> on_primary;
};

class statement_table {
 public:
  explicit statement_table(std::size_t most = 1000) : most_(most) {}
  statement_table(const statement_table&) = delete;
  statement_table& operator=(const statement_table&) = delete;

  // The worker's thread.
  // Of a text judged just now; `key_text` is alike for texts that differ in literals alone.
  [[nodiscard]] routing::statement_mark mark(std::string_view sql, std::string_view key_text,
                                             const routing::classification& is);
  // Null: the table was full, and another statement has the place now.
  [[nodiscard]] statement_slot* find(const routing::statement_mark& mark);

  // Any thread: what there is at this moment.
  struct entry {
    std::string sql, reason, wish;
    routing::statement_kind kind = routing::statement_kind::write;
    bool is_query = false;
    std::uint64_t replica_times = 0, replica_us = 0;
    std::array<std::uint64_t, static_cast<std::size_t>(held_by::count_)> times{}, us{};
  };
  [[nodiscard]] std::vector<entry> entries() const;

 private:
  std::size_t take_place();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<statement_slot> slots_;  // addresses stay
  std::unordered_map<std::uint64_t, std::size_t> by_key_;
  std::uint64_t uses_ = 0;
};

}  // namespace pgsteer::proxy
