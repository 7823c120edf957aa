// When a server that cannot be reached is tried again: counts failed attempts, doubles the delay,
// gives up after so many. Pure: the clock and the dice are the caller's. Used by control/health_judge.
#pragma once

#include <chrono>

#include "config/settings.hpp"

namespace pgsteer::proxy {

struct backoff_policy {
  std::chrono::milliseconds delay{2000};  // after the first failed attempt; doubles
  std::chrono::milliseconds delay_max{32000};
  int attempts = 5;     // then the server counts as failed
  double jitter = 0.1;  // share of the delay, either way
  std::chrono::milliseconds failed_interval{60000};
};

[[nodiscard]] backoff_policy backoff_policy_of(const config::settings& settings);

class backoff {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit backoff(backoff_policy policy) : policy_(policy) {}

  struct failure {
    int attempt;                      // 1 for the first since the last success
    std::chrono::milliseconds delay;  // nominal, for people
    bool is_last;                     // the one that used up all attempts
  };

  // An attempt failed at `now`. `spread` in [-1, 1] places the next one within the jitter.
  failure fail(time_point now, double spread);
  // An attempt worked: the next failure is the first again.
  void reset() { attempt_ = 0; }
  void adopt(backoff_policy policy) { policy_ = policy; }

  [[nodiscard]] bool is_exhausted() const { return attempt_ >= last_attempt(); }
  [[nodiscard]] time_point next_attempt() const { return next_; }

 private:
  [[nodiscard]] int last_attempt() const { return policy_.attempts < 1 ? 1 : policy_.attempts; }
  [[nodiscard]] std::chrono::milliseconds nominal_delay() const;

  backoff_policy policy_;
  int attempt_ = 0;
  time_point next_{};
};

}  // namespace pgsteer::proxy
