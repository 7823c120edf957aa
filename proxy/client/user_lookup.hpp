// Asks a server about users that the configuration does not list (auth_query): one thread with one control
// connection, beside the data path, and an answer is believed for a while. Owned by the application; workers
// ask.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.hpp"
#include "proxy/client/identity.hpp"
#include "proxy/control/control_connection.hpp"
#include "proxy/control/wakeup.hpp"

namespace pgsteer::proxy {

struct user_answer {
  identity_ref who;   // null: there is no such user, or nobody could be asked
  std::string cause;  // why nobody could be asked; empty: somebody was
};

class user_lookup {
 public:
  // `servers` says whom to ask now, the next where one is away.
  using server_source = std::function<std::vector<config::server_url>()>;
  using callback = std::function<void(user_answer)>;

  user_lookup(server_source servers, std::string mock_seed);
  ~user_lookup();
  user_lookup(const user_lookup&) = delete;
  user_lookup& operator=(const user_lookup&) = delete;

  // Any thread. From now on by these settings; what was known is forgotten.
  void adopt(std::shared_ptr<const config::settings> s);
  // Any thread. Nothing: it is asked, and `done` is called on this one's thread.
  [[nodiscard]] std::optional<user_answer> find(const std::string& user, callback done);
  // A password did not fit what is known of the user: the next login asks again, unless that was just now.
  void doubt(const std::string& user);
  // Any thread. Passwords may have changed: what is known is asked again.
  void forget();

 private:
  using clock = std::chrono::steady_clock;
  struct known {
    identity_ref who;
    clock::time_point read;
  };

  struct moment {
    std::shared_ptr<const config::settings> settings;
    std::uint64_t forgotten = ~std::uint64_t{0};
  };

  void run();
  void answer(const std::string& user, const user_answer& a, std::uint64_t asked);  // see forgotten_
  [[nodiscard]] moment now();
  user_answer ask(const std::string& user, const config::settings& by);
  control_connection::result<identity_ref> ask_server(const config::server_url& url, const std::string& user,
                                                      const config::settings& by);

  server_source servers_;
  std::string mock_seed_;
  wakeup stop_;
  std::optional<control_connection> connection_;  // of the thread alone, as is the next
  config::server_url connected_to_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool is_stopping_ = false;     // guarded by mutex_, as all that follows
  std::uint64_t forgotten_ = 0;  // how often: what was asked before is no answer any more
  std::shared_ptr<const config::settings> settings_;
  std::deque<std::string> queue_;
  std::map<std::string, std::vector<callback>, std::less<>> waiting_;
  std::map<std::string, known, std::less<>> known_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace pgsteer::proxy
