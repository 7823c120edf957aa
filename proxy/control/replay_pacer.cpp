#include "proxy/control/replay_pacer.hpp"

#include <algorithm>

namespace pgsteer::proxy {

using std::chrono::milliseconds;

namespace {

constexpr double looks = 8;  // in the time that it is behind

}  // namespace

void replay_pacer::want(std::uint64_t floor, time_point now) {
  if (floor <= floor_) return;
  // A pace that is known stays known; the first one waiting is served at once.
  if (floor_ == 0) {
    next_ = now;
    seen_ = 0;
  }
  floor_ = floor;
  until_ = now + patience;
}

void replay_pacer::observe(std::uint64_t replayed, time_point now) {
  if (floor_ == 0) return;
  if (replayed >= floor_) {
    floor_ = 0;
    return;
  }
  next_ = now + interval_after(replayed, now);
  if (replayed == seen_) return;
  seen_ = replayed;
  seen_at_ = now;
}

milliseconds replay_pacer::interval_after(std::uint64_t replayed, time_point now) const {
  if (seen_ == 0) return shortest;
  const auto passed = std::max(std::chrono::duration<double, std::milli>(now - seen_at_).count(), 0.001);
  if (replayed <= seen_)
    return std::clamp(milliseconds{static_cast<milliseconds::rep>(passed / looks)}, shortest, longest);
  const double pace = static_cast<double>(replayed - seen_) / passed;
  const double needed = std::min(static_cast<double>(floor_ - replayed) / pace, 1e6) / looks;
  return std::clamp(milliseconds{static_cast<milliseconds::rep>(needed)}, shortest, longest);
}

bool replay_pacer::gave_up(time_point now) {
  if (floor_ == 0 || now < until_) return false;
  floor_ = 0;
  return true;
}

std::optional<replay_pacer::time_point> replay_pacer::next() const {
  if (floor_ == 0) return std::nullopt;
  return std::min(next_, until_);
}

}  // namespace pgsteer::proxy
