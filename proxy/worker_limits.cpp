// What the configuration allows users and databases, and what of it is left.
#include <algorithm>

#include <fmt/format.h>

#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;

std::optional<std::size_t> to_size(const std::optional<int>& n) {
  return n ? std::optional(static_cast<std::size_t>(*n)) : std::nullopt;
}

bool is_user_of(const client_group& one, const client_group& other) {
  return one.user == other.user;
}

bool is_database_of(const client_group& one, const client_group& other) {
  return one.database == other.database;
}

}  // namespace

// What the configuration in force says of this user and this database.
void worker::adopt_settings(client_group& g) const {
  const auto user = config_.users->limits_of(g.user);
  const auto database = config_.users->limits_of_database(g.database);
  g.mode = user.mode.value_or(database.mode.value_or(settings().mode));
  const int size = database.pool_size.value_or(user.pool_size.value_or(settings().pool_size));
  g.pool_size = static_cast<std::size_t>(std::min(size, user.pool_size.value_or(size)));
  g.most_of_user = to_size(user.max_connections);
  g.most_of_database = to_size(database.max_connections);
  if (const auto who = config_.users->find(g.user)) {
    const bool is_shown = g.login != nullptr && g.login->is_shown;
    if (!is_shown || who->login == nullptr || who->login->has_secret()) g.login = who->login;
  } else if (g.login == nullptr && g.user != settings().primary.user) {
    g.login = make_login(g.user);  // gone from the configuration: its sessions stay, never as another user
  }
}

int worker::count_sessions(const client_group& g, is_alike alike) const {
  int all = 0;
  for (const auto& other : groups_) {
    if (alike(g, *other)) all += other->sessions;
  }
  return all;
}

// In PostgreSQL's words and in its order.
std::optional<protocol::error_report> worker::refuse_for_limits(const client_group& g) const {
  const auto user = config_.users->limits_of(g.user).max_clients;
  if (user && count_sessions(g, is_user_of) >= *user) {
    return protocol::fatal_error(
        sqlstate::too_many_connections, fmt::format("too many connections for role \"{}\"", g.user),
        "As many clients of this user as its max_clients allows are connected.",
        "Raise max_clients of the user, or look for clients that do not disconnect.");
  }
  const auto database = config_.users->limits_of_database(g.database).max_clients;
  if (database && count_sessions(g, is_database_of) >= *database) {
    return protocol::fatal_error(
        sqlstate::too_many_connections, fmt::format("too many connections for database \"{}\"", g.database),
        "As many clients of this database as its max_clients allows are connected.",
        "Raise max_clients of the database, or look for clients that do not disconnect.");
  }
  return std::nullopt;
}

template <typename Action>
void worker::for_sharers(const pool& p, is_alike alike, Action action) const {
  for (const auto& g : groups_) {
    if (!alike(p.group(), *g)) continue;
    for (const auto& each : g->pools) {
      if (each->host() == p.host()) action(*each);
    }
  }
}

bool worker::is_user_full(const pool& p) const {
  if (!p.group().most_of_user) return false;
  std::size_t open = 0;
  for_sharers(p, is_user_of, [&open](const pool& each) { open += each.in_use(); });
  return open >= *p.group().most_of_user;
}

shared_limit worker::user_limit(const pool& p, clock::time_point since) const {
  shared_limit out(*p.group().most_of_user, since);
  for_sharers(p, is_user_of, [&out](pool& each) { out.add(each.stake()); });
  return out;
}

// A pool that may not open another one for its user claims none of its database: connections of other users
// are not kept for it. As all claim in this order, no two wait for each other.
shared_limit worker::database_limit(const pool& p, clock::time_point since) const {
  shared_limit out(*p.group().most_of_database, since);
  for_sharers(p, is_database_of, [&](pool& each) {
    auto stake = each.stake();
    if (stake.wanted > 0 && is_user_full(each)) stake.wanted = 0;
    out.add(stake);
  });
  return out;
}

bool worker::may_open(pool& p) const {
  const auto& g = p.group();
  if (!g.has_shared_limits()) return true;
  const auto since = p.stake().since;
  if (g.most_of_user && !user_limit(p, since).has_slot()) return false;
  return !g.most_of_database || database_limit(p, since).has_slot();
}

bool worker::owes_connection(const pool& p, clock::time_point since) const {
  const auto& g = p.group();
  if (g.most_of_user && user_limit(p, since).is_owed()) return true;
  return g.most_of_database && database_limit(p, since).is_owed();
}

scarcity worker::what_is_full(const pool& p) const {
  const auto& g = p.group();
  constexpr auto last = clock::time_point::max();
  if (g.most_of_user && user_limit(p, last).is_full()) return scarcity::user;
  return g.most_of_database && database_limit(p, last).is_full() ? scarcity::database : scarcity::none;
}

// The ones idle for longest go, of pools that want no more themselves.
void worker::close_spare(const pool& p, is_alike alike, std::size_t count) const {
  for (; count > 0; --count) {
    backend* longest = nullptr;
    for_sharers(p, alike, [&longest](pool& each) {
      auto* const b = each.stake().wanted == 0 ? each.spare() : nullptr;
      if (b != nullptr && (longest == nullptr || b->idle_since < longest->idle_since)) longest = b;
    });
    if (longest == nullptr) return;
    longest->home.discard(*longest);
  }
}

void worker::make_room(const pool& p) const {
  const auto& g = p.group();
  constexpr auto last = clock::time_point::max();
  if (g.most_of_user) close_spare(p, is_user_of, user_limit(p, last).excess());
  if (g.most_of_database) close_spare(p, is_database_of, database_limit(p, last).excess());
}

}  // namespace pgsteer::proxy
