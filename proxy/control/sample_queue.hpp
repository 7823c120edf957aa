// Requests for the primary's insert position that wait for the next query, from any thread to its
// monitor. Part of control/server; bounded, and closed while no answer can be had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace pgsteer::proxy {

struct sample_request {
  std::uint64_t seq;
  std::function<void(std::uint64_t seq, std::uint64_t lsn)> done;
};

class sample_queue {
 public:
  static constexpr std::size_t most = 4096;

  enum class outcome : std::uint8_t { first, queued, refused };
  // `request` is left alone where it is refused.
  outcome push(sample_request& request);
  // All that wait; what is pushed from now on is for a later query.
  [[nodiscard]] std::vector<sample_request> take();
  void open();
  // Refuses from now on; what waits is for the caller to answer.
  [[nodiscard]] std::vector<sample_request> close();

 private:
  std::mutex mutex_;
  bool is_open_ = false;
  std::vector<sample_request> waiting_;
};

}  // namespace pgsteer::proxy
