#include "proxy/application.hpp"

#include <algorithm>
#include <csignal>
#include <future>

#include <openssl/rand.h>

#include "proxy/client/tls_context.hpp"
#include "proxy/control/pinned.hpp"
#include "proxy/log.hpp"
#include "proxy/process/limits.hpp"
#include "proxy/routing_rules.hpp"
#include "routing/classifier.hpp"

namespace pgsteer::proxy {

namespace {

constexpr int connector_threads = 4;
constexpr std::chrono::seconds first_look{
    1};  // names are looked up before anybody is served, if that is quick

std::string random_seed() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random bytes to be had");
  return {bytes.begin(), bytes.end()};
}

std::vector<server_ref> all_servers(const topology& t) {
  std::vector<server_ref> all{t.primary};
  all.insert(all.end(), t.replicas.begin(), t.replicas.end());
  all.insert(all.end(), t.excluded.begin(), t.excluded.end());
  all.insert(all.end(), t.twins.begin(), t.twins.end());
  return all;
}

std::string names_of(const std::vector<config::server_url>& servers) {
  std::string names;
  for (const auto& each : servers)
    names += (names.empty() ? "" : " ") + each.name;
  return names;
}

}  // namespace

application::application(config::sources sources, config::settings settings, notify_socket notify)
    : sources_(std::move(sources)),
      notify_(std::move(notify)),
      mock_seed_(random_seed()),
      settings_(std::make_shared<const config::settings>(std::move(settings))),
      watch_([this](topology_ref t, const std::vector<server_ref>& moved) {
        topology_changed(std::move(t), moved);
      }),
      board_(std::make_shared<worker_board>()),
      connector_(connector_threads) {
  configure_log(settings_->level, settings_->format);
  raise_descriptor_limit();
  discovery_ = std::make_unique<discovery>(
      settings_, [this] { found_servers(); }, [this](const std::string& name) { return is_up(name); });
  discovery_->start(first_look);
  adopt_servers(*settings_);
  runtime_ = make_runtime(settings_, topology_);
  worker_ = std::make_unique<worker>(runtime_, connector_, board_, mock_seed_);
  catalogs_ = std::make_unique<catalog_watch>(
      [this] { return pinned_url(*servers()->primary); },
      [this](const std::string& database, catalog_ref read, std::uint64_t request) {
        worker_->catalog_read(database, std::move(read), request);
      });
  worker_->use_catalogs(catalogs_.get());
  if (!servers()->replicas.empty()) (void)catalogs_->want(settings_->primary.database);
  users_ = std::make_unique<user_lookup>([this] { return urls_to_ask(); }, mock_seed_);
  users_->adopt(settings_);
  worker_->use_lookup(users_.get());
  open_listeners();
  if (settings_->admin_listen) {
    admin_sources s;
    s.topology = [this] { return servers(); };
    s.boards = [this] { return std::vector{board_}; };
    s.draining = [this] { return draining_.load(); };
    s.clients = [this](std::size_t limit) { return clients(limit); };
    s.version = PGSTEER_VERSION;
    admin_ = std::make_unique<admin_server>(*settings_->admin_listen, std::move(s));
  }
}

application::~application() {
  connector_.stop();
  signals_.reset();
  if (discovery_) discovery_->stop();  // its listener uses it
  monitors_.clear();
  catalogs_.reset();
  users_.reset();
  admin_.reset();
  for (const auto& file : socket_files_)
    ::unlink(file.c_str());
}

void application::open_listeners() {
  for (const auto& address : settings_->listen) {
    for (auto& fd : listen_on(address, *settings_)) {
      worker_->listen(fd.get(), address.is_unix());
      listening_.push_back(std::move(fd));
    }
    if (address.is_unix()) socket_files_.push_back(unix_socket_path(address));
  }
}

topology_ref application::servers() const {
  const std::lock_guard lock(mutex_);
  return topology_;
}

std::vector<config::server_url> application::urls_to_ask() const {
  const auto t = servers();
  std::vector<config::server_url> out{pinned_url(*t->primary)};
  for (const auto& replica : t->replicas)
    out.push_back(pinned_url(*replica));
  return out;
}

// On the admin thread. The worker answers between two events, if it is not stuck.
std::optional<client_list> application::clients(std::size_t limit) const {
  constexpr std::chrono::seconds patience{1};
  const auto answer = std::make_shared<std::promise<client_list>>();
  auto list = answer->get_future();
  worker_->ask_clients(limit, [answer](client_list l) { answer->set_value(std::move(l)); });
  if (list.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return list.get();
}

// A server that stays keeps its object, whatever role it is configured for now.
server_ref application::find_or_make(const config::server_url& url, server_role role,
                                     std::vector<server_ref>& old) {
  const auto at = std::find_if(old.begin(), old.end(), [&](const auto& s) { return s->url() == url; });
  if (at == old.end()) return std::make_shared<server>(url, role, ++server_ids_);
  auto found = *at;
  old.erase(at);
  return found;
}

// A primary that is named no longer stays until another has taken its place: its Patroni may have died beside
// it, or have left it to itself. Where the configuration says something else than before, that counts.
std::vector<config::server_url> application::found_replicas(const config::settings& s) const {
  auto found = discovery_->replicas(s);
  const auto t = servers();
  const bool is_as_before =
      s.primary == settings_->primary && s.replicas == settings_->replicas && s.patroni == settings_->patroni;
  if (!t || !is_as_before || t->primary->url() == s.primary) return found;
  if (std::find(found.begin(), found.end(), t->primary->url()) == found.end())
    found.push_back(t->primary->url());
  return found;
}

void application::adopt_servers(const config::settings& s) {
  std::vector<server_ref> old;
  if (const auto t = servers()) old = all_servers(*t);
  const auto known = old;
  const auto primary = find_or_make(s.primary, server_role::primary, old);
  std::vector<server_ref> replicas;
  adopted_ = found_replicas(s);
  for (const auto& url : adopted_) {
    replicas.push_back(find_or_make(url, server_role::replica, old));
    const bool is_new = std::find(known.begin(), known.end(), replicas.back()) == known.end();
    if (is_new && !known.empty()) replicas.back()->begin_cold();
    if (is_new && url.user != s.primary.user) {
      log_warn("Replica is read as another user than the primary - privileges and row security may differ",
               {{"server", replicas.back()->name()}, {"user", url.user}, {"primary_user", s.primary.user}});
    }
  }
  watch_.adopt(primary, replicas);
}

// On the discovery's thread. As a reload would: servers that stay keep their connections.
void application::found_servers() {
  if (!is_serving_) return;
  const std::lock_guard change(change_mutex_);
  if (found_replicas(*settings_) != adopted_) {
    {
      const std::lock_guard lock(mutex_);
      is_settling_ = true;
    }
    adopt_servers(*settings_);
    log_info("Replicas found", {{"servers", names_of(adopted_)}});
    start_monitors(*settings_);
    tell_worker();
  }
  note_addresses();
}

void application::note_addresses() {
  for (const auto& s : all_servers(*servers()))
    s->note_addresses(discovery_->addresses(s->url()));
}

bool application::is_up(const std::string& name) const {
  const auto t = servers();
  if (!t) return false;
  const auto all = all_servers(*t);
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& s) { return s->name() == name && s->health() == server_health::up; });
}

// On a monitor's thread, in the order of the changes.
void application::topology_changed(topology_ref t, const std::vector<server_ref>& moved) {
  const std::lock_guard lock(mutex_);
  topology_ = std::move(t);
  if (is_settling_) return;
  runtime_.servers = topology_;
  worker_->reconfigure(runtime_);
  // Who waits for the old primary, or is busy on a server that is fenced now, is told by this.
  for (const auto& s : moved)
    worker_->server_changed(s->id());
}

// Every server has its monitor: the worker may see them all.
void application::tell_worker() {
  const std::lock_guard lock(mutex_);
  is_settling_ = false;
  runtime_.servers = topology_;
  worker_->reconfigure(runtime_);
  for (const auto& s : all_servers(*topology_))
    worker_->server_changed(s->id());
}

runtime_config application::make_runtime(std::shared_ptr<const config::settings> s, topology_ref t) const {
  runtime_config c;
  auto tls = load_tls(*s);
  c.users = std::make_shared<const identities>(*s, mock_seed_);
  c.rules = make_routing_rules(*s);
  c.settings = std::move(s);
  c.servers = std::move(t);
  c.tls = std::move(tls.context);
  c.tls_end_point = std::move(tls.end_point);
  return c;
}

// Monitors of servers that are gone end; new servers get one.
void application::start_monitors(const config::settings& s) {
  const auto all = all_servers(*servers());
  std::vector<std::unique_ptr<monitor>> leaving;
  for (auto at = monitors_.begin(); at != monitors_.end();) {
    const bool stays =
        std::any_of(all.begin(), all.end(), [&](const auto& x) { return x->id() == at->first; });
    if (stays) {
      at->second->adopt(s);
      ++at;
    } else {
      at->second->request_stop();
      leaving.push_back(std::move(at->second));
      at = monitors_.erase(at);
    }
  }
  for (const auto& x : all) {
    if (monitors_.contains(x->id())) continue;
    x->on_replayed([this] { worker_->replica_moved(); });
    monitors_[x->id()] = std::make_unique<monitor>(
        x, s,
        [this](const server& changed) {
          watch_.health_changed(changed);
          worker_->server_changed(changed.id());
        },
        [this](const server& from, const server_report& report) { watch_.hear(from, report); });
  }
}

int application::run() {
  {
    const std::lock_guard change(change_mutex_);
    note_addresses();
    start_monitors(*settings_);
    tell_worker();
  }
  is_serving_ = true;
  discovery_->adopt(settings_);  // what was found meanwhile
  thread_ = std::make_unique<big_stack_thread>(routing::parse_stack_bytes, [this] { worker_->run(); });
  for (const auto& a : settings_->listen) {
    log_info("Listening for clients",
             {{"address", a.is_unix() ? unix_socket_path(a) : a.host + ":" + std::to_string(a.port)}});
  }
  // From here on a reload may replace the settings, on the signal thread.
  signals_ = std::make_unique<signal_listener>([this](int number) { on_signal(number); });
  notify_.ready();
  thread_->join();
  signals_.reset();
  discovery_->stop();
  monitors_.clear();
  worker_->use_catalogs(nullptr);
  worker_->use_lookup(nullptr);
  catalogs_.reset();
  users_.reset();
  log_info("Stopped");
  return 0;
}

void application::on_signal(int number) {
  if (number == SIGHUP) return reload();
  if (draining_.exchange(true)) {
    log_warn("Second signal to stop: ending at once");
    worker_->stop();
    return;
  }
  begin_drain();
}

void application::begin_drain() {
  notify_.stopping();
  log_info("Draining: no new clients, running transactions may finish",
           {{"shutdown_timeout_ms", std::to_string(settings_->shutdown_timeout.count())}});
  worker_->drain(settings_->shutdown_timeout);
}

void application::reload() {
  notify_.reloading();
  const auto next = config::load(sources_);
  if (next.has_error()) {
    log_error("Configuration not reloaded, the old one stays in force",
              {{"problems", config::to_text(next.error())}});
    notify_.ready();
    return;
  }
  try {
    const std::lock_guard change(change_mutex_);
    auto s = std::make_shared<const config::settings>(*next->values);
    for (const auto& name : config::needs_restart(*settings_, *s)) {
      log_warn("Setting takes effect at the next start", {{"setting", name}});
    }
    auto runtime = make_runtime(s, nullptr);  // may throw: nothing has changed yet
    {
      const std::lock_guard lock(mutex_);
      runtime_ = std::move(runtime);
      is_settling_ = true;
    }
    adopt_servers(*s);
    settings_ = s;
    users_->adopt(s);
    configure_log(s->level, s->format);
    start_monitors(*s);
    tell_worker();
    discovery_->adopt(s);
    log_info("Configuration reloaded", {{"replicas", std::to_string(s->replicas.size())}});
  } catch (const std::exception& e) {
    log_error("Configuration not reloaded, the old one stays in force", {{"cause", e.what()}});
  }
  notify_.ready();
}

}  // namespace pgsteer::proxy
