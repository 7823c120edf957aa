// One CancelRequest on its way to the server of a backend or tunnel: a connection of its own that ends when
// the server has passed the request on. While it lives, its backend is not reused, so that a late
// cancel cannot meet somebody else's query.
// https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.10
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sys/socket.h>

#include "proxy/io/descriptor.hpp"
#include "proxy/io/reactor.hpp"

namespace pgsteer::proxy {

// What a CancelRequest needs to know of a server connection.
struct cancel_target {
  std::int32_t pid = 0;
  std::string key;
  sockaddr_storage peer{};
  socklen_t peer_size = 0;
  std::uint64_t backend_id = 0;  // 0: not of a pool
};

class cancel_request final : public event_handler {
 public:
  // Begins at once. `done` is called once, when the server has closed or the request has failed.
  cancel_request(reactor& loop, const cancel_target& at, std::function<void(cancel_request&)> done);
  ~cancel_request();
  cancel_request(const cancel_request&) = delete;
  cancel_request& operator=(const cancel_request&) = delete;

  void on_events(std::uint32_t events) override;
  void give_up() { finish(); }
  [[nodiscard]] std::uint64_t backend_id() const { return backend_id_; }
  [[nodiscard]] clock::time_point begun() const { return begun_; }

 private:
  void finish();

  reactor& loop_;
  std::uint64_t backend_id_;
  clock::time_point begun_;
  descriptor fd_;
  std::string packet_;
  bool is_sent_ = false;
  std::function<void(cancel_request&)> done_;
};

}  // namespace pgsteer::proxy
