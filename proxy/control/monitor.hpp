// Watches one server on a thread of its own, over a control connection: keeps its health, says in
// the log what happened, and listens to the workers' reports. Made and dropped with the topology.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "config/settings.hpp"
#include "proxy/control/server.hpp"
#include "proxy/control/server_report.hpp"

namespace pgsteer::proxy {

struct monitor_shared;

class monitor {
 public:
  // Called on the monitor's thread each time the server's health has changed; must not block, and
  // must not destroy the monitor.
  using health_listener = std::function<void(const server&)>;

  // Called on the monitor's thread with each word of the server, before its health says that it answered.
  using report_listener = std::function<void(const server&, const server_report&)>;

  // Starts at once. Call before workers see the server: it becomes the server's ear.
  monitor(server_ref watched, const config::settings& settings, health_listener on_change,
          report_listener on_report = {});
  // Ends the thread. Waits for it: at once, unless it is looking up a name.
  ~monitor();
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;

  // Timings of a reloaded configuration, from the next attempt or probe on. Any thread.
  void adopt(const config::settings& settings);
  // Asks the thread to end and does not wait; no listener is called for what happens afterwards.
  void request_stop();

 private:
  std::shared_ptr<monitor_shared> shared_;
  std::jthread thread_;
};

}  // namespace pgsteer::proxy
