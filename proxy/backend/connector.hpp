// Opens backend connections with libpq on threads of its own (name look-up and SCRAM block), and
// hands them over logged in. Workers ask; the answer is called on a connector thread.
// https://www.postgresql.org/docs/15/libpq-connect.html
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <libpq-fe.h>
#include <openssl/types.h>
#include <sys/socket.h>

#include "proxy/backend/backend_login.hpp"
#include "proxy/control/server.hpp"

namespace pgsteer::proxy {

struct pgconn_deleter {
  void operator()(PGconn* c) const { PQfinish(c); }
};
using pgconn_ptr = std::unique_ptr<PGconn, pgconn_deleter>;

struct connect_request {
  server_ref server;
  std::string database;
  std::chrono::milliseconds timeout{5000};
  backend_login_ref login = nullptr;                           // null: the URL's own user
  std::shared_ptr<const config::settings> settings = nullptr;  // for its TCP timeouts; null: the system's
  std::string replication{};                                   // as the startup packet says it; empty: none
  std::string options{};                                       // as libpq takes them, in place of the URL's
};

struct connected {
  pgconn_ptr connection;
  SSL* tls = nullptr;  // libpq's
  std::int32_t pid = 0;
  std::string cancel_key;
  std::map<std::string, std::string, std::less<>> parameters;  // every ParameterStatus of the login
  sockaddr_storage peer{};
  socklen_t peer_size = 0;
  connection_place place;
  bool says_goodbye = false;  // we logged in, not libpq: PQfinish sends no Terminate
};

struct connect_failure {
  std::string sqlstate;  // the server's, or empty where no server answered
  std::string message;   // one line, without secrets
};

using connect_result = std::variant<connected, connect_failure>;

class connector {
 public:
  using callback = std::function<void(connect_result)>;

  explicit connector(int threads);
  ~connector();
  connector(const connector&) = delete;
  connector& operator=(const connector&) = delete;

  // Ends the threads: to be called before anything that a callback uses is destroyed. Requests not
  // begun are dropped uncalled, those in progress fail soon.
  void stop();

  // Any thread.
  void connect(connect_request request, callback done);

 private:
  struct job {
    connect_request request;
    callback done;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<job> jobs_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

// One connection, on the calling thread, which it blocks up to the timeout or until `stopping`.
[[nodiscard]] connect_result open_backend(const connect_request& request, const std::atomic<bool>& stopping);

}  // namespace pgsteer::proxy
