// A listening socket of the client port, owned by the application, served by a worker.
// Accepts for it, and turns clients away while descriptors are short.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/io/descriptor.hpp"
#include "proxy/io/reactor.hpp"

namespace pgsteer::proxy {

// Binds and listens; connections of clients get the TCP timeouts of `s`. Throws std::system_error whose text
// names the address.
[[nodiscard]] std::vector<descriptor> listen_on(const config::listen_address& address,
                                                const config::settings& s);

// The file of a unix socket, as PostgreSQL names it.
[[nodiscard]] std::string unix_socket_path(const config::listen_address& address);

class listener final : public event_handler {
 public:
  using acceptor = std::function<void(descriptor, bool is_unix)>;
  listener(reactor& loop, int fd, bool is_unix, acceptor accept);
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  void on_events(std::uint32_t events) override;
  // For good: new connections are refused from now on.
  void stop();

 private:
  void shed_one();

  reactor& loop_;
  int fd_;
  bool is_unix_;
  bool is_stopped_ = false;
  int a_turn_ = 1;      // clients accepted at most before others get their turn
  int full_turns_ = 0;  // in a row
  descriptor reserve_;  // given up for a moment to turn a client away when descriptors run out
  acceptor accept_;
};

}  // namespace pgsteer::proxy
