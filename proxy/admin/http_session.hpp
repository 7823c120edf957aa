// One HTTP connection to the admin port: reads a request, writes its answer, until either side has
// enough or is too slow. Lives on the admin thread; made by proxy/admin/admin_server.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "proxy/admin/routes.hpp"

namespace pgsteer::proxy {

class http_session : public std::enable_shared_from_this<http_session> {
 public:
  static constexpr std::chrono::seconds timeout{5};  // for each request, and each answer
  static constexpr std::size_t max_header = 8192;
  static constexpr std::size_t max_body = 4096;

  // `open` counts the sessions that live; it outlives them all, as do the sources.
  http_session(boost::asio::ip::tcp::socket socket, const admin_sources& sources, std::size_t& open);
  ~http_session();
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;

  void start() { read(); }

 private:
  using request_parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void read();
  void on_read(boost::beast::error_code error);
  void write(admin_answer answer, unsigned version, bool is_head, bool keep_alive);
  void on_write(boost::beast::error_code error, bool keep_alive);
  [[nodiscard]] admin_answer answer() const;

  boost::beast::tcp_stream stream_;
  const admin_sources& sources_;
  std::size_t& open_;
  boost::beast::flat_buffer buffer_{max_header + max_body};
  std::optional<request_parser> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
};

}  // namespace pgsteer::proxy
