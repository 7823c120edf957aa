#include "proxy/client/user_lookup.hpp"

#include <utility>

#include "config/conninfo.hpp"
#include "proxy/client/valid_until.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

constexpr auto ask_timeout = std::chrono::seconds(5);
constexpr auto unknown_time = std::chrono::seconds(1);  // so long nobody asks again for a user that is none
constexpr std::size_t most_known = 10000;
constexpr std::size_t most_waiting = 1000;

// Names mean what they say, whatever the role's own search_path; times are read back as written.
constexpr const char* prologue =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false), "
    "pg_catalog.set_config('TimeZone', 'UTC', false), pg_catalog.set_config('DateStyle', 'ISO', false), "
    "pg_catalog.set_config('default_transaction_read_only', 'on', false)";

// As whom and where auth_query is asked.
config::server_url asking_url(config::server_url url, const config::settings& by) {
  auto info = config::conninfo::parse(url.conninfo);
  if (!info) return url;
  if (!by.auth_query_database.empty()) info->set("dbname", by.auth_query_database);
  for (const auto& user : by.users) {
    if (user.name != by.auth_query_user || user.name == by.primary.user) continue;
    info->set("user", user.name);
    info->set("password", user.secret);
    url.user = user.name;
  }
  url.conninfo = info->text();
  return url;
}

}  // namespace

user_lookup::user_lookup(server_source servers, std::string mock_seed)
    : servers_(std::move(servers)), mock_seed_(std::move(mock_seed)), thread_([this] { run(); }) {}

user_lookup::~user_lookup() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.set();
  told_.notify_all();
  thread_.join();
}

void user_lookup::adopt(std::shared_ptr<const config::settings> s) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(s);
  known_.clear();
  ++forgotten_;
}

std::optional<user_answer> user_lookup::find(const std::string& user, callback done) {
  const std::lock_guard lock(mutex_);
  const auto at = known_.find(user);
  if (at != known_.end()) {
    const auto age = clock::now() - at->second.read;
    const clock::duration most = at->second.who ? clock::duration(settings_->auth_cache_time) : unknown_time;
    if (age < most) return user_answer{at->second.who, {}};
  }
  if (waiting_.size() >= most_waiting) return user_answer{nullptr, "too many users are being looked up"};
  auto& who_wait = waiting_[user];
  if (who_wait.empty()) queue_.push_back(user);
  who_wait.push_back(std::move(done));
  told_.notify_all();
  return std::nullopt;
}

void user_lookup::doubt(const std::string& user) {
  const std::lock_guard lock(mutex_);
  const auto at = known_.find(user);
  if (at != known_.end() && clock::now() - at->second.read > unknown_time) known_.erase(at);
}

void user_lookup::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
  ++forgotten_;
}

user_lookup::moment user_lookup::now() {
  const std::lock_guard lock(mutex_);
  return {settings_, forgotten_};
}

void user_lookup::run() {
  for (;;) {
    std::string user;
    {
      std::unique_lock lock(mutex_);
      told_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (is_stopping_) return;
      user = std::move(queue_.front());
      queue_.pop_front();
    }
    // Somebody who asks since a password changed waits for the same answer.
    constexpr int most_tries = 3;
    user_answer a;
    moment asked;
    for (int n = 0; n < most_tries && now().forgotten != asked.forgotten; ++n) {
      asked = now();
      a = ask(user, *asked.settings);
    }
    answer(user, a, asked.forgotten);
  }
}

void user_lookup::answer(const std::string& user, const user_answer& a, std::uint64_t asked) {
  std::vector<callback> all;
  {
    const std::lock_guard lock(mutex_);
    const auto at = waiting_.find(user);
    if (at == waiting_.end()) return;
    all = std::move(at->second);
    waiting_.erase(at);
    if (known_.size() >= most_known) known_.clear();
    if (a.cause.empty() && asked == forgotten_) known_[user] = {a.who, clock::now()};
  }
  for (const auto& done : all)
    done(a);
}

user_answer user_lookup::ask(const std::string& user, const config::settings& by) {
  std::string cause = "no server is configured";
  for (const auto& url : servers_()) {
    // A connection that has been idle may have died: once more with a new one.
    const bool was_connected = connection_.has_value();
    auto found = ask_server(url, user, by);
    if (!found && found.error().sqlstate.empty() && was_connected) found = ask_server(url, user, by);
    if (found) return {*std::move(found), {}};
    cause = found.error().cause;
    log_warn("User not looked up", {{"user", user}, {"server", url.name}, {"cause", cause}});
    if (!found.error().sqlstate.empty()) break;  // it would say the same elsewhere
  }
  return {nullptr, cause};
}

control_connection::result<identity_ref> user_lookup::ask_server(const config::server_url& url,
                                                                 const std::string& user,
                                                                 const config::settings& by) {
  const auto until = clock::now() + ask_timeout;
  const auto wanted = asking_url(url, by);
  if (!connection_ || !(connected_to_ == wanted)) {
    connection_.reset();
    auto opened = control_connection::open(wanted, {}, until, stop_.fd());
    if (!opened) return opened.error();
    connection_ = *std::move(opened);
    connected_to_ = wanted;
    if (auto begun = connection_->ask(prologue, until, stop_.fd()); !begun) {
      connection_.reset();
      return begun.error();
    }
  }
  identity_ref out;
  const auto see = [&](std::span<const std::optional<std::string_view>> row) {
    if (out || row.size() < 2 || !row[0] || *row[0] != user || !row[1]) return;
    auto made = make_identity(user, std::string(*row[1]), mock_seed_);
    if (row.size() > 2 && row[2]) made.valid_until = read_valid_until(*row[2]);
    out = std::make_shared<identity>(std::move(made));
  };
  const char* const parameter = user.c_str();
  auto failed = connection_->each_row(by.auth_query.c_str(), see, until, stop_.fd(), {&parameter, 1});
  if (failed && failed->sqlstate.empty()) connection_.reset();
  if (failed) return *std::move(failed);
  return out;
}

}  // namespace pgsteer::proxy
