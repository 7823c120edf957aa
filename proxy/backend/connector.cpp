#include "proxy/backend/connector.hpp"

namespace pgsteer::proxy {

connector::connector(int threads) {
  for (int i = 0; i < threads; ++i)
    threads_.emplace_back([this] { work(); });
}

connector::~connector() {
  stop();
}

void connector::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  ready_.notify_all();
  for (auto& t : threads_) {
    if (t.joinable()) t.join();
  }
}

void connector::connect(connect_request request, callback done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(request), std::move(done)});
  }
  ready_.notify_one();
}

void connector::work() {
  for (;;) {
    job next;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    next.done(open_backend(next.request, stopping_));
  }
}

}  // namespace pgsteer::proxy
