#include "proxy/control/sample_queue.hpp"

#include <utility>

namespace pgsteer::proxy {

sample_queue::outcome sample_queue::push(sample_request& request) {
  const std::lock_guard lock{mutex_};
  if (!is_open_ || waiting_.size() >= most) return outcome::refused;
  waiting_.push_back(std::move(request));
  return waiting_.size() == 1 ? outcome::first : outcome::queued;
}

std::vector<sample_request> sample_queue::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(waiting_, {});
}

void sample_queue::open() {
  const std::lock_guard lock{mutex_};
  is_open_ = true;
}

std::vector<sample_request> sample_queue::close() {
  const std::lock_guard lock{mutex_};
  is_open_ = false;
  return std::exchange(waiting_, {});
}

}  // namespace pgsteer::proxy
