#include "proxy/control/breaker.hpp"

#include <algorithm>

namespace pgsteer::proxy {

std::string_view to_string(breaker_state s) {
  switch (s) {
    case breaker_state::closed:
      return "closed";
    case breaker_state::open:
      return "open";
    case breaker_state::half_open:
      break;
  }
  return "half_open";
}

bool breaker::admits(time_point now) const {
  return state() == breaker_state::closed ||
         now.time_since_epoch().count() >= next_trial_.load(std::memory_order_acquire);
}

bool breaker::begin(time_point now) {
  if (state() == breaker_state::closed) return false;
  const std::lock_guard lock{mutex_};
  if (state() == breaker_state::closed || !admits(now)) return false;
  state_.store(breaker_state::half_open, std::memory_order_release);
  next_trial_.store((now + trial_time).time_since_epoch().count(), std::memory_order_release);
  return true;
}

// Called for every read that is answered: nothing is locked while all is well.
bool breaker::succeeded() {
  if (state() == breaker_state::closed && failures_.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock{mutex_};
  // What was sent before it opened proves nothing.
  if (state() == breaker_state::open) return false;
  failures_.store(0, std::memory_order_relaxed);
  if (state() == breaker_state::closed) return false;
  pause_ = first_pause;
  state_.store(breaker_state::closed, std::memory_order_release);
  return true;
}

bool breaker::failed(time_point now) {
  const std::lock_guard lock{mutex_};
  if (state() == breaker_state::open) return false;
  if (state() == breaker_state::half_open) {
    open(now, std::min(pause_ * 2, longest_pause));
    return true;
  }
  const bool is_late = now - last_failure_ > window;
  failures_.store(is_late ? 1 : failures_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  last_failure_ = now;
  if (failures_.load(std::memory_order_relaxed) < failures_to_open) return false;
  open(now, first_pause);
  return true;
}

void breaker::open(time_point now, std::chrono::milliseconds pause) {
  pause_ = pause;
  failures_.store(0, std::memory_order_relaxed);
  openings_.fetch_add(1, std::memory_order_relaxed);
  next_trial_.store((now + pause).time_since_epoch().count(), std::memory_order_release);
  state_.store(breaker_state::open, std::memory_order_release);
}

void breaker::reset() {
  const std::lock_guard lock{mutex_};
  failures_.store(0, std::memory_order_relaxed);
  pause_ = first_pause;
  state_.store(breaker_state::closed, std::memory_order_release);
}

std::chrono::milliseconds breaker::pause() const {
  const std::lock_guard lock{mutex_};
  return pause_;
}

}  // namespace pgsteer::proxy
