#include "proxy/backend/balancer.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "proxy/log.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::chrono::milliseconds leave_pause{20};  // between two sessions that change their replica
constexpr double least_warmth = 0.1;

double warmth_of(const server& s, const config::settings& settings, clock::time_point now) {
  const auto full = settings.replica_warmup;
  const auto age = now - s.up_since();
  if (age >= full) return 1;
  return std::max(least_warmth, std::chrono::duration<double>(age) / std::chrono::duration<double>(full));
}

// Nobody writes while the primary is away: what a replica lacks grows no older by that.
std::optional<std::chrono::milliseconds> lag_of(const topology& servers, const server& s,
                                                clock::time_point now) {
  const auto& primary = *servers.primary;
  if (primary.health() == server_health::up) return s.lag(now);
  const auto heard = primary.heard_at.load(std::memory_order_acquire);
  return s.lag(clock::time_point{clock::duration{heard}});
}

// Its sessions can be made to begin as the primary's: without a primary to be like, they are as they are.
bool is_known(const topology& servers, const server& s) {
  const auto& primary = *servers.primary;
  return s.has_session_defaults() &&
         (primary.has_session_defaults() || primary.health() != server_health::unknown);
}

}  // namespace

server_ref balancer::choose(const topology& servers, const config::settings& settings,
                            const routing::freshness& wanted, milliseconds max_lag, clock::time_point now) {
  const bool shares = settings.primary_reads == config::reads_on_primary::share;
  if (servers.replicas.size() == 1 && !shares) return only_one(servers, wanted, max_lag, now);
  gather(servers, settings, max_lag, now);
  if (wanted.last_replica != 0 && wanted.is_sampled) {
    const auto last = stay_or_leave(wanted.last_replica, now);
    const auto replayed = last ? last->replayed_lsn.load(std::memory_order_acquire) : 0;
    const bool is_fit = last && wanted.accepts(last->id(), replayed, last->starts());
    if (last && !is_fit) last->watch(wanted.floor);
    return is_fit ? last : nullptr;
  }
  keep_fresh(wanted, servers.primary);
  routing::keep_near(candidates_, places_);
  const auto dice = [this] { return static_cast<std::uint32_t>(dice_()) << 1; };
  const auto at = settings.balancing == config::load_balancing::round_robin
                      ? turns_.choose(candidates_)
                      : routing::choose_least_busy(candidates_, dice(), dice());
  return at == routing::no_candidate ? nullptr : *servers_[places_[at]];
}

// The same, where there is nothing to weigh.
server_ref balancer::only_one(const topology& servers, const routing::freshness& wanted, milliseconds max_lag,
                              clock::time_point now) {
  const auto& s = servers.replicas.front();
  const bool is_usable = s->is_usable();
  if (is_usable && !is_known(servers, *s)) return nullptr;
  if (max_lag.count() != 0 && !admits(servers, *s, max_lag, now)) return nullptr;
  if (!is_usable && s->health() == server_health::failed) s->want();
  if (!is_usable || (s->role() == server_role::replica && !s->admits_reads(now))) return nullptr;
  const auto replayed = s->replayed_lsn.load(std::memory_order_acquire);
  if (wanted.accepts(s->id(), replayed, s->starts())) return s;
  const bool may_catch_up =
      wanted.last_replica == 0 ? replayed < wanted.floor : wanted.last_replica == s->id();
  if (wanted.is_sampled && may_catch_up) s->watch(wanted.floor);
  return nullptr;
}

void balancer::gather(const topology& servers, const config::settings& settings, milliseconds max_lag,
                      clock::time_point now) {
  servers_.clear();
  candidates_.clear();
  for (const auto& s : servers.replicas) {
    if (s->is_usable() && !is_known(servers, *s)) continue;
    if (max_lag.count() == 0 || admits(servers, *s, max_lag, now)) add(s, settings, now);
  }
  const bool shares = settings.primary_reads == config::reads_on_primary::share;
  if (shares && servers.has_primary() && !servers.replicas.empty()) add(servers.primary, settings, now);
  places_.resize(servers_.size());
  for (std::size_t i = 0; i < places_.size(); ++i)
    places_[i] = i;
}

bool balancer::admits(const topology& servers, server& s, milliseconds limit, clock::time_point now) {
  const auto lag = lag_of(servers, s, now);
  const auto is = gates_.look(s.id(), limit, lag);
  const bool is_configured = std::find(limits_.begin(), limits_.end(), limit) != limits_.end();
  if (!is.has_turned || !is_configured) return is.admits;
  const auto shown = *lag == milliseconds::max() ? std::string("unknown") : std::to_string(lag->count());
  const auto most = std::to_string(limit.count());
  if (is.admits) {
    log_info("Replica has caught up and gets reads again",
             {{"server", s.name()}, {"lag_ms", shown}, {"max_lag_ms", most}});
  } else {
    s.counters.lag_outages.fetch_add(1, std::memory_order_relaxed);
    log_warn("Replica lags too far behind and gets no reads",
             {{"server", s.name()}, {"lag_ms", shown}, {"max_lag_ms", most}});
  }
  return is.admits;
}

void balancer::look_at_lag(const topology& servers, clock::time_point now) {
  for (const auto& s : servers.replicas) {
    bool is_lagging = false;
    for (const auto limit : limits_) {
      if (s->is_usable() && !admits(servers, *s, limit, now)) is_lagging = true;
    }
    s->is_lagging.store(is_lagging, std::memory_order_relaxed);
  }
}

bool balancer::do_all_lag(const topology& servers, milliseconds max_lag, clock::time_point now) {
  if (max_lag.count() == 0) return false;
  bool is_any = false;
  for (const auto& s : servers.replicas) {
    if (!s->is_usable()) continue;
    if (admits(servers, *s, max_lag, now)) return false;
    is_any = true;
  }
  return is_any;
}

void balancer::add(const server_ref& s, const config::settings& settings, clock::time_point now) {
  if (!s->is_usable()) {
    if (s->health() == server_health::failed) s->want();
    return;
  }
  if (s->role() == server_role::replica && !s->admits_reads(now)) return;
  servers_.push_back(&s);
  candidates_.push_back({.outstanding = s->outstanding.load(std::memory_order_relaxed),
                         .latency = s->latency_us(now),
                         .weight = static_cast<double>(s->url().weight),
                         .is_near = !settings.zone.empty() && s->url().zone == settings.zone,
                         .warmth = warmth_of(*s, settings, now)});
}

void balancer::keep_fresh(const routing::freshness& wanted, const server_ref& primary) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto& s = *servers_[i];
    const auto replayed = s->replayed_lsn.load(std::memory_order_acquire);
    if (s != primary && !wanted.accepts(s->id(), replayed, s->starts())) {
      if (wanted.is_sampled && replayed < wanted.floor) s->watch(wanted.floor);
      continue;
    }
    candidates_[kept] = candidates_[i];
    places_[kept++] = i;
  }
  candidates_.resize(kept);
  places_.resize(kept);
}

// A session never goes back in time, so it may not simply take another replica: it asks the primary
// once. That is worth it only where its own has much more to do, and not for all at the same time.
server_ref balancer::stay_or_leave(int last, clock::time_point now) {
  const auto at =
      std::find_if(servers_.begin(), servers_.end(), [&](const auto* s) { return (*s)->id() == last; });
  if (at == servers_.end()) return nullptr;
  if (now < next_leave_ || servers_.size() < 2) return **at;
  const auto mine = static_cast<std::size_t>(at - servers_.begin());
  if (!routing::is_overloaded(candidates_, mine)) return **at;
  next_leave_ = now + leave_pause;
  return nullptr;
}

}  // namespace pgsteer::proxy
