// What a pool does about twenty times a second, with nobody asking: who waited too long, which connections
// are to be closed, opened, or asked whether they live.
#include <algorithm>

#include "protocol/message_writer.hpp"
#include "proxy/client/group.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::chrono::seconds longest_wait_for_home{1};  // a login does without rather than wait longer

}  // namespace

void pool::sweep(clock::time_point now) {
  drop_strays();
  const bool has_room = worker_.what_is_full(*this) == scarcity::none;
  if (waits_out_outages() && (lacks_primary() || (!has_answered() && has_room))) {
    available_since_ = now;
    expire_in_outage(now);
  } else {
    expire_waiters(now);
  }
  expire_idle(now);
  check_idle(now);
  if (group_.sessions > 0) keep_warm(least());
  disappoint_newcomers(connecting_ == 0 && closing_.empty() ? now : now - longest_wait_for_home);
  if (!waiting_.empty() && !server_->is_usable()) server_->want();
  while (!waiting_.empty() && !idle_.empty() && !lacks_primary()) {
    backend* b = idle_.back();
    idle_.pop_back();
    if (grant(*b)) continue;
    idle_.push_back(b);
    break;
  }
  open_for_waiters();
  if (group_.has_shared_limits()) worker_.make_room(*this);
}

// A primary never reached since the start is a wrong URL more likely than a failover: told soon.
bool pool::waits_out_outages() const {
  return !is_replica() && worker_.settings().failover_wait.count() > 0 && server_->was_reached();
}

// It leads to an address that the server's name no longer stands for.
bool pool::is_astray(backend& b) const {
  const auto number = server_->pin_number();
  if (b.pin_number == number) return false;
  if (b.place != server_->place()) return true;
  b.pin_number = number;
  return false;
}

// A read that was judged by the positions of one address must not run at another.
bool pool::drop_strays() {
  const auto number = server_->pin_number();
  if (std::exchange(pin_seen_, number) == number) return false;
  const auto idle = idle_;
  for (auto* b : idle) {
    if (is_astray(*b)) discard(*b);
  }
  if (is_replica()) send_waiters_elsewhere();
  return true;
}

// Kept open whatever the idle timeout says.
std::size_t pool::least() const {
  return retired_ ? 0 : std::min(static_cast<std::size_t>(worker_.settings().min_pool_size), limit());
}

void pool::expire_idle(clock::time_point now) {
  while (all_.size() > limit() && !idle_.empty())
    discard(*idle_.front());
  const auto timeout = worker_.settings().server_idle_timeout;
  if (timeout.count() <= 0) return;
  const auto is_over = [&](const backend& b) { return now - b.idle_since > timeout * (1 - b.shorter); };
  while (!idle_.empty() && all_.size() > least() && is_over(*idle_.front()))
    discard(*idle_.front());
}

void pool::keep_warm(std::size_t wanted) {
  while (all_.size() + static_cast<std::size_t>(connecting_) < std::min(wanted, limit()) && can_open()) {
    ++connecting_;
    worker_.connect(*this);
  }
}

// A connection can die without a word: behind a firewall, with its machine. Those long idle are asked with a
// Sync now, so that no query has to wait for the answer; while they are, nobody is given them.
void pool::check_idle(clock::time_point now) {
  const auto delay = worker_.settings().server_check_delay;
  if (delay.count() <= 0) return;
  for (std::size_t i = all_.size(); i-- > 0;) {
    auto& b = *all_[i];
    if (b.is_checking && now - b.checked > worker_.settings().connect_timeout) {
      log_warn("Idle server connection does not answer",
               {{"server", server_->name()}, {"database", group_.database}});
      worker_.metrics().backend_losses.add();
      discard(b);
    }
  }
  const auto is_due = [&](const backend* b) { return now - std::max(b->checked, b->idle_since) > delay; };
  while (!idle_.empty()) {
    const auto at = std::find_if(idle_.begin(), idle_.end(), is_due);
    if (at == idle_.end()) return;
    auto& b = **at;
    idle_.erase(at);
    b.is_checking = true;
    b.checked = now;
    worker_.to_backend.clear();
    protocol::write::sync(worker_.to_backend.begin_made());
    worker_.to_backend.end_made();
    if (!b.send(worker_.to_backend)) discard(b);
  }
}

void pool::on_alive(backend& b) {
  b.is_checking = false;
  const auto since = b.idle_since;
  give_back(b);
  const auto at = std::find(idle_.begin(), idle_.end(), &b);
  if (at == idle_.end()) return;
  idle_.erase(at);
  b.idle_since = since;
  const auto is_before = [](const backend* one, const backend* other) {
    return one->idle_since < other->idle_since;
  };
  idle_.insert(std::upper_bound(idle_.begin(), idle_.end(), &b, is_before), &b);
}

}  // namespace pgsteer::proxy
