// A session as lists of clients show it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

std::string peer_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    ::inet_ntop(AF_INET, &v4.sin_addr, host.data(), host.size());
    return fmt::format("{}:{}", host.data(), ntohs(v4.sin_port));
  }
  if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, host.data(), host.size());
    return fmt::format("[{}]:{}", host.data(), ntohs(v6.sin6_port));
  }
  return "unix";
}

std::uint64_t ms_between(clock::time_point from, clock::time_point to) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0));
}

}  // namespace

std::string_view session::state_text() const {
  if (wait_.is_linked()) return "waiting";
  if (phase_ == phase::closing || phase_ == phase::ended) return "closing";
  if (phase_ == phase::tunnelled) return "active";
  if (phase_ != phase::ready) return "login";
  if (flow_ != flow::collecting && flow_ != flow::settling) return "active";
  if (view_.open == routing::block::none) return "idle";
  return view_.failed ? "idle in transaction (aborted)" : "idle in transaction";
}

std::string_view session::application_name() const {
  const auto own = settings_->get("application_name");
  if (!own.empty() || group_ == nullptr) return own;
  const auto at = group_->parameters.find("application_name");
  return at != group_->parameters.end() ? std::string_view(at->second) : own;
}

bool session::is_at_rest() const {
  return phase_ == phase::ready && flow_ == flow::collecting && !holds_backend() && !wait_.is_linked();
}

client_entry session::describe(clock::time_point now) const {
  client_entry e;
  e.id = serial_;
  if (group_ != nullptr) {
    e.user = group_->user;
    e.database = group_->database;
  } else if (console_) {
    e.user = console_->user();
    e.database = console_database;
  } else if (login_) {
    e.user = login_->packet.user;
    e.database = login_->packet.database;
  }
  e.application_name = application_name();
  e.address = peer_of(fd_.get());
  e.state = state_text();
  e.pin = pin_;
  if (wait_.is_linked()) {
    e.wait_ms = ms_between(wait_.since, now);
    e.target = wait_.where != nullptr                ? wait_.where->host()->name()
               : fresh_until_ != clock::time_point{} ? "a replica that is behind"
                                                     : "a replica";
  } else if (tunnel_ != nullptr) {
    e.target = tunnel_->host()->name();
  } else if (backend_ != nullptr) {
    e.target = backend_->home.host()->name();
    if (view_.open != routing::block::none || e.state == "active")
      e.transaction_ms = ms_between(backend_->transaction_since, now);
  }
  return e;
}

}  // namespace pgsteer::proxy
