#include "proxy/admin/admin_server.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pgsteer::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A client as plain as can be: what it sends is what the server gets.
class http_client {
 public:
  explicit http_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~http_client() { ::close(fd_); }
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  void send(const std::string& bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // All bytes up to the end of the connection.
  std::string receive_all() const {
    std::string all;
    while (receive_some(all)) {
    }
    return all;
  }
  // Bytes until `mark` has come.
  std::string receive_until(const std::string& mark) const {
    std::string all;
    while (all.find(mark) == std::string::npos && receive_some(all)) {
    }
    return all;
  }
  std::string exchange(const std::string& request) const {
    send(request);
    return receive_all();
  }

 private:
  bool receive_some(std::string& all) const {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, 20'000) != 1) return ADD_FAILURE() << "no answer", false;
    std::array<char, 4096> buffer{};
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n > 0) all.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0;
  }
  int fd_;
};

class admin : public testing::Test {
 protected:
  admin() {
    auto t = std::make_shared<topology>();
    t->primary =
        std::make_shared<server>(config::server_url{"", "db1:5432", "", "", ""}, server_role::primary, 1);
    topology_ = t;
    server_ = std::make_unique<admin_server>(config::listen_address{"127.0.0.1", 0}, sources());
  }
  admin_sources sources() {
    admin_sources s;
    s.topology = [this] { return topology_; };
    s.boards = [this] { return std::vector{board_}; };
    s.draining = [this] { return draining_.load(); };
    s.version = "0.1.0";
    return s;
  }
  [[nodiscard]] std::string get(const std::string& target, const std::string& method = "GET") const {
    return http_client{server_->port()}.exchange(method + " " + target +
                                                 " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  topology_ref topology_;
  std::shared_ptr<worker_board> board_ = std::make_shared<worker_board>();
  std::atomic<bool> draining_{false};
  std::unique_ptr<admin_server> server_;
};

TEST_F(admin, health_follows_the_monitor) {
  auto answer = get("/health");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  topology_->primary->set_health(server_health::up);
  answer = get("/health");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(
      answer,
      EndsWith("\r\n\r\n"
               R"({"status":"healthy","version":"0.1.0","db_primary":"connected","db_replica":null})"));
}

TEST_F(admin, readiness_ends_with_the_drain) {
  topology_->primary->set_health(server_health::up);
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  draining_ = true;
  const auto answer = get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, EndsWith("draining\n"));
}

TEST_F(admin, head_gets_the_header_alone) {
  const auto answer = get("/livez", "HEAD");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(admin, refuses_what_it_does_not_have) {
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/nothing"), EndsWith(R"({"error":"no such endpoint; GET / lists them"})"));
  const auto post = get("/health", "POST");
  EXPECT_THAT(post, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(post, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(admin, serves_several_requests_on_one_connection) {
  const http_client client{server_->port()};
  for (int i = 0; i < 3; ++i) {
    client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.receive_until("ok\n"), StartsWith("HTTP/1.1 200 "));
  }
  client.send(
      "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nHEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), HasSubstr("ok\nHTTP/1.1 200 "));
}

TEST_F(admin, speaks_the_oldest_dialect_in_use) {
  EXPECT_THAT(http_client{server_->port()}.exchange("GET /livez HTTP/1.0\r\n\r\n"), EndsWith("ok\n"));
}

TEST_F(admin, survives_nonsense) {
  EXPECT_THAT(http_client{server_->port()}.exchange("\x16\x03\x01 not http\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(http_client{server_->port()}.exchange("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(http_client{server_->port()}.exchange("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  { const http_client gone{server_->port()}; }
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(admin, ends_a_connection_that_says_nothing) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(http_client{server_->port()}.exchange("GET / HT"), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds{4});
}

TEST_F(admin, bounds_its_connections_and_recovers) {
  {
    std::vector<std::unique_ptr<http_client>> clients;
    for (std::size_t i = 0; i < admin_server::max_connections; ++i) {
      clients.push_back(std::make_unique<http_client>(server_->port()));
      clients.back()->send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
      ASSERT_THAT(clients.back()->receive_until("ok\n"), EndsWith("ok\n")) << i;
    }
    EXPECT_EQ(http_client{server_->port()}.receive_all(), "") << "closed unheard";
  }
  // The server sees each close in its own time.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200 ") && std::chrono::steady_clock::now() < until)
    answer = get("/livez");
  EXPECT_THAT(answer, EndsWith("ok\n"));
}

TEST_F(admin, answers_while_others_change_what_it_reads) {
  std::jthread worker{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      board_->metrics.clients.add();
      board_->metrics.wait_us.observe(17);
      const std::lock_guard lock{board_->mutex};
      board_->pins["LISTEN"] += 1;
      topology_->primary->set_last_error("x");
      topology_->primary->report_failure();
      topology_->primary->failure_reported = false;
    }
  }};
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(get("/metrics"), HasSubstr("\npgsteer_clients "));
    EXPECT_THAT(get("/status"), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(admin, a_source_that_throws_is_an_internal_error) {
  auto broken = sources();
  broken.boards = []() -> std::vector<std::shared_ptr<worker_board>> { throw std::runtime_error{"boom"}; };
  const admin_server other{config::listen_address{"127.0.0.1", 0}, broken};
  const auto answer =
      http_client{other.port()}.exchange("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("boom")));
}

TEST_F(admin, names_an_address_it_cannot_have) {
  try {
    const admin_server second{config::listen_address{"127.0.0.1", server_->port()}, sources()};
    FAIL() << "the port is taken";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string{e.what()}, "cannot listen for admin requests on 127.0.0.1:" +
                                         std::to_string(server_->port()) + ": Address already in use");
  }
  EXPECT_THROW((admin_server{config::listen_address{"/run/pgsteer", 6433}, sources()}), std::runtime_error);
}

TEST_F(admin, listens_everywhere_when_told) {
  const admin_server everywhere{config::listen_address{"*", 0}, sources()};
  EXPECT_THAT(http_client{everywhere.port()}.exchange("GET /livez HTTP/1.0\r\n\r\n"), EndsWith("ok\n"));
}

}  // namespace
}  // namespace pgsteer::proxy
