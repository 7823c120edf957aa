#include "proxy/backend/libpq_start.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <poll.h>

#include "proxy/io/await_events.hpp"

namespace pgsteer::proxy {

namespace {

// As libpq takes them: seconds, but for the last.
std::array<std::string, 4> tcp_timeouts(const connect_request& request) {
  if (request.settings == nullptr) return {};
  const auto& s = *request.settings;
  const auto seconds = [](std::chrono::milliseconds t) { return std::to_string((t.count() + 999) / 1000); };
  return {seconds(s.tcp_keepalives_idle), seconds(s.tcp_keepalives_interval),
          std::to_string(s.tcp_keepalives_count), std::to_string(s.tcp_user_timeout.count())};
}

void ignore_notice(void* /*unused*/, const PGresult* /*unused*/) {}

}  // namespace

pgconn_ptr start_libpq(const connect_request& r, std::string conninfo) {
  const auto timeouts = tcp_timeouts(r);
  // libpq passes over what has an empty value.
  const char* const names[] = {
      "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname",
      "dbname",          "gssencmode",          "options",          "replication",      nullptr};
  const char* const values[] = {
      timeouts[0].c_str(), timeouts[1].c_str(), timeouts[2].c_str(), timeouts[3].c_str(),   conninfo.c_str(),
      r.database.c_str(),  "disable",           r.options.c_str(),   r.replication.c_str(), nullptr};
  // The first dbname is expanded as a connection string, which may say otherwise; the second overrides its
  // database.
  pgconn_ptr c(PQconnectStartParams(names, values, 1));
  ::explicit_bzero(conninfo.data(), conninfo.size());
  if (!c) return c;
  PQsetErrorVerbosity(c.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(c.get(), ignore_notice, nullptr);
  return c;
}

bool wait_for_socket(int fd, PostgresPollingStatusType want, connect_deadline until,
                     const std::atomic<bool>& stopping) {
  constexpr std::chrono::milliseconds slice{100};
  const short events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  while (!stopping) {
    const auto end = std::min(until, connect_deadline::clock::now() + slice);
    const auto seen = await_events(fd, events, end, -1);
    if (seen != awaited::late) return true;  // libpq tells what has failed
    if (end == until) return false;
  }
  return false;
}

// With verbose errors libpq writes `FATAL:  28P01: password authentication failed ...`.
connect_failure to_failure(std::string_view text) {
  connect_failure f;
  for (const std::string_view mark : {"FATAL:  ", "ERROR:  "}) {
    const auto at = text.find(mark);
    if (at == std::string_view::npos || text.size() < at + mark.size() + 7 ||
        text[at + mark.size() + 5] != ':')
      continue;
    f.sqlstate = text.substr(at + mark.size(), 5);
    const auto rest = text.substr(at + mark.size() + 7);
    f.message = rest.substr(0, rest.find('\n'));
    return f;
  }
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  f.message = text;
  std::replace(f.message.begin(), f.message.end(), '\n', ' ');
  return f;
}

void describe_peer(PGconn* c, connected& out) {
  const auto text = [](const char* s) { return std::string{s == nullptr ? "" : s}; };
  out.place = {text(PQhost(c)), text(PQhostaddr(c)), text(PQport(c))};
  out.tls = static_cast<SSL*>(PQsslStruct(c, "OpenSSL"));
  out.peer_size = sizeof out.peer;
  auto* peer = reinterpret_cast<sockaddr*>(&out.peer);
  if (::getpeername(PQsocket(c), peer, &out.peer_size) != 0) out.peer_size = 0;
}

}  // namespace pgsteer::proxy
