// The signals an operator sends, taken off every thread and handed to a callback one by one on a
// thread that may do anything: no signal handlers. Used by main.
#pragma once

#include <functional>
#include <thread>

#include "proxy/control/wakeup.hpp"

namespace pgsteer::proxy {

// Blocks SIGHUP, SIGTERM and SIGINT for this thread and all it starts from now on, and ignores
// SIGPIPE. To be called first thing in main, before any thread exists.
void block_signals();

class signal_listener {
 public:
  // `on_signal` gets the number, on the listener's thread, in order of arrival.
  explicit signal_listener(std::function<void(int)> on_signal);
  ~signal_listener();
  signal_listener(const signal_listener&) = delete;
  signal_listener& operator=(const signal_listener&) = delete;

 private:
  void run() const;

  std::function<void(int)> on_signal_;
  wakeup stopping_;
  int fd_;
  std::jthread thread_;
};

}  // namespace pgsteer::proxy
