// Decides how often a replica is asked for its replay position while somebody waits for one: quickly
// at first, then at the replica's own pace. Pure. Used by the monitors.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pgsteer::proxy {

class replay_pacer {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds shortest{2};
  static constexpr std::chrono::milliseconds longest{50};
  static constexpr std::chrono::seconds patience{5};

  // Somebody waits for `floor`. A higher one than before counts, and renews the patience.
  void want(std::uint64_t floor, time_point now);
  // What the replica said.
  void observe(std::uint64_t replayed, time_point now);
  // Nobody is waited for any longer than `patience`: true once when that has run out.
  bool gave_up(time_point now);

  // When to ask next; nothing where nobody waits.
  [[nodiscard]] std::optional<time_point> next() const;
  [[nodiscard]] std::uint64_t floor() const { return floor_; }  // 0: nobody waits

 private:
  [[nodiscard]] std::chrono::milliseconds interval_after(std::uint64_t replayed, time_point now) const;

  std::uint64_t floor_ = 0;
  std::uint64_t seen_ = 0;  // the last observation under this floor; 0: none
  time_point seen_at_{};
  time_point next_{};
  time_point until_{};
  std::chrono::milliseconds interval_ = shortest;
};

}  // namespace pgsteer::proxy
