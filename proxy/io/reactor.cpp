#include "proxy/io/reactor.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/eventfd.h>

namespace pgsteer::proxy {

namespace {

constexpr int batch_size = 256;

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

reactor::reactor()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      events_(batch_size),
      now_(clock::now()) {
  check(epoll_.get(), "epoll_create1");
  check(wake_.get(), "eventfd");
  epoll_event e{};
  e.events = EPOLLIN | EPOLLET;
  e.data.ptr = nullptr;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &e), "epoll_ctl");
}

void reactor::add(int fd, event_handler& handler) {
  epoll_event e{};
  e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  e.data.ptr = &handler;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

void reactor::add_listener(int fd, event_handler& handler) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.ptr = &handler;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

void reactor::remove(int fd) {
  epoll_event e{};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &e);
}

void reactor::soon(event_handler& handler) {
  if (std::find(soon_.begin(), soon_.end(), &handler) == soon_.end()) soon_.push_back(&handler);
}

void reactor::forget(event_handler& handler) {
  for (int i = at_; i < batch_; ++i) {
    auto& e = events_[static_cast<std::size_t>(i)];
    if (e.data.ptr == &handler) e.data.ptr = this;  // a marker that dispatch() skips
  }
  std::erase(soon_, &handler);
  std::replace(soon_running_.begin(), soon_running_.end(), &handler, static_cast<event_handler*>(nullptr));
}

void reactor::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(job));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void reactor::stop() {
  stopping_ = true;
  post([] {});
}

void reactor::run(std::chrono::milliseconds period, const std::function<void()>& sweep) {
  due_ = clock::now() + period;
  while (!stopping_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - now_).count();
    dispatch(soon_.empty() ? static_cast<int>(std::clamp<long>(left, 0, period.count())) : 0);
    run_soon();
    if (now_ >= due_) {
      due_ = now_ + period;  // unless the sweep wants the next one sooner
      sweep();
    }
    graves_.clear();
  }
}

void reactor::dispatch(int timeout_ms) {
  const int n = ::epoll_wait(epoll_.get(), events_.data(), batch_size, timeout_ms);
  now_ = clock::now();
  batch_ = std::max(n, 0);
  bool woken = false;
  for (at_ = 0; at_ < batch_;) {
    const auto& e = events_[static_cast<std::size_t>(at_++)];
    if (e.data.ptr == nullptr) {
      woken = true;
    } else if (e.data.ptr != this) {
      static_cast<event_handler*>(e.data.ptr)->on_events(e.events);
    }
  }
  batch_ = at_ = 0;
  if (woken) run_posted();
}

void reactor::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(posted_);
  }
  for (const auto& job : jobs)
    job();
}

void reactor::run_soon() {
  if (soon_.empty()) return;
  soon_running_.swap(soon_);
  for (std::size_t i = 0; i < soon_running_.size(); ++i) {
    if (auto* handler = soon_running_[i]) handler->on_events(0);
  }
  soon_running_.clear();
}

}  // namespace pgsteer::proxy
