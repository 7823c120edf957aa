// What a worker tells of itself: gauges for the metrics, and lists of its clients and backends.
#include <algorithm>

#include "proxy/admin/render_metrics.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

std::uint64_t ms_between(clock::time_point from, clock::time_point to) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0));
}

std::string_view role_of(const pool& p) {
  return p.is_replica() ? "replica" : "primary";
}

pool_gauge gauge_of(const pool& p, clock::time_point now) {
  pool_gauge x;
  x.server = p.host()->name();
  x.role = role_of(p);
  x.user = p.group().user;
  x.database = p.group().database;
  x.idle = static_cast<int>(p.idle_count());
  x.active = static_cast<int>(p.busy());
  x.connecting = p.connecting();
  x.waiting = static_cast<int>(p.waiting_count());
  x.size = static_cast<int>(p.limit());
  if (p.has_waiters()) x.oldest_wait_ms = ms_between(p.oldest_wait(), now);
  for (const auto& b : p.backends())
    x.pinned += b->user != nullptr && !b->user->pin().empty() ? 1 : 0;
  return x;
}

backend_entry entry_of(const backend& b, clock::time_point now) {
  backend_entry e;
  e.id = b.id;
  e.server = b.home.host()->name();
  e.role = role_of(b.home);
  e.user = b.home.group().user;
  e.database = b.home.group().database;
  e.pid = b.pid;
  e.age_ms = ms_between(b.opened, now);
  e.prepared_statements = b.wire.prepared.size();
  e.state = b.user != nullptr ? b.user->state_text() : "idle";
  e.client_id = b.user != nullptr ? b.user->serial() : 0;
  e.state_ms = ms_between(b.user != nullptr ? b.lease_since : b.idle_since, now);
  return e;
}

}  // namespace

std::vector<pool_gauge> worker::pool_gauges() const {
  std::vector<pool_gauge> gauges;
  for (const auto& g : groups_) {
    for (const auto& p : g->pools)
      gauges.push_back(gauge_of(*p, loop.now()));
  }
  return gauges;
}

std::vector<backend_entry> worker::list_backends() const {
  std::vector<backend_entry> all;
  for (const auto& g : groups_) {
    for (const auto& p : g->pools) {
      for (const auto& b : p->backends())
        all.push_back(entry_of(*b, loop.now()));
    }
  }
  return all;
}

// Twice over the sessions, and words are made only for those that are listed: ten thousand idle clients
// cost a millisecond.
client_list worker::list_clients(std::size_t limit) const {
  client_list all;
  all.total = sessions_.size();
  for (const bool at_rest : {false, true}) {
    for (const auto& [s, owner] : sessions_) {
      if (all.clients.size() >= limit) return all;
      if (s->is_at_rest() == at_rest) all.clients.push_back(s->describe(loop.now()));
    }
  }
  return all;
}

void worker::ask_clients(std::size_t limit, std::function<void(client_list)> answer) {
  loop.post([this, limit, answer = std::move(answer)] { answer(list_clients(limit)); });
}

void worker::publish() {
  auto gauges = pool_gauges();
  std::map<std::string, int> pins;
  if (metrics().clients_pinned.get() > 0) {
    for (const auto& [s, owner] : sessions_) {
      if (!s->pin().empty()) ++pins[std::string(s->pin())];
    }
  }
  const std::lock_guard lock(board_->mutex);
  board_->pools = std::move(gauges);
  board_->pins = std::move(pins);
}

console_sources worker::make_console_sources() {
  console_sources s;
  s.clients = [this] { return list_clients(usually_listed_clients); };
  s.pools = [this] { return pool_gauges(); };
  s.backends = [this] { return list_backends(); };
  s.stats = [this] {
    std::vector<console_row> rows;
    for (const auto& c : named_counters(metrics()))
      rows.push_back({std::string(c.name), std::to_string(c.value), std::string(c.help)});
    return rows;
  };
  s.statements = [this] { return board_->statements.entries(); };
  s.settings = [this]() -> const config::settings& { return settings(); };
  s.version = PGSTEER_VERSION;
  return s;
}

// One line when a pool gets too full of pinned sessions, and again only after it was not.
void worker::warn_of_pins() {
  const double share = settings().pin_warning_share;
  for (const auto& g : groups_) {
    for (const auto& p : g->pools) {
      std::map<std::pair<std::string_view, std::string_view>, int> by_application;
      int pinned = 0;
      for (const auto& b : p->backends()) {
        if (b->user == nullptr || b->user->pin().empty() || b->user->pin() == "session mode") continue;
        ++pinned;
        ++by_application[{b->user->application_name(), b->user->pin()}];
      }
      const bool is_full = share > 0 && pinned > share * static_cast<double>(p->limit());
      if (!p->note_pinned_full(is_full) || !is_full) continue;
      const auto most = std::max_element(by_application.begin(), by_application.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      log_warn("Pinned sessions hold a large share of a pool",
               {{"server", p->host()->name()},
                {"user", g->user},
                {"database", g->database},
                {"pinned", std::to_string(pinned)},
                {"pool_size", std::to_string(p->limit())},
                {"application", std::string(most->first.first)},
                {"reason", std::string(most->first.second)},
                {"sessions", std::to_string(most->second)}});
    }
  }
}

}  // namespace pgsteer::proxy
