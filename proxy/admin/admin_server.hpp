// The admin port: HTTP on a listener and a thread of its own, so that it answers however busy the
// workers are. Made at start-up where admin_listen is set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/settings.hpp"
#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

class admin_server {
 public:
  static constexpr std::size_t max_connections = 100;

  // Listens and serves at once. Throws std::runtime_error naming the address where it cannot.
  // Port 0 takes a free one.
  admin_server(const config::listen_address& at, admin_sources sources);
  // Ends at once, requests in progress included.
  ~admin_server();
  admin_server(const admin_server&) = delete;
  admin_server& operator=(const admin_server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace pgsteer::proxy
