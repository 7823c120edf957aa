// What a pool has of the connections that it shares with other pools, and what it gives up for them: where
// `max_connections` of its database or of its user says how many these are.
#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include "proxy/client/group.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::chrono::milliseconds closing_time{50};  // a server needs a moment to see a connection end
constexpr std::chrono::seconds longest_closing{2};     // it may be busy with a statement, or gone
// A connection serves the pool that has opened it for so long: with clients of two users that never pause,
// the time must go into statements and not into logins.
constexpr std::chrono::milliseconds least_stay{250};

bool has_hung_up(int fd) {
  pollfd p{fd, POLLRDHUP, 0};
  return ::poll(&p, 1, 0) > 0;
}

}  // namespace

// Where others share the limit, it must be known when the server is done with it: the socket, kept open here,
// is closed from there when the server's process ends.
void pool::count_closing(const backend& b) {
  const auto now = worker_.loop.now();
  if (!group_.has_shared_limits()) return closing_.push_back({now + closing_time, {}});
  closing_.push_back({now + longest_closing, descriptor(::fcntl(b.io.fd(), F_DUPFD_CLOEXEC, 0))});
}

std::size_t pool::closing() {
  std::erase_if(closing_, [now = worker_.loop.now()](const closing_connection& c) {
    return c.until <= now || (c.socket.is_open() && has_hung_up(c.socket.get()));
  });
  return closing_.size();
}

bool pool::can_connect() const {
  return !retired_ && server_->is_usable() && !lacks_primary() && worker_.loop.now() >= retry_at_;
}

pool_stake pool::stake() {
  pool_stake out{in_use(), closing()};
  if (waiting_.empty() || !can_connect() || in_use() >= limit()) return out;
  const auto room = limit() - in_use();
  const auto coming = static_cast<std::size_t>(connecting_);
  std::size_t count = 0;
  for (const auto& w : waiting_) {
    if (w.only != nullptr && w.only != &newcomer_) continue;  // it can use no other than the one it has had
    if (++count == coming + 1) out.since = w.since;
    if (count == coming + room) break;
  }
  out.wanted = count > coming ? count - coming : 0;
  return out;
}

bool pool::may_give_up(const backend& b) const {
  return worker_.loop.now() - b.opened >= least_stay;
}

backend* pool::spare() const {
  const auto at = std::find_if(idle_.begin(), idle_.end(), [this](const auto* b) { return may_give_up(*b); });
  return at == idle_.end() ? nullptr : *at;
}

// Whether it goes to another pool, whose waiter came before all of this one that could have it.
bool pool::is_owed(const backend& b) {
  if (!group_.has_shared_limits() || !may_give_up(b)) return false;
  const auto own = std::find_if(waiting_.begin(), waiting_.end(),
                                [&b](const waiter& w) { return w.only == nullptr || w.only == &b; });
  return worker_.owes_connection(*this, own == waiting_.end() ? clock::time_point::max() : own->since);
}

protocol::error_report pool::shortage_error(scarcity full, const std::string& what,
                                            const std::string& line) const {
  const std::string_view kind = full == scarcity::user ? "user" : "database";
  const auto most = full == scarcity::user ? group_.most_of_user : group_.most_of_database;
  return protocol::statement_error(
      protocol::sqlstate::too_many_connections, what,
      fmt::format("All {} backends that max_connections allows {} \"{}\" are in use; {}", most.value_or(0),
                  kind, full == scarcity::user ? group_.user : group_.database, line),
      fmt::format("Raise max_connections of the {}, or look for transactions that stay open.", kind));
}

}  // namespace pgsteer::proxy
