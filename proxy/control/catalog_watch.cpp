#include "proxy/control/catalog_watch.hpp"

#include <optional>
#include <utility>

#include "proxy/control/catalog_loader.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::steady_clock;

constexpr auto read_timeout = std::chrono::seconds(30);
constexpr auto between_reads = std::chrono::milliseconds(500);
constexpr auto slow_timer = std::chrono::seconds(60);
constexpr auto after_failure = std::chrono::seconds(5);
constexpr auto after_first_failure = std::chrono::milliseconds(500);  // reads wait for it, on the primary
constexpr std::size_t max_databases = 100;                            // a thread and a connection each

// libpq takes the last value of a keyword.
config::server_url with_database(config::server_url url, const std::string& database) {
  std::string quoted;
  for (const char c : database) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  url.conninfo += " dbname='" + quoted + "'";
  url.database = database;
  return url;
}

}  // namespace

struct catalog_watch::watched {
  std::string database;
  std::uint64_t requests = 0;  // guarded by the watch's mutex, as the next three
  std::uint64_t answered = 0;
  bool is_to_rest = false;
  catalog_ref known;
  std::string last_cause;
  config::server_url from;
  std::optional<catalog_loader> loader;
  std::thread thread;
};

catalog_watch::catalog_watch(primary_source primary, publisher publish)
    : primary_(std::move(primary)), publish_(std::move(publish)) {}

catalog_watch::~catalog_watch() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.set();
  told_.notify_all();
  for (auto& [name, one] : all_)
    one->thread.join();
}

catalog_watch::reading catalog_watch::want(const std::string& database) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return {};
  if (const auto found = all_.find(database); found != all_.end())
    return {found->second->known, found->second->answered};
  if (all_.size() >= max_databases) return {};
  auto& one = *all_.emplace(database, std::make_unique<watched>()).first->second;
  one.database = database;
  one.thread = std::thread([this, &one] { watch(one); });
  return {};
}

std::uint64_t catalog_watch::reload(const std::string& database) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(database);
  if (found == all_.end()) return 0;
  told_.notify_all();
  return ++found->second->requests;
}

void catalog_watch::rest_elsewhere(const std::string& database) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, one] : all_)
    one->is_to_rest = name != database;
  told_.notify_all();
}

// Told while it reads, it reads again: what it was told of may have come too late for its snapshot.
void catalog_watch::watch(watched& one) {
  auto not_before = steady_clock::now();
  auto next = not_before;
  for (;;) {
    std::uint64_t request = 0;
    {
      std::unique_lock lock(mutex_);
      const auto stops = [&] { return is_stopping_; };
      if (told_.wait_until(lock, not_before, stops)) return;
      const auto is_told = [&] { return is_stopping_ || one.is_to_rest || one.requests > one.answered; };
      told_.wait_until(lock, next, is_told);
      if (is_stopping_) return;
      if (std::exchange(one.is_to_rest, false)) {
        one.loader.reset();
        continue;
      }
      request = one.requests;
    }
    auto read = this->read(one);
    const steady_clock::duration pause = one.known == nullptr ? after_first_failure : after_failure;
    not_before = steady_clock::now() + (read == nullptr ? pause : between_reads);
    next = steady_clock::now() + (read == nullptr ? pause : slow_timer);
    if (read == nullptr) continue;
    const std::lock_guard lock(mutex_);
    one.known = std::move(read);
    one.answered = request;
    publish_(one.database, one.known, request);
  }
}

catalog_ref catalog_watch::read(watched& one) {
  auto url = with_database(primary_(), one.database);
  if (!one.loader || !(url == one.from)) {
    one.from = url;
    one.loader.emplace(std::move(url));
  }
  const auto began = steady_clock::now();
  auto loaded = one.loader->load(began + read_timeout, stop_.fd());
  if (!loaded) {
    report(one, loaded.error().cause);
    return nullptr;
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
  if (one.known == nullptr || !one.last_cause.empty()) {
    log_info("Catalog read", {{"database", one.database},
                              {"objects", std::to_string((*loaded)->size())},
                              {"bytes", std::to_string((*loaded)->bytes())},
                              {"duration_ms", std::to_string(took.count())}});
  }
  one.last_cause.clear();
  return *std::move(loaded);
}

// Once for a cause that stays.
void catalog_watch::report(watched& one, const std::string& cause) {
  if (cause == "stopped" || cause == one.last_cause) return;
  one.last_cause = cause;
  log_warn("Catalog not read: what names relations or functions of the database goes to the primary",
           {{"database", one.database}, {"cause", cause}});
}

}  // namespace pgsteer::proxy
