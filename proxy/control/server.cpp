#include "proxy/control/server.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "proxy/log.hpp"

namespace pgsteer::proxy {

namespace {

using rep = std::chrono::steady_clock::rep;

// In place of a moment since which a replica is behind.
constexpr rep gap_unknown = std::numeric_limits<rep>::min();
constexpr rep gap_none = gap_unknown + 1;
constexpr rep gap_ancient = gap_unknown + 2;

}  // namespace

server::server(config::server_url url, server_role role, int id)
    : url_(std::move(url)), role_(role), id_(id), behind_since_(gap_unknown) {}

std::string_view to_string(server_role role) {
  return role == server_role::primary ? "primary" : "replica";
}

std::string_view to_string(server_health health) {
  switch (health) {
    case server_health::unknown:
      return "unknown";
    case server_health::up:
      return "up";
    case server_health::retrying:
      return "retrying";
    case server_health::failed:
      break;
  }
  return "failed";
}

bool topology::has_primary() const {
  const bool is_alone = replicas.empty() && excluded.empty() && twins.empty();
  return primary->is_usable() && (is_alone || !primary->in_recovery.load(std::memory_order_relaxed));
}

void server::report_failure() {
  // From `up` or `unknown` only: a server that is retrying or failed has its next attempt scheduled.
  auto seen = health();
  while (seen == server_health::up || seen == server_health::unknown) {
    if (!health_.compare_exchange_weak(seen, server_health::retrying, std::memory_order_acq_rel)) continue;
    counters.losses.fetch_add(1, std::memory_order_relaxed);
    break;
  }
  forget_replayed();
  if (failure_reported.exchange(true, std::memory_order_acq_rel)) return;
  poke();
}

void server::want() {
  if (wanted.load(std::memory_order_relaxed)) return;
  if (wanted.exchange(true, std::memory_order_acq_rel)) return;
  poke();
}

void server::watch(std::uint64_t floor) {
  if (replayed_lsn.load(std::memory_order_acquire) >= floor) return;
  auto seen = watched_lsn();
  do {
    if (seen >= floor) return;
  } while (!watched_lsn_.compare_exchange_weak(seen, floor, std::memory_order_acq_rel));
  poke();
}

std::optional<std::chrono::milliseconds> server::lag(std::chrono::steady_clock::time_point at) const {
  using std::chrono::milliseconds;
  const auto since = behind_since_.load(std::memory_order_acquire);
  if (since == gap_unknown) return std::nullopt;
  if (since == gap_none) return milliseconds{0};
  if (since == gap_ancient) return milliseconds::max();
  const std::chrono::steady_clock::time_point begun{std::chrono::steady_clock::duration{since}};
  return std::max(std::chrono::ceil<milliseconds>(at - begun), milliseconds{0});
}

void server::set_gap(const replica_gap& gap) {
  auto since = gap_unknown;
  switch (gap.is) {
    case replica_gap::kind::unknown:
      break;
    case replica_gap::kind::none:
      since = gap_none;
      break;
    case replica_gap::kind::behind:
      since = gap.since.time_since_epoch().count();
      break;
    case replica_gap::kind::ancient:
      since = gap_ancient;
      break;
  }
  behind_since_.store(since, std::memory_order_release);
}

void server::mind_lag(std::chrono::milliseconds limit) {
  const auto before = minded_lag_.exchange(limit.count(), std::memory_order_acq_rel);
  if (limit.count() != 0 && (before == 0 || limit.count() < before)) poke();
}

void server::end_watch(std::uint64_t floor) {
  // A higher one may have come meanwhile; it stands.
  watched_lsn_.compare_exchange_strong(floor, 0, std::memory_order_acq_rel);
}

void server::request_sample(std::uint64_t seq, std::function<void(std::uint64_t, std::uint64_t)> done) {
  sample_request request{seq, std::move(done)};
  switch (samples.push(request)) {
    case sample_queue::outcome::first:
      poke();
      return;
    case sample_queue::outcome::queued:
      return;
    case sample_queue::outcome::refused:
      break;
  }
  request.done(seq, 0);
}

std::uint64_t server::replay_epoch() const {
  const std::lock_guard lock{mutex_};
  return replay_epoch_;
}

void server::publish_replayed(std::uint64_t epoch, std::uint64_t lsn, std::uint32_t on_timeline) {
  {
    const std::lock_guard lock{mutex_};
    if (epoch != replay_epoch_) return;
    const bool is_followed = followed_timeline_ == 0 || followed_timeline_ == on_timeline;
    const auto now = is_followed ? lsn : 0;
    if (replayed_lsn.exchange(now, std::memory_order_acq_rel) == now) return;
  }
  if (tell_replayed_ && is_awaited.load(std::memory_order_acquire)) tell_replayed_();
}

void server::forget_replayed() {
  const std::lock_guard lock{mutex_};
  starts_.fetch_add(1, std::memory_order_release);
  ++replay_epoch_;
  replayed_lsn.store(0, std::memory_order_release);
}

void server::follow_timeline(std::uint32_t to) {
  const std::lock_guard lock{mutex_};
  if (to == followed_timeline_) return;
  followed_timeline_ = to;
  ++replay_epoch_;
  replayed_lsn.store(0, std::memory_order_release);
}

void server::hint_promoted() {
  if (hinted.exchange(true, std::memory_order_acq_rel)) return;
  poke();
}

void server::hasten() {
  if (hastened.exchange(true, std::memory_order_acq_rel)) return;
  poke();
}

void server::pin(connection_place to) {
  const std::lock_guard lock{mutex_};
  if (pin_number() != 0 && to == place_) return;
  place_ = std::move(to);
  pin_number_.fetch_add(1, std::memory_order_release);
}

connection_place server::place() const {
  const std::lock_guard lock{mutex_};
  return place_;
}

void server::note_addresses(std::vector<std::string> addresses) {
  {
    const std::lock_guard lock{mutex_};
    addresses_ = std::move(addresses);
  }
  if (is_misplaced()) poke();
}

std::vector<std::string> server::addresses() const {
  const std::lock_guard lock{mutex_};
  return addresses_;
}

bool server::is_misplaced() const {
  const std::lock_guard lock{mutex_};
  if (addresses_.empty() || place_.hostaddr.empty()) return false;
  return std::find(addresses_.begin(), addresses_.end(), place_.hostaddr) == addresses_.end();
}

void server::on_poke(std::function<void()> poke) {
  const std::lock_guard lock{mutex_};
  poke_ = std::move(poke);
}

void server::poke() const {
  std::function<void()> ear;
  {
    const std::lock_guard lock{mutex_};
    ear = poke_;
  }
  if (ear) ear();
}

bool server::change_health(server_health from, server_health to) {
  if (to == server_health::up && from != server_health::up && from != server_health::unknown) begin_cold();
  return health_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

// A primary has no other to stand in for it: its failures do not count here.
void server::set_role(server_role r) {
  if (role_.exchange(r, std::memory_order_acq_rel) != r) circuit.reset();
}

void server::note_success() {
  if (circuit.succeeded()) log_info("Replica serves reads again", {{"server", name()}});
}

void server::note_failure(std::chrono::steady_clock::time_point now) {
  if (role() != server_role::replica || !circuit.failed(now)) return;
  log_warn("Replica gets no reads: it keeps failing",
           {{"server", name()}, {"for_ms", std::to_string(circuit.pause().count())}});
}

void server::note_sent(std::chrono::steady_clock::time_point now) {
  if (circuit.begin(now)) log_info("Replica on trial: one read is sent to it", {{"server", name()}});
}

void server::begin_cold() {
  up_since_ = std::chrono::steady_clock::now().time_since_epoch().count();
}

double server::latency_us(std::chrono::steady_clock::time_point now) const {
  constexpr double half_life = 5;  // seconds
  const std::chrono::steady_clock::time_point at{
      std::chrono::steady_clock::duration{latency_at_.load(std::memory_order_relaxed)}};
  const auto age = std::chrono::duration<double>(now - at).count();
  return latency_.load(std::memory_order_relaxed) * (age < 1 ? 1 : std::exp2(-(age - 1) / half_life));
}

// Workers may overwrite each other's sample: it is an estimate.
void server::note_latency(std::chrono::microseconds took, std::chrono::steady_clock::time_point now) {
  constexpr double newest = 1.0 / 16;
  const auto sample = static_cast<double>(took.count());
  const auto before = latency_us(now);
  // From nothing: the first samples, on cold caches, say little.
  latency_.store(static_cast<float>(before + (sample - before) * newest), std::memory_order_relaxed);
  latency_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

std::string server::last_error() const {
  const std::lock_guard lock{mutex_};
  return last_error_;
}

void server::set_session_defaults(std::string text) {
  const std::lock_guard lock{mutex_};
  session_defaults_ = std::move(text);
  has_defaults_.store(!session_defaults_.empty(), std::memory_order_release);
}

std::string server::session_defaults() const {
  const std::lock_guard lock{mutex_};
  return session_defaults_;
}

void server::set_last_error(std::string text) {
  const std::lock_guard lock{mutex_};
  last_error_ = std::move(text);
}

}  // namespace pgsteer::proxy
