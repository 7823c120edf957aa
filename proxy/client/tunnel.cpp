#include "proxy/client/tunnel.hpp"

#include <utility>

#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr int reads_per_turn = 8;  // then others have a turn

}  // namespace

tunnel::tunnel(worker& w, session& client, server_ref host, connected c)
    : worker_(w),
      client_(client),
      host_(std::move(host)),
      connection_(std::move(c.connection)),
      io_(PQsocket(connection_.get()), c.tls),
      cancels_{c.pid, std::move(c.cancel_key), c.peer, c.peer_size} {
  worker_.loop.add(io_.fd(), *this);
  worker_.loop.soon(*this);
}

tunnel::~tunnel() = default;

void tunnel::leave() {
  worker_.loop.remove(io_.fd());
  worker_.loop.forget(*this);
}

void tunnel::on_events(std::uint32_t /*events*/) {
  if (unsent() > 0) {
    if (!flush()) return client_.on_tunnel_closed();
    if (unsent() == 0) client_.on_tunnel_writable();
  }
  relay();
}

void tunnel::relay() {
  for (int turn = 0; turn < reads_per_turn; ++turn) {
    if (!client_.takes_tunnel_bytes()) return;  // it comes back when the client has read
    const auto r = io_.read(worker_.buffer);
    if (r.status == io_status::would_block) return;
    if (r.status == io_status::closed) return client_.on_tunnel_closed();
    client_.on_tunnel_bytes({worker_.buffer.data(), r.size});
  }
  worker_.loop.soon(*this);
}

bool tunnel::send(std::string_view bytes) {
  unsent_.append(bytes);
  return flush();
}

bool tunnel::flush() {
  while (unsent() > 0) {
    const iovec one{unsent_.data() + sent_, unsent()};
    const auto r = io_.write({&one, 1});
    if (r.status == io_status::closed) return false;
    if (r.status == io_status::would_block) return true;
    sent_ += r.size;
  }
  unsent_.clear();
  sent_ = 0;
  return true;
}

}  // namespace pgsteer::proxy
