#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <openssl/ssl.h>
#include <poll.h>

#include "config/conninfo.hpp"
#include "proxy/backend/connector.hpp"

namespace pgsteer::proxy {

namespace {

using clock = std::chrono::steady_clock;

// libpq's own trace of the login, in memory: the only way to every ParameterStatus and to the
// cancel key. It holds the password message too, so it is wiped.
class login_trace {
 public:
  explicit login_trace(PGconn* c) : file_(::open_memstream(&text_, &size_)), connection_(c) {
    if (file_ == nullptr) return;
    PQtrace(c, file_);
    PQsetTraceFlags(c, PQTRACE_SUPPRESS_TIMESTAMPS);
  }
  login_trace(const login_trace&) = delete;
  login_trace& operator=(const login_trace&) = delete;
  ~login_trace() {
    end();
    if (text_ == nullptr) return;
    ::explicit_bzero(text_, size_);
    std::free(text_);
  }
  std::string_view text() {
    end();
    return text_ == nullptr ? std::string_view{} : std::string_view(text_, size_);
  }

 private:
  void end() {
    if (file_ == nullptr) return;
    PQuntrace(connection_);
    std::fclose(file_);
    file_ = nullptr;
  }
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
  PGconn* connection_;
};

void read_parameter(std::string_view rest, connected& out) {
  // ` "name" "value"`: names hold no quotes, values may.
  const auto open = rest.find('"');
  const auto middle = rest.find("\" \"", open + 1);
  const auto close = rest.rfind('"');
  if (open == std::string_view::npos || middle == std::string_view::npos || close < middle + 3) return;
  out.parameters[std::string(rest.substr(open + 1, middle - open - 1))] =
      rest.substr(middle + 3, close - middle - 3);
}

void read_key(std::string_view rest, connected& out) {
  int pid = 0;
  int key = 0;
  if (std::sscanf(std::string(rest).c_str(), "%d %d", &pid, &key) != 2) return;
  out.pid = pid;
  const auto k = static_cast<std::uint32_t>(key);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.cancel_key.push_back(static_cast<char>(k >> shift & 0xFF));
}

void read_trace(std::string_view trace, connected& out) {
  while (!trace.empty()) {
    const auto line = trace.substr(0, trace.find('\n'));
    trace.remove_prefix(std::min(trace.size(), line.size() + 1));
    const auto rest_of = [&](std::string_view word) {
      const auto at = line.find(word);
      return at == std::string_view::npos || line.front() != 'B' ? std::string_view{}
                                                                 : line.substr(at + word.size());
    };
    if (const auto rest = rest_of("\tParameterStatus\t"); !rest.empty()) read_parameter(rest, out);
    if (const auto rest = rest_of("\tBackendKeyData\t"); !rest.empty()) read_key(rest, out);
  }
}

bool wait_for_socket(PGconn* c, PostgresPollingStatusType want, clock::time_point deadline,
                     const std::atomic<bool>& stopping) {
  constexpr int slice_ms = 100;
  while (!stopping && clock::now() < deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    pollfd p{PQsocket(c), static_cast<short>(want == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (::poll(&p, 1, static_cast<int>(std::clamp<long>(left, 0, slice_ms))) != 0) return true;
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

// The URL's password is its own user's and nobody else's.
std::string conninfo_of(const connect_request& request) {
  const auto& text = request.server->url().conninfo;
  if (request.login == nullptr) return text;
  auto info = config::conninfo::parse(text);
  if (!info) return text;  // it was parsed when the configuration was loaded
  info->set("user", request.login->user);
  info->remove("password");
  if (!request.login->password.empty()) info->set("password", request.login->password);
  return info->text();
}

// As libpq takes them: seconds, but for the last.
std::array<std::string, 4> tcp_timeouts(const connect_request& request) {
  if (request.settings == nullptr) return {};
  const auto& s = *request.settings;
  const auto seconds = [](std::chrono::milliseconds t) { return std::to_string((t.count() + 999) / 1000); };
  return {seconds(s.tcp_keepalives_idle), seconds(s.tcp_keepalives_interval),
          std::to_string(s.tcp_keepalives_count), std::to_string(s.tcp_user_timeout.count())};
}

pgconn_ptr start(const connect_request& request) {
  auto conninfo = conninfo_of(request);
  const auto timeouts = tcp_timeouts(request);
  const auto& r = request;
  const bool has_options = !r.replication.empty();
  const char* const names[] = {"keepalives_idle",  "keepalives_interval",
                               "keepalives_count", "tcp_user_timeout",
                               "dbname",           "dbname",
                               "gssencmode",       has_options ? "replication" : nullptr,
                               "options",          nullptr};
  const char* const values[] = {timeouts[0].c_str(), timeouts[1].c_str(),
                                timeouts[2].c_str(), timeouts[3].c_str(),
                                conninfo.c_str(),    r.database.c_str(),
                                "disable",           has_options ? r.replication.c_str() : nullptr,
                                r.options.c_str(),   nullptr};
  // The first dbname is expanded as a connection string, which may say otherwise; the second overrides its
  // database.
  pgconn_ptr c(PQconnectStartParams(names, values, 1));
  ::explicit_bzero(conninfo.data(), conninfo.size());
  return c;
}

void ignore_notice(void* /*unused*/, const PGresult* /*unused*/) {}

connected finish(pgconn_ptr c, login_trace& trace) {
  connected out;
  read_trace(trace.text(), out);
  out.tls = static_cast<SSL*>(PQsslStruct(c.get(), "OpenSSL"));
  out.peer_size = sizeof out.peer;
  auto* peer = reinterpret_cast<sockaddr*>(&out.peer);
  if (::getpeername(PQsocket(c.get()), peer, &out.peer_size) != 0) out.peer_size = 0;
  out.connection = std::move(c);
  return out;
}

}  // namespace

connect_result open_backend(const connect_request& request, const std::atomic<bool>& stopping) {
  const auto deadline = clock::now() + request.timeout;
  pgconn_ptr c = start(request);
  if (!c) return connect_failure{"53200", "out of memory"};
  if (PQstatus(c.get()) == CONNECTION_BAD) return to_failure(PQerrorMessage(c.get()));
  PQsetErrorVerbosity(c.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(c.get(), ignore_notice, nullptr);
  login_trace trace(c.get());
  for (auto want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK; want = PQconnectPoll(c.get())) {
    if (want == PGRES_POLLING_FAILED) {
      (void)trace.text();
      return to_failure(PQerrorMessage(c.get()));
    }
    if (!wait_for_socket(c.get(), want, deadline, stopping)) {
      (void)trace.text();
      return connect_failure{{}, "timeout expired"};
    }
  }
  return finish(std::move(c), trace);
}

}  // namespace pgsteer::proxy
