// Decides how often a replica is asked for its replay position while somebody waits for one: eight times in
// the time that it seems to be behind. What somebody waits for is then known to be there little later than it
// is, also for who has waited longer than the newest. Pure. Used by the monitors.
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
  time_point seen_at_{};    // when it was first seen
  time_point next_{};
  time_point until_{};
};

}  // namespace pgsteer::proxy
