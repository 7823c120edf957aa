// The circuit breaker of one replica: fed by what workers and the monitor meet, asked before a read is
// sent there. A server whose probes work can still fail its clients; this counts that. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace pgsteer::proxy {

enum class breaker_state : std::uint8_t {
  closed,     // reads pass
  open,       // none pass until a pause is over
  half_open,  // one read is on trial; the others wait for how it ends
};
[[nodiscard]] std::string_view to_string(breaker_state s);

class breaker {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr int failures_to_open = 3;  // with less than `window` between each and the next
  static constexpr std::chrono::seconds window{10};
  static constexpr std::chrono::milliseconds first_pause{1000};  // doubles with each failed trial
  static constexpr std::chrono::milliseconds longest_pause{30000};
  static constexpr std::chrono::milliseconds trial_time{5000};  // then another read may try

  // Whether a read may be sent there now. One that is sent then says so by begin().
  [[nodiscard]] bool admits(time_point now) const;
  // True where this read is the trial.
  bool begin(time_point now);
  // True where the state has changed by it.
  bool succeeded();
  bool failed(time_point now);
  void reset();

  [[nodiscard]] breaker_state state() const { return state_.load(std::memory_order_acquire); }
  [[nodiscard]] std::chrono::milliseconds pause() const;
  [[nodiscard]] std::uint64_t openings() const { return openings_.load(std::memory_order_relaxed); }

 private:
  void open(time_point now, std::chrono::milliseconds pause);

  std::atomic<breaker_state> state_{breaker_state::closed};
  std::atomic<int> failures_{0};  // since the last success; written under the mutex
  std::atomic<std::uint64_t> openings_{0};
  std::atomic<time_point::rep> next_trial_{0};
  mutable std::mutex mutex_;
  time_point last_failure_{};                      // guarded by mutex_
  std::chrono::milliseconds pause_ = first_pause;  // guarded by mutex_
};

}  // namespace pgsteer::proxy
