#include "proxy/control/health_judge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace pgsteer::proxy {
namespace {

using config::log_level;

// "2s", "0.5s": as short as it is exact.
std::string seconds(std::chrono::milliseconds delay) {
  return fmt::format("{}s", static_cast<double>(delay.count()) / 1000.0);
}

std::string_view role_warning(server_role role) {
  return role == server_role::primary
             ? "Server configured as primary is in recovery - writes sent to it will fail"
             : "Server configured as replica is not in recovery - reads sent to it may not show the "
               "primary's "
               "data";
}

std::string_view claim_warning(config::claimed_role claim) {
  return claim == config::claimed_role::primary
             ? "Server with pgsteer_role=primary is a standby - it is used as what it is"
             : "Server with pgsteer_role=replica is a primary - it is used as what it is";
}

}  // namespace

health_judge::health_judge(server_role role, const config::settings& settings)
    : role_(role), interval_(settings.health_interval), backoff_(backoff_policy_of(settings)) {}

void health_judge::adopt(const config::settings& settings) {
  interval_ = settings.health_interval;
  backoff_.adopt(backoff_policy_of(settings));
}

health_judge::plan health_judge::next() const {
  if (is_connected_) return {action::probe, next_probe_};
  return {action::connect, std::min(next_connect_, hastened_.value_or(next_connect_))};
}

void health_judge::hear(const news& n, time_point now) {
  if (n.hastened) hasty_until_ = now + haste;
  if (!is_connected_) {
    if (n.wanted && !hastened_) hastened_ = std::max(now, last_try_ + want_interval);
    return;
  }
  if (n.hastened) next_probe_ = std::min(next_probe_, now + hasty_interval);
  if (n.failure_reported || n.socket_stirred || n.promotion_hinted ||
      (n.wanted && health_ != server_health::up))
    next_probe_ = now;
  if (!n.failure_reported) return;
  health_ = server_health::retrying;
  is_suspected_ = true;
  // Workers complain again although the control connection works: the server may refuse new logins
  // (full, shutting down). Only a login of our own tells.
  if (!cleared_ || now - *cleared_ > std::chrono::seconds{1}) return;
  is_connected_ = false;
  next_connect_ = now;
  hastened_.reset();
}

health_judge::verdict health_judge::connected(bool in_recovery, time_point now) {
  verdict v{server_health::up, {}};
  if (is_news_when_connected_) v.lines.push_back({log_level::info, "Database connection established", {}});
  check_role(in_recovery, v);
  health_ = server_health::up;
  is_news_when_connected_ = false;
  is_connected_ = true;
  if (std::exchange(is_suspected_, false)) cleared_ = now;
  last_try_ = now;
  next_probe_ = probe_after(now);
  hastened_.reset();
  backoff_.reset();
  return v;
}

health_judge::verdict health_judge::connect_failed(std::string_view cause, time_point now, double spread) {
  const bool ahead_of_schedule = now < next_connect_;
  is_news_when_connected_ = true;
  is_suspected_ = false;
  last_try_ = now;
  hastened_.reset();
  if (!ahead_of_schedule) return scheduled_failure(cause, now, spread);
  // Demand must neither use up the attempts nor make the promised "Retrying in" untrue.
  return {health_, {{log_level::debug, "Connection attempt ahead of schedule failed", std::string{cause}}}};
}

health_judge::verdict health_judge::scheduled_failure(std::string_view cause, time_point now, double spread) {
  const auto failure = backoff_.fail(now, spread);
  next_connect_ = backoff_.next_attempt();
  health_ = backoff_.is_exhausted() ? server_health::failed : server_health::retrying;
  verdict v{health_, {}};
  v.lines.push_back({log_level::warn,
                     fmt::format("Connection attempt {} failed: {}. Retrying in {}", failure.attempt, cause,
                                 seconds(failure.delay)),
                     {}});
  if (failure.is_last) {
    v.lines.push_back({log_level::error,
                       fmt::format("Failed to establish connection after {} attempts", failure.attempt),
                       std::string{cause}});
  }
  return v;
}

health_judge::verdict health_judge::probed(bool in_recovery, time_point now) {
  verdict v{server_health::up, {}};
  check_role(in_recovery, v);
  health_ = server_health::up;
  if (std::exchange(is_suspected_, false)) cleared_ = now;
  next_probe_ = probe_after(now);
  return v;
}

health_judge::verdict health_judge::probe_failed(std::string_view cause, time_point now) {
  is_connected_ = false;
  is_news_when_connected_ = true;
  is_suspected_ = false;
  health_ = server_health::retrying;
  next_connect_ = now;
  return {health_, {{log_level::warn, "Database connection lost", std::string{cause}}}};
}

health_judge::time_point health_judge::probe_after(time_point now) const {
  return now + (now < hasty_until_ ? std::min(interval_, hasty_interval) : interval_);
}

void health_judge::check_role(bool in_recovery, verdict& v) {
  const bool is_wrong = in_recovery == (role_ == server_role::primary);
  if (is_wrong && !is_role_wrong_) {
    v.lines.push_back({log_level::warn, std::string{role_warning(role_)}, {}});
    v.is_role_mismatch = true;
  }
  is_role_wrong_ = is_wrong;
  if (claim_ != config::claimed_role::automatic) check_claim(in_recovery, v);
}

void health_judge::check_claim(bool in_recovery, verdict& v) {
  const bool is_wrong = in_recovery == (claim_ == config::claimed_role::primary);
  if (is_wrong && !is_claim_wrong_) {
    v.lines.push_back({log_level::warn, std::string{claim_warning(claim_)}, {}});
    v.is_role_mismatch = true;
  }
  is_claim_wrong_ = is_wrong;
}

}  // namespace pgsteer::proxy
