#include "proxy/control/discovery.hpp"

#include <algorithm>
#include <array>

#include <netdb.h>

#include "config/server_places.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds patroni_timeout{2};

std::vector<std::string> names_in(const config::settings& s, const findings& found) {
  auto names = config::names_to_resolve(s.primary);
  for (const auto& servers : {s.replicas, with_found_servers(s, found)}) {
    for (const auto& each : servers) {
      const auto more = config::names_to_resolve(each);
      names.insert(names.end(), more.begin(), more.end());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The servers that the URL of one replica stands for; none: it is a server itself.
std::vector<config::server_url> expanded(const config::server_url& replica, const findings& found) {
  std::vector<config::server_url> out;
  if (const auto service = config::srv_name(replica); !service.empty()) {
    const auto at = found.services.find(service);
    if (at == found.services.end()) return out;
    for (const auto& target : at->second) {
      auto url = config::at_host(replica, target.host, target.port);
      url.weight = std::clamp(target.weight, 1, 1000);
      url.zone = replica.zone;
      url.role = replica.role;
      out.push_back(std::move(url));
    }
  } else if (config::is_expandable(replica)) {
    for (const auto& address : found.addresses.servers(config::names_to_resolve(replica).front()))
      out.push_back(config::at_address(replica, address));
  }
  return out;
}

}  // namespace

std::vector<std::string> look_up_name(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0)
      continue;
    if (std::find(addresses.begin(), addresses.end(), text.data()) == addresses.end())
      addresses.emplace_back(text.data());
  }
  return addresses;
}

std::vector<config::server_url> with_found_servers(const config::settings& s, const findings& found) {
  std::vector<config::server_url> out;
  const auto is_listed = [&](const config::server_url& url) {
    return std::any_of(out.begin(), out.end(), [&](const auto& each) { return each.name == url.name; });
  };
  const auto add = [&](config::server_url url) {
    if (url.name != s.primary.name && !is_listed(url)) out.push_back(std::move(url));
  };
  for (const auto& replica : s.replicas) {
    auto several = expanded(replica, found);
    if (several.empty() && !is_listed(replica)) out.push_back(replica);
    for (auto& each : several)
      add(std::move(each));
  }
  if (s.patroni.empty()) return out;
  for (const auto& m : found.members) {
    if (m.is_leader || m.takes_reads) add(config::at_host(s.primary, m.host, m.port));
  }
  return out;
}

discovery::discovery(settings_ref settings, listener on_look, health_source is_up)
    : on_look_(std::move(on_look)), is_up_(std::move(is_up)), settings_(std::move(settings)) {}

discovery::~discovery() {
  stop();
}

void discovery::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  told_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void discovery::start(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  thread_ = std::thread([this] { run(); });
  told_.wait_for(lock, patience, [this] { return has_looked_; });
}

void discovery::adopt(settings_ref settings) {
  {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
    is_told_ = true;
  }
  told_.notify_all();
}

std::vector<config::server_url> discovery::replicas(const config::settings& s) const {
  const std::lock_guard lock(mutex_);
  return with_found_servers(s, found_);
}

std::vector<std::string> discovery::addresses(const config::server_url& url) const {
  auto all = config::literal_addresses(url);
  const auto names = config::names_to_resolve(url);
  if (names.empty()) return all;
  const std::lock_guard lock(mutex_);
  for (const auto& name : names) {
    const auto found = found_.addresses.latest(name);
    if (found.empty()) return {};
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

void discovery::run() {
  for (;;) {
    settings_ref s;
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return;
      is_told_ = false;
      s = settings_;
    }
    if (s->discovery_interval.count() > 0) look(*s);
    std::unique_lock lock(mutex_);
    has_looked_ = true;
    told_.notify_all();
    const auto is_over = [this] { return is_stopping_ || is_told_; };
    if (s->discovery_interval.count() > 0) {
      told_.wait_for(lock, s->discovery_interval, is_over);
    } else {
      told_.wait(lock, is_over);
    }
  }
}

void discovery::look(const config::settings& s) {
  look_up_services(s);
  look_up(s);
  if (!s.patroni.empty()) ask_for_members(s);
  {
    const std::lock_guard lock(mutex_);
    has_looked_ = true;
  }
  told_.notify_all();
  on_look_();
}

void discovery::look_up(const config::settings& s) {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    names = names_in(s, found_);
    found_.addresses.keep(names);
  }
  for (const auto& name : names) {
    const auto found = look_up_name(name);
    const auto serves = [&](const std::string& address) { return is_served_at(s, name, address); };
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    found_.addresses.observe(name, found, steady_clock::now(), serves);
  }
}

// An answer names all of a service's servers; none came: what was known stays.
void discovery::look_up_services(const config::settings& s) {
  for (const auto& replica : s.replicas) {
    const auto service = config::srv_name(replica);
    if (service.empty()) continue;
    auto targets = look_up_srv(service);
    const std::lock_guard lock(mutex_);
    if (!targets.empty()) found_.services[service] = std::move(targets);
  }
}

// By the address, or by the name as long as that stands for one server.
bool discovery::is_served_at(const config::settings& s, const std::string& name,
                             const std::string& address) const {
  return std::any_of(s.replicas.begin(), s.replicas.end(), [&](const auto& replica) {
    const auto names = config::names_to_resolve(replica);
    const bool is_it = names.size() == 1 && names.front() == name;
    return is_it && (is_up_(replica.name) || is_up_(config::at_address(replica, address).name));
  });
}

// The first that answers; none: what was known stays, and the servers' own word counts as ever.
void discovery::ask_for_members(const config::settings& s) {
  std::string cause;
  for (const auto& text : s.patroni) {
    const auto url = config::parse_patroni_url(text);
    if (!url) continue;
    const auto answer = ask_patroni(*url, s.patroni_ca_file, patroni_timeout);
    const auto members = answer ? read_cluster(*answer) : std::nullopt;
    if (!members) {
      cause = answer ? "its answer names no members" : answer.error().cause;
      continue;
    }
    if (!patroni_causes_.empty()) log_info("Patroni answers again", {{"url", text}});
    patroni_causes_.clear();
    const std::lock_guard lock(mutex_);
    found_.members = *members;
    return;
  }
  constexpr std::size_t most_causes = 10;
  if (patroni_causes_.size() >= most_causes || !patroni_causes_.insert(cause).second) return;
  log_warn("Patroni does not answer: its members stay as they were known", {{"cause", cause}});
}

}  // namespace pgsteer::proxy
