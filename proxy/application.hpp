// The running proxy: control plane and data plane put together, reload and drain.
// Made by main; lives as long as the process serves.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "proxy/admin/admin_server.hpp"
#include "proxy/backend/connector.hpp"
#include "proxy/control/catalog_watch.hpp"
#include "proxy/control/discovery.hpp"
#include "proxy/control/monitor.hpp"
#include "proxy/control/topology_watch.hpp"
#include "proxy/process/big_stack_thread.hpp"
#include "proxy/process/notify.hpp"
#include "proxy/process/signals.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

class application {
 public:
  // Listens on everything; throws where something it was told to use cannot be had.
  application(config::sources sources, config::settings settings, notify_socket notify);
  ~application();
  application(const application&) = delete;
  application& operator=(const application&) = delete;

  // Serves until SIGTERM or SIGINT has drained it. The process's exit status.
  int run();

 private:
  void start_monitors(const config::settings& s);
  [[nodiscard]] server_ref find_or_make(const config::server_url& url, server_role role,
                                        std::vector<server_ref>& old);
  void adopt_servers(const config::settings& s);
  void found_servers();
  [[nodiscard]] std::vector<config::server_url> found_replicas(const config::settings& s) const;
  void note_addresses();
  [[nodiscard]] bool is_up(const std::string& server) const;
  void topology_changed(topology_ref t, const std::vector<server_ref>& moved);
  void tell_worker();
  [[nodiscard]] runtime_config make_runtime(std::shared_ptr<const config::settings> s, topology_ref t) const;
  void on_signal(int number);
  void reload();
  void begin_drain();
  void open_listeners();
  [[nodiscard]] topology_ref servers() const;
  // The primary first.
  [[nodiscard]] std::vector<config::server_url> urls_to_ask() const;
  [[nodiscard]] std::optional<client_list> clients(std::size_t limit) const;

  config::sources sources_;
  notify_socket notify_;
  std::string mock_seed_;
  std::shared_ptr<const config::settings> settings_;
  mutable std::mutex mutex_;
  topology_ref topology_;    // guarded by mutex_
  runtime_config runtime_;   // guarded by mutex_; what the worker was given last
  bool is_settling_ = true;  // guarded by mutex_: monitors are being made, the worker is told after that
  topology_watch watch_;
  std::mutex change_mutex_;                  // of a reload, and of servers that were found
  std::vector<config::server_url> adopted_;  // guarded by change_mutex_: the replicas in force
  std::unique_ptr<discovery> discovery_;
  std::atomic<bool> is_serving_{false};
  std::unique_ptr<catalog_watch> catalogs_;
  std::unique_ptr<user_lookup> users_;
  int server_ids_ = 0;
  std::map<int, std::unique_ptr<monitor>> monitors_;
  std::shared_ptr<worker_board> board_;
  std::unique_ptr<worker> worker_;
  connector connector_;  // its threads post to the worker: they end first
  std::vector<descriptor> listening_;
  std::vector<std::string> socket_files_;
  std::unique_ptr<admin_server> admin_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> stop_now_{false};
  std::unique_ptr<big_stack_thread> thread_;
  std::unique_ptr<signal_listener> signals_;
};

}  // namespace pgsteer::proxy
