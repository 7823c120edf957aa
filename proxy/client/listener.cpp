#include "proxy/client/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "proxy/log.hpp"

namespace pgsteer::proxy {

namespace {

constexpr int backlog = 1024;
constexpr int most_a_turn = 64;
constexpr int patience = 4;  // turns that took all they might, until the next takes more

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

[[noreturn]] void fail(const std::string& where) {
  throw std::system_error(errno, std::generic_category(), "cannot listen on " + where);
}

descriptor listen_unix(const config::listen_address& a) {
  const auto path = unix_socket_path(a);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("cannot listen on " + path + ": the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), raw, sizeof address) == 0) {
    errno = EADDRINUSE;
    fail(path);
  }
  ::unlink(path.c_str());  // left behind by a process that is gone
  descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open() || ::bind(fd.get(), raw, sizeof address) != 0 || ::listen(fd.get(), backlog) != 0)
    fail(path);
  return fd;
}

// Linux gives what is set here to every connection that is accepted: no call for each of them.
void set_for_clients(int fd, const config::settings& s) {
  const auto seconds = [](std::chrono::milliseconds t) { return static_cast<int>((t.count() + 999) / 1000); };
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(s.tcp_keepalives_idle));
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(s.tcp_keepalives_interval));
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, s.tcp_keepalives_count);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(s.tcp_user_timeout.count()));
}

descriptor listen_tcp(const addrinfo& a, const std::string& where) {
  descriptor fd(::socket(a.ai_family, a.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a.ai_protocol));
  if (!fd.is_open()) fail(where);
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (a.ai_family == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd.get(), a.ai_addr, a.ai_addrlen) != 0 || ::listen(fd.get(), backlog) != 0) fail(where);
  return fd;
}

}  // namespace

std::string unix_socket_path(const config::listen_address& a) {
  return fmt::format("{}/.s.PGSQL.{}", a.host, a.port);
}

std::vector<descriptor> listen_on(const config::listen_address& a, const config::settings& s) {
  std::vector<descriptor> out;
  if (a.is_unix()) {
    out.push_back(listen_unix(a));
    return out;
  }
  const auto where = fmt::format("{}:{}", a.host, a.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const char* host = a.host == "*" ? nullptr : a.host.c_str();
  const int error = ::getaddrinfo(host, std::to_string(a.port).c_str(), &hints, &found);
  if (error != 0)
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", where, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next)
    set_for_clients(out.emplace_back(listen_tcp(*at, where)).get(), s);
  return out;
}

listener::listener(reactor& loop, int fd, bool is_unix, acceptor accept)
    : loop_(loop),
      fd_(fd),
      is_unix_(is_unix),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      accept_(std::move(accept)) {
  loop_.add_listener(fd_, *this);
}

listener::~listener() {
  stop();
  loop_.forget(*this);
}

void listener::stop() {
  if (is_stopped_) return;
  is_stopped_ = true;
  loop_.remove(fd_);
  ::shutdown(fd_, SHUT_RDWR);  // connections are refused at once instead of waiting in the backlog
}

// Most clients come alone: no call is spent on finding that there is no other. In a rush the turns grow.
void listener::on_events(std::uint32_t /*events*/) {
  for (int i = 0; i < a_turn_ && !is_stopped_; ++i) {
    descriptor client(::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client.is_open()) {
      if (errno == EMFILE || errno == ENFILE) shed_one();
      a_turn_ = std::max(i, 1);
      full_turns_ = 0;
      return;
    }
    accept_(std::move(client), is_unix_);
  }
  if (++full_turns_ % patience == 0) a_turn_ = std::min(a_turn_ * 2, most_a_turn);
}

void listener::shed_one() {
  reserve_.reset();
  const descriptor refused(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  log_warn("Out of file descriptors, a client was turned away");
  reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace pgsteer::proxy
