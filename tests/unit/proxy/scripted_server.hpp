// A peer for monitors and control connections that says what a test wants, and what watches them.
// Each test owns its own; they listen on loopback, on a free port, in a thread that ends with them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/control/monitor.hpp"
#include "proxy/control/wakeup.hpp"
#include "routing/lsn.hpp"

namespace pgsteer::proxy {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::string_literals;

// A loopback TCP socket on a port of its own.
class loopback {
 public:
  loopback() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { bind(0); }
  ~loopback() { close(); }
  loopback(const loopback&) = delete;
  loopback& operator=(const loopback&) = delete;

  void listen() const { EXPECT_EQ(::listen(fd_, 16), 0); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  void bind(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(fd_, generic, size), 0);
    ASSERT_EQ(::getsockname(fd_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }

  int fd_;
  std::uint16_t port_ = 0;
};

inline config::server_url url_of(const loopback& l) {
  return {"host=127.0.0.1 sslmode=disable user=app dbname=app port=" + l.port(), "127.0.0.1:" + l.port(),
          "app", "", "app"};
}

inline std::string message(char type, const std::string& body) {
  const auto size = htonl(static_cast<std::uint32_t>(body.size() + 4));
  std::string m{type};
  m.append(reinterpret_cast<const char*>(&size), 4);
  return m + body;
}

// Just enough of a PostgreSQL server: trusts everybody, answers each probe with 't' or 'f' and its
// positions.
class scripted_server {
 public:
  scripted_server() {
    socket_.listen();
    thread_ = std::jthread{[this] { serve(); }};
  }
  ~scripted_server() { stop_.set(); }

  std::atomic<bool> in_recovery{true};
  std::atomic<bool> is_silent{false};  // reads and never answers
  std::atomic<int> queries{0};
  std::atomic<int> samples{0};
  std::atomic<bool> is_holding_samples{false};  // they are counted and not answered until it ends
  std::atomic<std::uint64_t> lsn{0x100};
  std::atomic<bool> is_restricted{false};
  std::atomic<int> logins{0};
  [[nodiscard]] config::server_url url() const { return url_of(socket_); }
  // Ends the connections that are open.
  void hang_up() { hang_up_.set(); }

 private:
  void serve() {
    std::vector<int> clients;
    for (;;) {
      std::vector<pollfd> fds{{stop_.fd(), POLLIN, 0}, {hang_up_.fd(), POLLIN, 0}, {socket_.fd(), POLLIN, 0}};
      for (const int c : clients)
        fds.push_back({c, POLLIN, 0});
      ::poll(fds.data(), fds.size(), -1);
      if (fds[0].revents != 0) break;
      if (fds[1].revents != 0) {
        for (const int c : clients)
          ::close(c);
        clients.clear();
        hang_up_.clear();
        continue;
      }
      for (std::size_t i = 3; i < fds.size(); ++i) {
        if (fds[i].revents != 0 && !answer(fds[i].fd)) std::erase(clients, fds[i].fd);
      }
      if (fds[2].revents != 0) clients.push_back(::accept(socket_.fd(), nullptr, nullptr));
    }
    for (const int c : clients)
      ::close(c);
  }

  bool answer(int client) {
    std::array<char, 4096> buffer{};
    const auto n = ::recv(client, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      ::close(client);
      return false;
    }
    if (is_silent) return true;
    if (buffer[0] == 'Q')
      return send(client, reply({buffer.data() + 5, static_cast<std::size_t>(n) - 6})), true;
    if (buffer[0] == 0) {
      ++logins;
      send(client, message('R', std::string(4, '\0')) + message('Z', "I"));
    }
    return true;
  }

  std::string reply(std::string_view query) {
    const auto asks = [&](std::string_view word) { return query.find(word) != std::string_view::npos; };
    if (asks("insert_lsn() END") && !asks("walfile")) {
      ++samples;
      while (is_holding_samples)
        std::this_thread::sleep_for(milliseconds{1});
      return row({in_recovery ? "" : routing::format_lsn(lsn)});
    }
    if (is_restricted && asks("pg_control"))
      return message('E', "SERROR\0VERROR\0C42501\0Mpermission denied\0\0"s) + message('Z', "I");
    ++queries;
    const std::string is_standby{in_recovery ? "t" : "f"};
    if (!asks("pg_last_wal_replay_lsn")) return row({is_standby});
    return row(
        {is_standby, in_recovery ? routing::format_lsn(lsn) : "", "", in_recovery ? "" : "00000002", "1"});
  }

  static std::string row(const std::vector<std::string>& values) {
    const auto count = "\0"s + static_cast<char>(values.size());
    auto columns = count;
    auto fields = count;
    for (const auto& value : values) {
      columns += "x\0"s + std::string(6, '\0') + "\0\0\0\x10"s + "\0\1"s + "\xFF\xFF\xFF\xFF"s + "\0\0"s;
      fields += "\0\0\0"s + static_cast<char>(value.size()) + value;
    }
    return message('T', columns) + message('D', fields) + message('C', "SELECT 1\0"s) + message('Z', "I");
  }

  static void send(int fd, const std::string& bytes) { ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  loopback socket_;
  wakeup stop_, hang_up_;
  std::jthread thread_;
};

// Remembers each health the listener was told of; waits for one.
class health_record {
 public:
  monitor::health_listener listener() {
    return [this](const server& s) {
      const std::lock_guard lock{mutex_};
      seen_.push_back(s.health());
      changed_.notify_all();
    };
  }
  // True once `h` is told, counting from the entry after the last one found.
  bool wait_for(server_health h) {
    std::unique_lock lock{mutex_};
    const auto found = [&] {
      for (; next_ < seen_.size(); ++next_) {
        if (seen_[next_] == h) return ++next_, true;
      }
      return false;
    };
    return changed_.wait_until(lock, std::chrono::system_clock::now() + seconds{20}, found);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<server_health> seen_;
  std::size_t next_ = 0;
};

template <class Condition>
bool eventually(Condition condition) {
  for (const auto until = steady_clock::now() + seconds{20}; steady_clock::now() < until;) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds{2});
  }
  return condition();
}

inline config::settings quick() {
  config::settings s;
  s.health_interval = milliseconds{20};
  s.connect_timeout = milliseconds{200};
  s.reconnect_delay = milliseconds{5};
  s.reconnect_delay_max = milliseconds{20};
  s.failed_probe_interval = milliseconds{20};
  return s;
}

inline server_ref replica_of(const config::server_url& url) {
  return std::make_shared<server>(url, server_role::replica, 1);
}

inline config::settings patient() {
  auto s = quick();
  s.health_interval = std::chrono::hours{1};
  s.connect_timeout = seconds{20};
  return s;
}

}  // namespace pgsteer::proxy
