// One epoll loop: readiness in, calls out. Owned by a worker thread; everything but post() and
// stop() belongs to that thread. Descriptors are registered once, edge-triggered.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <sys/epoll.h>

#include "proxy/io/descriptor.hpp"

namespace pgsteer::proxy {

using clock = std::chrono::steady_clock;

class event_handler {
 public:
  // `events` as epoll_wait gives them. Also called with 0 when the handler asked for it with soon().
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~event_handler() = default;
};

class reactor {
 public:
  reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  // Edge-triggered for reading and writing until remove() or the descriptor is closed.
  void add(int fd, event_handler& handler);
  // Level-triggered for reading: listeners, whose accept loop may stop early.
  void add_listener(int fd, event_handler& handler);
  void remove(int fd);

  // Calls handler.on_events(0) after the current batch of events. Once, however often asked.
  void soon(event_handler& handler);
  // The handler is about to die: no event of the current batch reaches it any more.
  void forget(event_handler& handler);
  // Keeps a dying object until the current batch of events is over.
  template <class T>
  void bury(std::unique_ptr<T> object) {
    graves_.emplace_back(object.release(), [](void* p) { delete static_cast<T*>(p); });
  }

  // Any thread.
  void post(std::function<void()> job);
  void stop();

  // The next sweep comes no later than that. Its own thread only.
  void sweep_by(clock::time_point when) { due_ = std::min(due_, when); }

  // Runs until stop(); calls `sweep` at least every `period`.
  void run(std::chrono::milliseconds period, const std::function<void()>& sweep);

  // The time at which the current batch of events began.
  [[nodiscard]] clock::time_point now() const { return now_; }

 private:
  void run_posted();
  void run_soon();
  void dispatch(int timeout_ms);

  descriptor epoll_;
  descriptor wake_;
  std::vector<epoll_event> events_;
  int batch_ = 0;
  int at_ = 0;
  std::vector<event_handler*> soon_;
  std::vector<event_handler*> soon_running_;
  std::vector<std::unique_ptr<void, void (*)(void*)>> graves_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> stopping_{false};
  clock::time_point now_;
  clock::time_point due_;  // the next sweep
};

}  // namespace pgsteer::proxy
