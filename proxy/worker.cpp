#include "proxy/worker.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/crypto.h>

#include "config/conninfo.hpp"
#include "proxy/control/ending_judge.hpp"
#include "proxy/control/session_defaults.hpp"
#include "proxy/log.hpp"
#include "routing/facts.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::chrono::milliseconds sweep_period{50};
constexpr std::chrono::milliseconds publish_period{500};
constexpr std::chrono::seconds cancel_timeout{5};
constexpr std::size_t statement_bytes = std::size_t{64} << 20;

}  // namespace

worker::worker(runtime_config config, connector& c, std::shared_ptr<worker_board> board,
               std::string mock_seed)
    : statements(statement_bytes),
      proven(mock_seed),
      config_(std::move(config)),
      connector_(c),
      board_(std::move(board)),
      mock_seed_(std::move(mock_seed)),
      console_(make_console_sources()) {
  adopt_rules();
  adopt_lag_limits();
  classifier.mark_with(
      [this](std::string_view sql, std::string_view alike, const routing::classification& is) {
        return board_->statements.mark(sql, alike, is);
      });
}

// Sessions refer to groups and to the loop: they go first.
worker::~worker() {
  cancels_.clear();
  listeners_.clear();
  sessions_.clear();
  groups_.clear();
}

void worker::run() {
  loop.run(sweep_period, [this] { sweep(); });
}

void worker::listen(int fd, bool is_unix) {
  listeners_.push_back(std::make_unique<listener>(loop, fd, is_unix, [this](descriptor client, bool local) {
    auto s = std::make_unique<session>(*this, std::move(client), local);
    sessions_.emplace(s.get(), std::move(s));
  }));
}

client_group& worker::group_for(const std::string& user, const std::string& database) {
  for (const auto& g : groups_) {
    if (g->user == user && g->database == database) return *g;
  }
  auto g = std::make_unique<client_group>();
  g->id = ++group_ids_;
  g->statements_key = ++statement_keys_;
  g->user = user;
  g->database = database;
  g->facts = std::make_unique<routing::session_facts>(fact_numbers_);
  g->facts->use_lists({config_.rules, &config_.rules->functions});
  adopt_settings(*g);
  return *groups_.emplace_back(std::move(g));
}

// Everything is judged anew by other rules, prepared statements too.
void worker::adopt_rules() {
  const auto& rules = config_.rules;
  const std::shared_ptr<const routing::function_lists> lists(rules, &rules->functions);
  classifier.use_rules(rules);
  classifier.use_facts(lists->is_empty() ? nullptr : routing::make_listed_facts(lists));
  rules_number = ++fact_numbers_;
  for (const auto& g : groups_)
    g->facts->use_lists(lists);
}

// Only of a database that a server has let the user in to. What is not known yet comes by catalog_read().
void worker::want_catalog(const std::string& database) {
  if (catalogs_ == nullptr) return;
  const auto known = catalogs_->want(database);
  if (known.catalog != nullptr) adopt_catalog(database, known.catalog, known.request);
}

void worker::adopt_catalog(const std::string& database, const catalog_ref& read, std::uint64_t request) {
  for (const auto& g : groups_) {
    if (g->database != database) continue;
    g->facts->use(read);
    g->catalog_seen = request;
    const auto& named = read->set_by_functions();
    g->custom_settings.insert(named.begin(), named.end());
  }
}

pool& worker::pool_for(client_group& g, const server_ref& s) {
  for (const auto& p : g.pools) {
    if (p->host() == s) return *p;
  }
  return *g.pools.emplace_back(std::make_unique<pool>(*this, s, g));
}

bool worker::may_wait_for_primary(std::size_t bytes) {
  const auto sum = waiting_bytes_ + static_cast<std::int64_t>(bytes);
  if (waiting_units_ >= settings().failover_queue || sum > settings().failover_queue_memory) return false;
  ++waiting_units_;
  waiting_bytes_ = sum;
  return true;
}

void worker::forget_statements(const std::string& database) {
  const auto request = catalogs_ == nullptr ? 0 : catalogs_->reload(database);
  for (const auto& g : groups_) {
    if (g->database != database) continue;
    g->statements_key = ++statement_keys_;
    g->catalog_wanted = request;
  }
}

void worker::catalog_read(const std::string& database, catalog_ref read, std::uint64_t request) {
  loop.post([this, database, read = std::move(read), request] { adopt_catalog(database, read, request); });
}

// CREATE DATABASE from a template, ALTER and DROP DATABASE want nobody connected to it.
void worker::close_idle_elsewhere(const std::string& database) {
  for (const auto& g : groups_) {
    if (g->database == database) continue;
    for (const auto& p : g->pools)
      p->close_idle();
  }
  if (catalogs_ != nullptr) catalogs_->rest_elsewhere(database);
}

void worker::await_verdict(std::uint64_t serial, const server_ref& host, clock::time_point opened) {
  host->hasten();
  bereaved_.push_back({serial, host, opened, loop.now()});
  if (auto* const s = find_session(serial)) s->await_verdict();
}

// The process id that the client was told whose unit ran last on this server process; 0: it is none of ours.
std::int32_t worker::key_behind(std::int32_t pid, const std::string& database) const {
  for (const auto& g : groups_) {
    if (g->database != database) continue;
    for (const auto& p : g->pools) {
      for (const auto& b : p->backends()) {
        if (b->pid == pid) return b->last_writer;
      }
    }
  }
  return 0;
}

void worker::tell_verdicts(clock::time_point now) {
  for (std::size_t i = 0; i < bereaved_.size();) {
    const auto& [serial, host, opened, at] = bereaved_[i];
    const clock::time_point heard{clock::duration{host->heard_at.load(std::memory_order_acquire)}};
    const auto e = judge_ending({.noticed = at,
                                 .opened = opened,
                                 .control_lost = host->control_lost(),
                                 .stopped = host->stopped(),
                                 .heard = heard,
                                 .is_up = host->health() == server_health::up},
                                now);
    if (e == ending::undecided) {
      ++i;
      continue;
    }
    auto* const s = find_session(serial);
    bereaved_.erase(bereaved_.begin() + static_cast<std::ptrdiff_t>(i));
    if (s != nullptr) s->on_verdict(e == ending::alone);
  }
}

bool worker::may_have_ended() const {
  constexpr std::chrono::seconds longest{1};
  return backends_ended != clock::time_point{} && loop.now() - backends_ended < longest;
}

void worker::send_partial_units(clock::time_point now) {
  constexpr std::chrono::milliseconds patience{10};  // longer than the parts of one write are apart
  auto waiting = std::exchange(partial_, {});
  for (const auto& each : waiting) {
    if (now - each.since < patience) {
      partial_.push_back(each);
    } else if (auto* const s = find_session(each.serial)) {
      s->on_stalled();
    }
  }
}

// What its URL says, and what makes its sessions begin as the primary's.
std::string worker::replica_options(const pool& p) const {
  const auto& primary = config_.servers->primary;
  if (primary == p.host()) return {};
  const auto own =
      options_for_replica(primary->session_defaults(), p.host()->session_defaults(), p.group().parameters);
  if (own.empty()) return {};
  if (!p.host()->told_defaults.exchange(true, std::memory_order_relaxed)) {
    log_info("Replica is configured otherwise than the primary: its sessions get the primary's settings",
             {{"server", p.host()->name()}, {"options", own}});
  }
  const auto url = config::conninfo::parse(p.host()->url().conninfo);
  const auto given = url ? url->get("options") : std::string();
  return given.empty() ? own : given + ' ' + own;
}

bool worker::has_one_build() const {
  const auto of_primary = config_.servers->primary->session_defaults();
  return std::ranges::all_of(config_.servers->replicas, [&](const auto& replica) {
    return is_same_build(of_primary, replica->session_defaults());
  });
}

void worker::connect(pool& p) {
  connect_request request{p.host(), p.group().database, settings().connect_timeout, p.group().login,
                          config_.settings};
  const auto group_id = p.group().id;
  const auto number = p.group().defaults_number;
  const auto& login = p.group().login;
  const auto& host = p.host();
  if (p.is_replica()) request.options = replica_options(p);
  // The pool may be gone when the answer comes: it is looked up again.
  connector_.connect(std::move(request), [this, group_id, number, login, host](connect_result result) {
    auto shared = std::make_shared<connect_result>(std::move(result));
    loop.post([this, group_id, number, login, host, shared] {
      for (const auto& g : groups_) {
        if (g->id != group_id) continue;
        for (const auto& candidate : g->pools) {
          if (candidate->host() == host) return candidate->on_connected(std::move(*shared), number, login);
        }
      }
    });
  });
}

session* worker::find_session(std::uint64_t serial) const {
  const auto at = std::find_if(sessions_.begin(), sessions_.end(),
                               [serial](const auto& each) { return each.first->serial() == serial; });
  return at == sessions_.end() ? nullptr : at->first;
}

// The session may be gone when the answer comes: it is looked up again.
void worker::open_own_connection(session& s, connect_request request) {
  const auto host = request.server;
  connector_.connect(std::move(request), [this, host, serial = s.serial()](connect_result result) {
    auto shared = std::make_shared<connect_result>(std::move(result));
    loop.post([this, host, serial, shared] {
      if (auto* const found = find_session(serial)) found->on_own_connection(host, std::move(*shared));
    });
  });
}

void worker::look_up_user(session& s, const std::string& name) {
  const auto known = lookup_->find(name, [this, serial = s.serial()](const user_answer& answer) {
    loop.post([this, serial, answer] {
      if (auto* const found = find_session(serial)) found->on_user_found(answer);
    });
  });
  if (known) s.on_user_found(*known);
}

std::int32_t worker::register_key(session& s, std::int32_t pid) {
  auto key = pid;
  while (key == 0 || (pid == 0 && keys_.contains(key))) {
    std::array<unsigned char, sizeof key> bytes{};
    random.take(bytes);
    std::memcpy(&key, bytes.data(), sizeof key);
    key &= 0x7FFFFFFF;
  }
  keys_.emplace(key, &s);
  return key;
}

void worker::cancel(std::int32_t key, std::string_view secret) {
  const auto [from, to] = keys_.equal_range(key);
  const auto at = std::find_if(from, to, [secret](const auto& k) {
    const auto& own = k.second->secret();
    return own.size() == secret.size() && CRYPTO_memcmp(own.data(), secret.data(), secret.size()) == 0;
  });
  if (at == to) {
    metrics().cancels_unknown.add();
    return;
  }
  metrics().cancels.add();
  if (const auto* t = at->second->tunnelled()) return forward_cancel(t->cancels());
  if (backend* b = at->second->on_cancel()) forward_cancel(*b);
}

void worker::forward_cancel(backend& b) {
  ++b.cancels_in_flight;
  forward_cancel({b.pid, b.cancel_key, b.peer, b.peer_size, b.id});
}

void worker::forward_cancel(const cancel_target& at) {
  cancels_.push_back(
      std::make_unique<cancel_request>(loop, at, [this](cancel_request& c) { on_cancel_done(c); }));
}

void worker::on_cancel_done(cancel_request& c) {
  const auto id = c.backend_id();
  const auto at =
      std::find_if(cancels_.begin(), cancels_.end(), [&](const auto& x) { return x.get() == &c; });
  if (at != cancels_.end()) {
    loop.bury(std::move(*at));
    cancels_.erase(at);
  }
  for (const auto& g : groups_) {
    for (const auto& p : g->pools) {
      for (const auto& b : p->backends()) {
        if (b->id != id) continue;
        if (--b->cancels_in_flight == 0 && b->user != nullptr) b->user->on_cancel_finished();
        return;
      }
    }
  }
}

void worker::remove(session& s) {
  const auto [from, to] = keys_.equal_range(s.key());
  const auto own = std::find_if(from, to, [&s](const auto& k) { return k.second == &s; });
  if (own != to) keys_.erase(own);
  const auto at = sessions_.find(&s);
  if (at == sessions_.end()) return;
  loop.forget(s);
  loop.bury(std::move(at->second));
  sessions_.erase(at);
}

void worker::reconfigure(runtime_config config) {
  loop.post([this, next = std::move(config)]() mutable {
    const bool has_other_rules = config_.rules != next.rules;
    config_ = std::move(next);
    if (has_other_rules) adopt_rules();
    adopt_lag_limits();
    adopt_timeline();
    for (const auto& g : groups_)
      adopt_settings(*g);
    const auto& t = *config_.servers;
    const auto stays = [&](const server_ref& s) {
      return s == t.primary || std::find(t.replicas.begin(), t.replicas.end(), s) != t.replicas.end();
    };
    for (const auto& g : groups_) {
      for (const auto& p : g->pools) {
        if (stays(p->host())) {
          p->revive();
        } else if (!p->is_retired()) {
          p->retire();
        }
      }
    }
  });
}

void worker::server_changed(int server_id) {
  loop.post([this, server_id] {
    for (const auto& g : groups_) {
      for (std::size_t i = 0; i < g->pools.size(); ++i) {
        auto& p = *g->pools[i];
        if (p.host()->id() != server_id) continue;
        if (p.host()->is_usable()) {
          p.on_server_up();
        } else {
          on_pool_down(p);
        }
      }
    }
  });
}

void worker::on_pool_down(pool& p) {
  p.on_server_down();
  std::vector<session*> users;
  for (const auto& b : p.backends()) {
    if (b->user != nullptr) users.push_back(b->user);
  }
  for (auto* s : users)
    s->on_server_down(*p.host());
}

void worker::drain(std::chrono::milliseconds timeout) {
  loop.post([this, timeout] {
    if (draining_) return;
    draining_ = true;
    drain_until_ = loop.now() + timeout;
    for (const auto& l : listeners_)
      l->stop();
    for (auto* s : all_sessions())
      s->on_drain();
    if (sessions_.empty()) loop.stop();
  });
}

// Before anybody asks: the pools of the URL's own user and database.
void worker::keep_warm() {
  if (settings().min_pool_size == 0 || draining_) return;
  auto& g = group_for(settings().primary.user, settings().primary.database);
  const auto least = static_cast<std::size_t>(settings().min_pool_size);
  pool_for(g, config_.servers->primary).keep_warm(least);
  for (const auto& s : config_.servers->replicas)
    pool_for(g, s).keep_warm(least);
}

void worker::sweep() {
  const auto now = loop.now();
  waiting_units_ = 0;
  waiting_bytes_ = 0;
  for (const auto& g : groups_) {
    for (std::size_t i = 0; i < g->pools.size(); ++i)
      g->pools[i]->sweep(now);
    std::erase_if(g->pools, [](const auto& p) {
      return p->is_retired() && p->in_use() + p->closing() == 0 && !p->has_waiters();
    });
  }
  for (const auto& g : groups_) {
    if (g->sessions == 0 && g->login != nullptr && g->login->is_shown) g->login = make_login(g->user);
  }
  std::erase_if(groups_, [](const auto& g) {
    return g->sessions == 0 && !g->is_known &&
           std::all_of(g->pools.begin(), g->pools.end(),
                       [](const auto& p) { return p->in_use() + p->closing() == 0 && !p->has_waiters(); });
  });
  keep_warm();
  balancer_.look_at_lag(*config_.servers, now);
  if (!catching_up_.empty()) wake_readers();
  tell_verdicts(now);
  serve_readers(now);
  if (!partial_.empty()) send_partial_units(now);
  if (has_time_limits(settings())) check_times(now);
  for (std::size_t i = 0; i < cancels_.size(); ++i) {
    if (now - cancels_[i]->begun() > cancel_timeout) cancels_[i]->give_up();
  }
  if (now - published_ >= publish_period) {
    published_ = now;
    sweep_sessions(now);
    publish();
    warn_of_pins();
  }
  if (draining_ && now >= drain_until_) {
    for (auto* s : all_sessions())
      s->on_drain_timeout();
  }
  if (draining_ && sessions_.empty()) loop.stop();
}

// Only clients that have a backend can run or hold anything, and of those there are few.
void worker::check_times(clock::time_point now) {
  leased_.clear();
  for (const auto& g : groups_) {
    for (const auto& p : g->pools) {
      for (const auto& b : p->backends()) {
        if (b->user != nullptr) leased_.push_back(b->user);
      }
    }
  }
  for (auto* s : leased_)  // one that has ended meanwhile is buried, not gone
    s->check_time(now);
}

void worker::sweep_sessions(clock::time_point now) {
  minded_lag_ = configured_lag_;
  for (auto* s : all_sessions()) {
    const auto limit = s->max_lag();
    if (limit.count() != 0 && (minded_lag_.count() == 0 || limit < minded_lag_)) minded_lag_ = limit;
    s->sweep(now);
  }
  tell_minded_lag();
}

// A copy, since sessions end while it is walked.
std::vector<session*> worker::all_sessions() const {
  std::vector<session*> all;
  all.reserve(sessions_.size());
  for (const auto& [s, owner] : sessions_)
    all.push_back(s);
  return all;
}

}  // namespace pgsteer::proxy
