#include "proxy/control/backoff.hpp"

#include <algorithm>

namespace pgsteer::proxy {

backoff_policy backoff_policy_of(const config::settings& settings) {
  return {settings.reconnect_delay, settings.reconnect_delay_max, settings.reconnect_attempts,
          settings.reconnect_jitter, settings.failed_probe_interval};
}

std::chrono::milliseconds backoff::nominal_delay() const {
  if (attempt_ > last_attempt()) return policy_.failed_interval;
  auto delay = policy_.delay;
  // Stops at the bound, so that no number of attempts overflows.
  for (int i = 1; i < attempt_ && delay < policy_.delay_max; ++i)
    delay *= 2;
  return std::min(delay, policy_.delay_max);
}

backoff::failure backoff::fail(time_point now, double spread) {
  // One beyond the last is as far as it matters.
  const int counted = attempt_ < 1'000'000 ? attempt_ + 1 : attempt_;
  attempt_ = counted;
  const auto nominal = nominal_delay();
  const double share = 1.0 + policy_.jitter * std::clamp(spread, -1.0, 1.0);
  next_ = now + std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(
                    static_cast<double>(nominal.count()) * std::max(share, 0.0))};
  return {attempt_, nominal, attempt_ == last_attempt()};
}

}  // namespace pgsteer::proxy
