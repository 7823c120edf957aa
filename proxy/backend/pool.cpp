#include "proxy/backend/pool.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "proxy/client/group.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
constexpr std::chrono::milliseconds retry_pause{200};  // while a server answers but takes nobody in

// Errors that another attempt will not mend: the client is told at once.
bool is_final(std::string_view code) {
  return code.starts_with("28") || code.starts_with("3D") || code == "42501";
}

}  // namespace

pool::pool(worker& w, server_ref s, client_group& g) : worker_(w), server_(std::move(s)), group_(g) {}
pool::~pool() = default;

std::size_t pool::limit() const {
  return group_.pool_size;
}

const std::string& pool::user() const {
  if (group_.login == nullptr) return server_->url().user;
  return group_.login->user;
}

backend* pool::lease(session& s) {
  const bool somebody_waits =
      std::any_of(waiting_.begin(), waiting_.end(), [](const waiter& w) { return w.only == nullptr; });
  if (!idle_.empty() && !somebody_waits && !lacks_primary()) {
    const auto at = best_idle(s);
    backend* b = idle_[at];
    if (s.minds(*b) && may_replace()) {
      if (!can_open()) discard(*b);
      await_new(s);
      return nullptr;
    }
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(at));
    hand_out(*b, s);
    return b;
  }
  enqueue(s, nullptr);
  if (!server_->is_usable()) server_->want();
  open_for_waiters();
  if (group_.has_shared_limits()) worker_.make_room(*this);
  return nullptr;
}

void pool::enqueue(session& s, const void* only) {
  auto& wait = s.wait();
  wait.since = worker_.loop.now();
  if (wait.begun == clock::time_point{}) wait.begun = wait.since;
  wait.only = only;
  wait.where = this;
  waiting_.push_back(wait);
  worker_.metrics().clients_waiting.add();
}

backend* pool::find(std::uint64_t backend_id) const {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const auto& b) { return b->id == backend_id; });
  return at == all_.end() ? nullptr : at->get();
}

bool pool::lease_exact(session& s, backend& b) {
  const auto at = std::find(idle_.begin(), idle_.end(), &b);
  if (at == idle_.end()) {
    enqueue(s, &b);
    return false;
  }
  idle_.erase(at);
  hand_out(b, s);
  return true;
}

void pool::hand_out(backend& b, session& s) {
  b.user = &s;
  b.lease_since = worker_.loop.now();
  s.wait().begun = {};
}

// The session's home; else one that has its settings, and is nobody's home; by rotation, the one used longest
// ago.
std::size_t pool::best_idle(const session& s) const {
  if (worker_.settings().rotation == config::backend_rotation::always && !s.ends_backends()) {
    const auto is_fit = [&s](const backend* b) { return b->id != s.last_backend() && !s.minds(*b); };
    const auto fit = std::find_if(idle_.begin(), idle_.end(), is_fit);
    if (fit != idle_.end()) return static_cast<std::size_t>(fit - idle_.begin());
    const auto clean =
        std::find_if(idle_.begin(), idle_.end(), [&s](const backend* b) { return !s.minds(*b); });
    return clean == idle_.end() ? 0 : static_cast<std::size_t>(clean - idle_.begin());
  }
  auto best = idle_.size() - 1;
  int best_rank = -1;
  for (std::size_t i = idle_.size(); i-- > 0;) {
    const auto& b = *idle_[i];
    if (b.id == s.home() && !s.minds(b)) return i;
    const int vacant = s.ends_backends() ? 16 : 1;  // it may mean somebody's home
    const int rank = (s.minds(b) ? 0 : 8) + (s.is_like(b) ? 4 : 0) + (b.settings == s.settings() ? 2 : 0) +
                     (b.resident == 0 ? vacant : 0);
    if (rank <= best_rank) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

// Of several the one whose last resident came earliest: who connects anew does not soon meet the same process
// id.
backend* pool::vacant() const {
  backend* best = nullptr;
  for (auto* b : idle_) {
    if (b->resident != 0 || b->custom != nullptr || b->hung_up) continue;
    if (best == nullptr || b->last_resident < best->last_resident) best = b;
  }
  return best;
}

bool pool::can_open() {
  return in_use() < limit() && can_connect() && in_use() + closing() < limit() && worker_.may_open(*this);
}

bool pool::open_home_for(session& s) {
  if (!can_open()) return false;
  await_new(s);
  return true;
}

void pool::await_new(session& s) {
  enqueue(s, &newcomer_);
  open_for_waiters();
}

// Connections on which a session could see the names of other clients' settings give way to new ones, as many
// a second as the pool has at most: a busy pool must not spend its time on that.
bool pool::may_replace() {
  constexpr std::chrono::seconds period{1};
  constexpr std::size_t least_a_second = 10;
  if (retired_ || !server_->is_usable() || lacks_primary()) return false;
  if (worker_.loop.now() - replaced_since_ > period) {
    replaced_since_ = worker_.loop.now();
    replaced_ = 0;
  }
  return replaced_++ < std::max(limit(), least_a_second);
}

// Their logins go on without a home.
void pool::disappoint_newcomers(clock::time_point came_until) {
  for (auto w = waiting_.begin(); w != waiting_.end();) {
    auto& each = *w++;
    if (each.only != &newcomer_ || each.since > came_until) continue;
    if (each.who->current_phase() == session::phase::ready) {
      each.only = nullptr;  // any will do, then
    } else {
      each.who->on_acquire_failed(unreachable_error());
    }
  }
}

void pool::give_back(backend& b) {
  receive(b, false);
}

void pool::receive(backend& b, bool is_new) {
  b.idle_since = worker_.loop.now();
  const auto lifetime = worker_.settings().server_lifetime;
  const bool too_old = lifetime.count() > 0 && b.idle_since - b.opened > lifetime * (1 - b.shorter);
  const bool is_outdated = too_old || b.defaults_number != group_.defaults_number;
  if (retired_ || is_outdated || all_.size() > limit() || is_astray(b) || is_owed(b)) return discard(b);
  if (!waiting_.empty() && grant(b, is_new)) return;
  idle_.push_back(&b);
}

// First come, first served; a waiter that is bound to another backend is passed over. A read that began while
// its server was a replica may give back a connection here where others wait for a primary: that is none yet.
bool pool::grant(backend& b, bool is_new) {
  const bool is_for_all = !lacks_primary();
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const waiter& w) {
    return (w.only == nullptr && is_for_all) || w.only == &b || (is_new && w.only == &newcomer_);
  });
  if (at == waiting_.end()) return false;
  auto& first = *at;
  if (first.only == nullptr && first.who->minds(b) && may_replace()) {
    first.only = &newcomer_;
    discard(b);
    return true;
  }
  waiting_.erase(at);
  auto& m = worker_.metrics();
  m.clients_waiting.sub();
  const auto waited =
      std::chrono::duration_cast<std::chrono::microseconds>(worker_.loop.now() - first.since).count();
  m.wait_us.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(waited, 0)));
  hand_out(b, *first.who);
  first.who->on_granted(b);
  return true;
}

void pool::discard(backend& b) {
  b.is_doomed = true;
  b.user = nullptr;
  std::erase(idle_, &b);
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const auto& x) { return x.get() == &b; });
  if (at == all_.end()) return;
  count_closing(b);
  worker_.loop.remove(b.io.fd());
  worker_.loop.forget(b);
  worker_.loop.bury(std::move(*at));
  all_.erase(at);
  for (auto w = waiting_.begin(); w != waiting_.end(); ++w) {
    if (w->only == &b) w->only = nullptr;  // its backend is gone: any will do to say so
  }
  open_for_waiters();
}

void pool::open_for_waiters() {
  while (can_open() && do_more_wait_than(connecting_)) {
    ++connecting_;
    worker_.connect(*this);
  }
}

// Counts no further than it must: there may be thousands, and it is asked for each that comes.
bool pool::do_more_wait_than(int count) const {
  auto w = waiting_.begin();
  for (; count > 0 && w != waiting_.end(); --count)
    ++w;
  return w != waiting_.end();
}

void pool::on_connected(connect_result result, std::uint32_t defaults_number,
                        const backend_login_ref& login) {
  --connecting_;
  drop_strays();
  if (defaults_number != group_.defaults_number)
    return open_for_waiters();  // it begins as none does any more
  if (auto* failure = std::get_if<connect_failure>(&result)) {
    // What is known of the user now may fit.
    if (is_final(failure->sqlstate) && login != group_.login) return open_for_waiters();
    return on_connect_failure(*failure);
  }
  auto& c = std::get<connected>(result);
  if (is_standby_alone(c)) {
    server_->hint_promoted();  // its monitor asks what it is now
    return on_connect_failure({std::string(sqlstate::cannot_connect_now), "the server is a standby"});
  }
  worker_.metrics().backend_connects.add();
  if (!group_.is_known || !is_replica()) {
    if (!group_.is_known) worker_.want_catalog(group_.database);
    group_.parameters = c.parameters;
    if (auto standby = group_.parameters.find("in_hot_standby"); standby != group_.parameters.end())
      standby->second = "off";
    group_.greets = greeting(group_.parameters);
    group_.is_known = true;
  }
  last_failure_ = {};
  all_.push_back(std::make_unique<backend>(std::move(c), *this, worker_.next_backend_id()));
  all_.back()->defaults_number = defaults_number;
  all_.back()->shorter = worker_.settings().lifetime_jitter * worker_.random.share();
  receive(*all_.back(), true);
}

// The address that was the primary's leads to a standby: nothing is written there.
bool pool::is_standby_alone(const connected& c) const {
  const auto at = c.parameters.find("in_hot_standby");
  const auto& all = *worker_.config().servers;
  const bool is_alone = all.replicas.empty() && all.excluded.empty() && all.twins.empty();
  return !is_replica() && !is_alone && at != c.parameters.end() && at->second == "on";
}

// Nobody takes writes: who waits here waits for a primary, not for a free connection.
bool pool::lacks_primary() const {
  return !is_replica() && !worker_.config().servers->has_primary();
}

void pool::on_connect_failure(const connect_failure& failure) {
  worker_.metrics().backend_connect_failures.add();
  last_failure_ = failure;
  log_warn("Backend connection failed", {{"server", server_->name()},
                                         {"database", group_.database},
                                         {"sqlstate", failure.sqlstate},
                                         {"cause", failure.message}});
  if (is_final(failure.sqlstate) && !is_replica()) {
    const auto why = protocol::statement_error(failure.sqlstate, failure.message);
    while (!waiting_.empty())
      waiting_.front().who->on_acquire_failed(why);
    return;
  }
  if (failure.sqlstate.empty()) {
    server_->set_last_error(failure.message);
    server_->report_failure();
  }
  server_->note_failure(worker_.loop.now());
  retry_at_ = worker_.loop.now() + retry_pause;
  disappoint_newcomers(worker_.loop.now());
  if (is_replica()) on_server_down();
}

void pool::close_idle() {
  while (!idle_.empty())
    discard(*idle_.back());
}

void pool::on_server_down() {
  close_idle();
  // A read does not wait for this replica; who needs the primary waits here for its return.
  if (is_replica()) send_waiters_elsewhere();
}

// Whoever asks now waits for another to give a connection back.
bool pool::is_exhausted() const {
  return idle_.empty() && (in_use() >= limit() || worker_.what_is_full(*this) != scarcity::none);
}

// In the order they came.
void pool::send_waiters_elsewhere() {
  wait_queue leaving;
  leaving.swap(waiting_);
  while (!leaving.empty()) {
    auto& first = leaving.front();
    leaving.pop_front();
    worker_.metrics().clients_waiting.sub();
    first.who->on_reroute();
  }
}

void pool::on_server_up() {
  retry_at_ = {};
  open_for_waiters();
}

void pool::retire() {
  retired_ = true;
  close_idle();
  send_waiters_elsewhere();
}

// A connection stands, or the server itself has said why not.
bool pool::has_answered() const {
  const bool has_refused =
      !last_failure_.sqlstate.empty() && last_failure_.sqlstate != sqlstate::cannot_connect_now;
  return !all_.empty() || has_refused;
}

void pool::expire_waiters(clock::time_point now) {
  const auto timeout = worker_.settings().acquire_timeout;
  while (!waiting_.empty() && now - std::max(waiting_.front().since, available_since_) >= timeout) {
    worker_.metrics().acquire_timeouts.add();
    const bool has_none = all_.empty() && worker_.what_is_full(*this) == scarcity::none;
    const bool is_busy = server_->is_usable() && !has_none && !lacks_primary();
    waiting_.front().who->on_acquire_failed(is_busy ? busy_error(now) : unreachable_error());
  }
}

// Each waits by its own patience. Those beyond the bounds are the ones that came last.
void pool::expire_in_outage(clock::time_point now) {
  wait_queue all;
  all.swap(waiting_);
  while (!all.empty()) {
    auto& w = all.front();
    all.pop_front();
    if (auto why = outage_verdict(*w.who, now)) {
      worker_.metrics().clients_waiting.sub();
      w.who->on_acquire_failed(*why);
    } else {
      waiting_.push_back(w);
    }
  }
}

std::optional<protocol::error_report> pool::outage_verdict(const session& s, clock::time_point now) const {
  const bool is_login = s.current_phase() != session::phase::ready;
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - s.waiting_since());
  const auto patience = is_login ? worker_.settings().acquire_timeout : worker_.settings().failover_wait;
  auto& m = worker_.metrics();
  if (waited >= patience) {
    (is_login ? m.acquire_timeouts : m.failover_timeouts).add();
    return outage_error(patience, is_login);
  }
  if (is_login) return std::nullopt;
  if (const auto limit = s.statement_timeout(); limit && waited >= *limit) {
    return protocol::statement_error(sqlstate::query_canceled, "canceling statement due to statement timeout",
                                     "It waited for a primary and was not sent to a server.");
  }
  if (worker_.may_wait_for_primary(s.waiting_bytes())) return std::nullopt;
  m.failover_refusals.add();
  auto why = outage_error(waited, false);
  why.hint =
      "More clients wait for a primary than failover_queue and failover_queue_memory allow. Nothing was "
      "sent: run it again later.";
  return why;
}

std::string pool::last_cause() const {
  if (server_->is_usable() && lacks_primary()) return "it is a standby";
  auto cause = !last_failure_.message.empty() ? last_failure_.message : server_->last_error();
  return cause.empty() ? "it does not answer" : cause;
}

protocol::error_report pool::outage_error(std::chrono::milliseconds waited, bool is_login) const {
  const auto seconds = std::chrono::duration<double>(waited).count();
  return protocol::statement_error(
      sqlstate::cannot_connect_now, "there is no primary to run this on",
      fmt::format("Server {}: {}. No other server has become the primary.", server_->name(), last_cause()),
      is_login
          ? fmt::format("The login waited {:g} s (acquire_timeout). Connect again.", seconds)
          : fmt::format("It waited {:g} s (failover_wait) for a primary. Nothing was sent: run it again.",
                        seconds));
}

protocol::error_report pool::unreachable_error() const {
  const auto seconds = std::chrono::duration<double>(worker_.settings().acquire_timeout).count();
  const auto code = last_failure_.sqlstate.empty() ? sqlstate::connection_failure
                                                   : std::string_view(last_failure_.sqlstate);
  return protocol::statement_error(
      code,
      fmt::format("the {} server {} could not be reached within {:g} s", is_replica() ? "replica" : "primary",
                  server_->name(), seconds),
      last_cause(),
      "Nothing was sent to it. pgsteer goes on trying to connect; look at /health and at the server.");
}

protocol::error_report pool::busy_error(clock::time_point now) const {
  const auto seconds = std::chrono::duration<double>(worker_.settings().acquire_timeout).count();
  const auto waited = std::chrono::duration<double>(now - waiting_.front().since).count();
  double oldest = 0;
  for (const auto& b : all_) {
    if (b->user != nullptr)
      oldest = std::max(oldest, std::chrono::duration<double>(now - b->lease_since).count());
  }
  const auto what =
      fmt::format("no backend of server {} became free within {:g} s", server_->name(), seconds);
  const auto line = fmt::format("{} clients wait, this one for {:.1f} s.", waiting_.size(), waited);
  const auto full = in_use() < limit() ? worker_.what_is_full(*this) : scarcity::none;
  if (full != scarcity::none) return shortage_error(full, what, line);
  return protocol::statement_error(
      sqlstate::too_many_connections, what,
      fmt::format(
          "{} of {} backends for user \"{}\" and database \"{}\" are busy, the oldest for {:.1f} s; {}",
          busy(), limit(), group_.user, group_.database, oldest, line),
      "Raise pool_size, or look for transactions that stay open.");
}

}  // namespace pgsteer::proxy
