#include "proxy/control/monitor.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <future>
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

#include "proxy/control/control_connection.hpp"
#include "proxy/control/lsn.hpp"
#include "proxy/control/wakeup.hpp"

namespace pgsteer::proxy {
namespace {

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

config::server_url url_of(const loopback& l) {
  return {"host=127.0.0.1 sslmode=disable user=app dbname=app port=" + l.port(), "127.0.0.1:" + l.port(),
          "app", "", "app"};
}

std::string message(char type, const std::string& body) {
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
      return row({in_recovery ? "" : format_lsn(lsn)});
    }
    if (is_restricted && asks("pg_control"))
      return message('E', "SERROR\0VERROR\0C42501\0Mpermission denied\0\0"s) + message('Z', "I");
    ++queries;
    const std::string is_standby{in_recovery ? "t" : "f"};
    if (!asks("pg_last_wal_replay_lsn")) return row({is_standby});
    return row({is_standby, in_recovery ? format_lsn(lsn) : "", in_recovery ? "" : "00000002", "1"});
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

config::settings quick() {
  config::settings s;
  s.health_interval = milliseconds{20};
  s.connect_timeout = milliseconds{200};
  s.reconnect_delay = milliseconds{5};
  s.reconnect_delay_max = milliseconds{20};
  s.failed_probe_interval = milliseconds{20};
  return s;
}

server_ref replica_of(const config::server_url& url) {
  return std::make_shared<server>(url, server_role::replica, 1);
}

TEST(control_connection, says_why_it_was_refused) {
  const loopback closed;
  const wakeup stop;
  auto c = control_connection::open(url_of(closed), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "connection refused");
}

TEST(control_connection, does_not_hang_on_a_server_that_does) {
  const loopback hanging;
  hanging.listen();
  const wakeup stop;
  const auto begin = steady_clock::now();
  auto c = control_connection::open(url_of(hanging), {}, begin + milliseconds{100}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "timeout expired");
  EXPECT_GE(steady_clock::now() - begin, milliseconds{100});
}

TEST(control_connection, stops_when_told) {
  const loopback hanging;
  hanging.listen();
  const wakeup stop;
  stop.set();
  auto c = control_connection::open(url_of(hanging), {}, steady_clock::now() + seconds{600}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "stopped");
}

TEST(control_connection, asks_and_times_out) {
  scripted_server peer;
  const wakeup stop;
  auto c = control_connection::open(peer.url(), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(c) << c.error().cause;
  const auto answer = c->ask("SELECT 1", steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(answer) << answer.error().cause;
  EXPECT_EQ(*answer, "t");
  peer.is_silent = true;
  const auto none = c->ask("SELECT 1", steady_clock::now() + milliseconds{50}, stop.fd());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().cause, "timeout expired");
}

TEST(monitor, finds_a_server_up_and_probes_it) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  EXPECT_TRUE(s->in_recovery);
  const int before = peer.queries;
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 3; }));
  EXPECT_EQ(peer.logins, 1);
  peer.in_recovery = false;
  EXPECT_TRUE(eventually([&] { return s->counters.role_mismatches == 1 && !s->in_recovery; }));
}

TEST(monitor, a_refusing_server_is_retried_and_then_failed) {
  loopback closed;
  const auto s = replica_of(url_of(closed));
  health_record record;
  const monitor m{s, quick(), record.listener()};
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::failed));
  EXPECT_GE(s->counters.connect_failures, 5U);
  EXPECT_EQ(s->counters.losses, 1U);
  EXPECT_EQ(s->last_error(), "connection refused");
  closed.listen();  // comes alive, and hangs
  EXPECT_TRUE(eventually([&] { return s->last_error() == "timeout expired"; }));
}

TEST(monitor, a_hung_server_is_noticed_and_taken_back) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  peer.is_silent = true;
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  peer.is_silent = false;
  EXPECT_TRUE(record.wait_for(server_health::up));
}

TEST(monitor, a_connection_that_ends_is_noticed_without_waiting_for_the_probe) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto slow = quick();
  slow.health_interval = std::chrono::hours{1};
  const monitor m{s, slow, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  peer.hang_up();
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 2);
}

TEST(monitor, a_report_is_checked_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto slow = quick();
  slow.health_interval = std::chrono::hours{1};
  const monitor m{s, slow, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  s->report_failure();
  EXPECT_TRUE(record.wait_for(server_health::retrying));
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 1);
  s->report_failure();
  EXPECT_TRUE(record.wait_for(server_health::up));
  EXPECT_EQ(peer.logins, 2) << "the second complaint in a second is checked by a login";
}

TEST(monitor, wanting_a_failed_server_tries_it_now) {
  loopback closed;
  const auto s = replica_of(url_of(closed));
  health_record record;
  auto settings = quick();
  settings.reconnect_attempts = 1;
  settings.reconnect_delay = settings.reconnect_delay_max = std::chrono::hours{1};
  const monitor m{s, settings, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::failed));
  EXPECT_EQ(s->counters.connect_failures, 1U);
  const auto begin = steady_clock::now();
  s->want();
  EXPECT_TRUE(eventually([&] { return s->counters.connect_failures == 2; }));
  EXPECT_GE(steady_clock::now() - begin, milliseconds{800}) << "at most once a second";
}

TEST(control_connection, goes_on_after_a_refused_query) {
  scripted_server peer;
  peer.is_restricted = true;
  const wakeup stop;
  auto c = control_connection::open(peer.url(), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(c) << c.error().cause;
  const auto refused = c->ask("SELECT pg_control_system()", steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate, "42501");
  EXPECT_TRUE(c->ask("SELECT 1", steady_clock::now() + seconds{20}, stop.fd()));
}

// Requests one and waits for it.
std::uint64_t sample(server& s) {
  const auto answer = std::make_shared<std::promise<std::uint64_t>>();
  s.request_sample(1, [answer](std::uint64_t, std::uint64_t lsn) { answer->set_value(lsn); });
  auto f = answer->get_future();
  return f.wait_for(seconds{20}) == std::future_status::ready ? f.get() : ~std::uint64_t{0};
}

config::settings patient() {
  auto s = quick();
  s.health_interval = std::chrono::hours{1};
  s.connect_timeout = seconds{20};
  return s;
}

TEST(monitor_positions, a_replicas_position_comes_with_each_probe_and_goes_with_its_connection) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, quick(), nullptr};
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  EXPECT_EQ(s->timeline, 1U);
  peer.lsn = 0x200;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x200; }));
  peer.is_silent = true;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0; }));
  peer.lsn = 0x150;
  peer.is_silent = false;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x150; })) << "it came back behind";
}

TEST(monitor_positions, a_role_that_may_not_read_the_control_file_still_has_positions) {
  scripted_server peer;
  peer.is_restricted = true;
  const auto s = replica_of(peer.url());
  const monitor m{s, quick(), nullptr};
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  EXPECT_EQ(peer.logins, 1);
}

TEST(monitor_positions, a_watched_replica_is_asked_until_it_is_there) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  const int before = peer.queries;
  s->watch(0x300);
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 5; }));
  peer.lsn = 0x300;
  EXPECT_TRUE(eventually([&] { return s->replayed_lsn == 0x300 && s->watched_lsn() == 0; }));
  const int after = peer.queries;
  std::this_thread::sleep_for(milliseconds{120});
  EXPECT_EQ(peer.queries, after) << "nobody waits any more";
}

TEST(monitor_positions, a_watched_replica_that_is_promoted_is_known_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->replayed_lsn == 0x100; }));
  s->watch(0x300);
  peer.in_recovery = false;
  EXPECT_TRUE(eventually([&] { return !s->in_recovery && s->timeline == 2U; }));
  EXPECT_EQ(s->replayed_lsn, 0U);
}

TEST(monitor, reports_before_its_server_is_up_and_after_a_hint) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  std::mutex mutex;
  std::vector<server_report> reports;
  std::vector<server_health> healths;
  const monitor m{s, patient(), nullptr, [&](const server& from, const server_report& r) {
                    const std::lock_guard lock{mutex};
                    reports.push_back(r);
                    healths.push_back(from.health());
                  }};
  const auto count = [&] {
    const std::lock_guard lock{mutex};
    return reports.size();
  };
  ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
  EXPECT_EQ(count(), 1U);
  peer.in_recovery = false;
  s->hint_promoted();
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  EXPECT_EQ(healths[0], server_health::unknown);
  EXPECT_TRUE(reports[0].in_recovery);
  EXPECT_FALSE(reports[1].in_recovery);
  EXPECT_EQ(reports[1].timeline, 2U);
}

TEST(monitor_samples, a_stop_while_one_is_under_way_and_a_probe_is_due_asks_no_more) {
  scripted_server peer;
  peer.in_recovery = false;
  auto settings = quick();
  settings.health_interval = milliseconds{1};
  const auto s = std::make_shared<server>(peer.url(), server_role::primary, 1);
  {
    const monitor m{s, settings, nullptr};
    ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
    peer.is_holding_samples = true;
    EXPECT_TRUE(eventually([&] {  // refused while a slow machine has lost the connection
      s->request_sample(1, [](std::uint64_t, std::uint64_t) {});
      return peer.samples > 0;
    }));
    std::this_thread::sleep_for(milliseconds{5});  // the next probe is due
  }
  peer.is_holding_samples = false;
}

TEST(monitor_samples, those_made_while_one_is_under_way_share_the_next) {
  scripted_server peer;
  peer.in_recovery = false;
  const auto s = std::make_shared<server>(peer.url(), server_role::primary, 1);
  const monitor m{s, patient(), nullptr};
  ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
  EXPECT_EQ(peer.samples, 0) << "a quiet system sends none";
  EXPECT_EQ(s->timeline, 2U);
  peer.is_holding_samples = true;
  std::atomic<int> answered{0};
  const auto count = [&](std::uint64_t, std::uint64_t lsn) { answered += lsn == 0x100 ? 1 : 100; };
  s->request_sample(1, count);
  ASSERT_TRUE(eventually([&] { return peer.samples == 1; }));
  for (std::uint64_t seq = 2; seq <= 10; ++seq)
    s->request_sample(seq, count);
  peer.is_holding_samples = false;
  EXPECT_TRUE(eventually([&] { return answered == 10; }));
  EXPECT_EQ(peer.samples, 2) << "one for the first, one for all that came after it was sent";
}

TEST(monitor_samples, there_is_none_of_a_standby_or_of_a_server_that_is_gone) {
  scripted_server peer;
  auto s = replica_of(peer.url());
  {
    auto settings = patient();
    settings.health_interval = seconds{2};
    const monitor m{s, settings, nullptr};
    ASSERT_TRUE(eventually([&] { return s->health() == server_health::up; }));
    EXPECT_EQ(sample(*s), 0U);
    EXPECT_EQ(peer.logins, 1);
    peer.is_silent = true;
    EXPECT_EQ(sample(*s), 0U) << "when the query has timed out";
    EXPECT_NE(s->health(), server_health::failed);
  }
  EXPECT_EQ(sample(*s), 0U) << "nobody watches it";
}

TEST(monitor, other_settings_are_adopted_while_it_runs) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  auto settings = quick();
  settings.health_interval = milliseconds{500};
  monitor m{s, settings, record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  m.adopt(quick());
  const int before = peer.queries;
  EXPECT_TRUE(eventually([&] { return peer.queries > before + 10; }));
}

TEST(monitor, ends_at_once_while_its_server_hangs) {
  const loopback hanging;
  hanging.listen();
  auto settings = quick();
  settings.connect_timeout = std::chrono::hours{1};
  const auto s = replica_of(url_of(hanging));
  const auto begin = steady_clock::now();
  { const monitor m{s, settings, nullptr}; }
  EXPECT_LT(steady_clock::now() - begin, seconds{10});
  s->report_failure();  // nobody listens any more, nothing breaks
  s->want();
}

TEST(monitor, many_workers_may_report_at_once) {
  scripted_server peer;
  const auto s = replica_of(peer.url());
  health_record record;
  const monitor m{s, quick(), record.listener()};
  ASSERT_TRUE(record.wait_for(server_health::up));
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          s->report_failure();
          s->want();
          std::this_thread::yield();
        }
      });
    }
  }
  EXPECT_TRUE(eventually([&] { return s->health() == server_health::up && !s->failure_reported; }));
}

}  // namespace
}  // namespace pgsteer::proxy
