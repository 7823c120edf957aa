#include "proxy/admin/admin_server.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "proxy/admin/http_session.hpp"
#include "proxy/log.hpp"
#include "proxy/process/big_stack_thread.hpp"
#include "routing/classifier.hpp"

namespace pgsteer::proxy {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string text_of(const config::listen_address& at) {
  const bool is_v6 = at.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", at.host, is_v6 ? "]" : "", at.port);
}

[[noreturn]] void refuse(const config::listen_address& at, const std::string& cause) {
  throw std::runtime_error{fmt::format("cannot listen for admin requests on {}: {}", text_of(at), cause)};
}

error_code listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  const auto failed = [&] { return error.failed(); };
  acceptor.open(endpoint.protocol(), error);
  if (!failed()) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  // Where the whole machine is meant, IPv4 comes in by the same socket.
  const bool is_any_v6 = endpoint.address().is_v6() && endpoint.address().is_unspecified();
  if (!failed() && is_any_v6) acceptor.set_option(asio::ip::v6_only{false}, error);
  if (!failed()) acceptor.bind(endpoint, error);
  if (!failed()) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (failed()) {
    error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

void open_acceptor(tcp::acceptor& acceptor, const config::listen_address& at) {
  if (at.is_unix()) refuse(at, "the admin port speaks TCP only");
  if (at.host == "*" || at.host.empty()) {
    if (!listen_on(acceptor, {tcp::v6(), at.port})) return;
    if (const auto error = listen_on(acceptor, {tcp::v4(), at.port})) refuse(at, error.message());
    return;
  }
  error_code error;
  tcp::resolver resolver{acceptor.get_executor()};
  const auto found = resolver.resolve(at.host, std::to_string(at.port), tcp::resolver::passive, error);
  if (error) refuse(at, error.message());
  for (const auto& entry : found) {
    error = listen_on(acceptor, entry.endpoint());
    if (!error) return;
  }
  refuse(at, error.message());
}

}  // namespace

class admin_server::impl {
 public:
  impl(const config::listen_address& at, admin_sources sources) : sources_(std::move(sources)) {
    open_acceptor(acceptor_, at);
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::make_unique<big_stack_thread>(routing::parse_stack_bytes, [this] { run(); });
  }
  ~impl() {
    context_.stop();
    thread_.reset();
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run() {
    while (!context_.stopped()) {
      try {
        context_.run();
      } catch (const std::exception& e) {
        log_error("Admin server stumbled", {{"cause", e.what()}});
      }
    }
  }

  void accept() {
    acceptor_.async_accept(
        [this](error_code error, tcp::socket socket) { on_accept(error, std::move(socket)); });
  }

  void on_accept(error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return accept_later();
    // Beyond the limit the connection is closed by leaving this scope.
    if (open_ < max_connections) std::make_shared<http_session>(std::move(socket), sources_, open_)->start();
    accept();
  }

  // Out of descriptors, most likely: asking again at once would spin.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([this](error_code error) {
      if (!error) accept();
    });
  }

  admin_sources sources_;
  std::size_t open_ = 0;  // admin thread only
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer pause_{context_};
  std::uint16_t port_ = 0;
  std::unique_ptr<big_stack_thread> thread_;  // /routes reads statements
};

admin_server::admin_server(const config::listen_address& at, admin_sources sources)
    : impl_(std::make_unique<impl>(at, std::move(sources))) {}

admin_server::~admin_server() = default;

std::uint16_t admin_server::port() const {
  return impl_->port();
}

}  // namespace pgsteer::proxy
