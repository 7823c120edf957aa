// Finds servers beside the configured ones, and keeps what was found up to date: the addresses of names, and
// the members that Patroni knows. On a thread of its own, since look-ups block. Owned by application.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/address_book.hpp"
#include "proxy/control/patroni.hpp"
#include "proxy/control/srv.hpp"

namespace pgsteer::proxy {

struct findings {
  address_book addresses;
  std::map<std::string, std::vector<srv_target>> services;  // by the name of their SRV records
  std::vector<cluster_member> members;                      // Patroni's last answer
};

class discovery {
 public:
  using settings_ref = std::shared_ptr<const config::settings>;
  // Called on its thread after each look, without a lock: replicas() and addresses() may give others.
  using listener = std::function<void()>;
  // Whether a server of that name is up.
  using health_source = std::function<bool(const std::string& server)>;

  discovery(settings_ref settings, listener on_look, health_source is_up);
  // Ends the thread. Waits for it: at once, unless it is looking up a name.
  ~discovery();
  discovery(const discovery&) = delete;
  discovery& operator=(const discovery&) = delete;

  // Begins to look. What is found within the time is there when this returns.
  void start(std::chrono::milliseconds patience);
  // Ends the thread: before anything that its listener uses is destroyed. Waits, as the destructor does.
  void stop();
  // A reloaded configuration: looked at soon.
  void adopt(settings_ref settings);

  // The configured replicas, those of several addresses as so many servers, and Patroni's other members.
  [[nodiscard]] std::vector<config::server_url> replicas(const config::settings& s) const;
  // What the hosts of a server stand for now; empty where not all of it is known.
  [[nodiscard]] std::vector<std::string> addresses(const config::server_url& url) const;

 private:
  void run();
  void look(const config::settings& s);
  void look_up(const config::settings& s);
  void look_up_services(const config::settings& s);
  void ask_for_members(const config::settings& s);
  [[nodiscard]] bool is_served_at(const config::settings& s, const std::string& name,
                                  const std::string& address) const;

  listener on_look_;
  health_source is_up_;
  mutable std::mutex mutex_;
  std::condition_variable told_;
  settings_ref settings_;                 // guarded by mutex_
  findings found_;                        // guarded by mutex_
  bool is_told_ = false;                  // guarded by mutex_
  bool is_stopping_ = false;              // guarded by mutex_
  bool has_looked_ = false;               // guarded by mutex_
  std::set<std::string> patroni_causes_;  // why it does not answer, each told once; of the thread alone
  std::thread thread_;
};

// Addresses of a name as getnameinfo writes them, in the system's order; none where it cannot be looked up.
[[nodiscard]] std::vector<std::string> look_up_name(const std::string& name);

// The configured replicas and what was found, each server once.
[[nodiscard]] std::vector<config::server_url> with_found_servers(const config::settings& s,
                                                                 const findings& found);

}  // namespace pgsteer::proxy
