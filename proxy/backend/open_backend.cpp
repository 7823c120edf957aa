#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "proxy/backend/libpq_start.hpp"
#include "proxy/control/pinned.hpp"

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

// The URL's password is its own user's and nobody else's.
config::conninfo conninfo_of(const backend_login& login, config::conninfo info) {
  info.set("user", login.user);
  info.remove("password");
  if (!login.password.empty()) info.set("password", login.password);
  return info;
}

connected finish(pgconn_ptr c, login_trace& trace) {
  connected out;
  read_trace(trace.text(), out);
  describe_peer(c.get(), out);
  out.connection = std::move(c);
  return out;
}

connect_result open_with_libpq(const connect_request& request, std::string conninfo,
                               const std::atomic<bool>& stopping) {
  const auto deadline = clock::now() + request.timeout;
  pgconn_ptr c = start_libpq(request, std::move(conninfo));
  if (!c) return connect_failure{"53200", "out of memory"};
  if (PQstatus(c.get()) == CONNECTION_BAD) return to_failure(PQerrorMessage(c.get()));
  login_trace trace(c.get());
  for (auto want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK; want = PQconnectPoll(c.get())) {
    if (want == PGRES_POLLING_FAILED) {
      (void)trace.text();
      return to_failure(PQerrorMessage(c.get()));
    }
    if (!wait_for_socket(PQsocket(c.get()), want, deadline, stopping)) {
      (void)trace.text();
      return connect_failure{{}, "timeout expired"};
    }
  }
  return finish(std::move(c), trace);
}

}  // namespace

connect_result open_backend(const connect_request& request, const std::atomic<bool>& stopping) {
  const auto text = pinned_url(*request.server).conninfo;
  if (request.login == nullptr) return open_with_libpq(request, text, stopping);
  const auto given = config::conninfo::parse(text);
  if (!given) return connect_failure{{}, "invalid connection string"};
  const auto info = conninfo_of(*request.login, *given);
  if (request.login->password.empty()) return open_with_keys(request, info, stopping);
  return open_with_libpq(request, info.text(), stopping);
}

}  // namespace pgsteer::proxy
