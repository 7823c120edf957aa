// The server's side of a replication connection: bytes pass as they are, both ways, and nobody shares it.
// Owned by its session; belongs to the worker.
// https://www.postgresql.org/docs/15/protocol-replication.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/backend/cancel.hpp"
#include "proxy/backend/connector.hpp"
#include "proxy/io/reactor.hpp"
#include "proxy/io/stream.hpp"

namespace pgsteer::proxy {

class session;
class worker;

class tunnel final : public event_handler {
 public:
  // `c` is logged in; `host` is the server it leads to.
  tunnel(worker& w, session& client, server_ref host, connected c);
  ~tunnel();
  tunnel(const tunnel&) = delete;
  tunnel& operator=(const tunnel&) = delete;

  void on_events(std::uint32_t events) override;

  // Sends what can be sent and keeps the rest; false: the connection is broken.
  [[nodiscard]] bool send(std::string_view bytes);
  [[nodiscard]] std::size_t unsent() const { return unsent_.size() - sent_; }
  [[nodiscard]] const server_ref& host() const { return host_; }
  [[nodiscard]] std::int32_t pid() const { return cancels_.pid; }
  [[nodiscard]] const cancel_target& cancels() const { return cancels_; }
  // Before it dies.
  void leave();

 private:
  [[nodiscard]] bool flush();
  void relay();

  worker& worker_;
  session& client_;
  server_ref host_;
  pgconn_ptr connection_;
  stream io_;
  cancel_target cancels_;
  std::string unsent_;
  std::size_t sent_ = 0;
};

}  // namespace pgsteer::proxy
