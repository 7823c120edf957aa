#include "proxy/admin/http_session.hpp"

#include <exception>
#include <string_view>
#include <utility>

#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view view(beast::string_view s) {
  return {s.data(), s.size()};
}

// What to tell a peer whose request could not be read; nullopt where there is nobody to tell.
std::optional<admin_answer> complaint(beast::error_code error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() != http::make_error_code(http::error::bad_method).category()) return std::nullopt;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return admin_error(431, "request header too large");
  }
  if (error == http::error::body_limit) return admin_error(413, "request body too large");
  return admin_error(400, "not an HTTP request");
}

}  // namespace

http_session::http_session(boost::asio::ip::tcp::socket socket, const admin_sources& sources,
                           std::size_t& open)
    : stream_(std::move(socket)), sources_(sources), open_(open) {
  ++open_;
}

http_session::~http_session() {
  --open_;
}

void http_session::read() {
  parser_.emplace();
  parser_->header_limit(max_header);
  parser_->body_limit(max_body);
  stream_.expires_after(timeout);
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
}

void http_session::on_read(beast::error_code error) {
  if (error) {
    if (auto answer = complaint(error)) write(*std::move(answer), 11, false, false);
    return;
  }
  const auto& request = parser_->get();
  write(answer(), request.version(), request.method() == http::verb::head, request.keep_alive());
}

admin_answer http_session::answer() const {
  const auto& request = parser_->get();
  try {
    return answer_admin_request(view(request.method_string()), view(request.target()), sources_);
  } catch (const std::exception& e) {
    log_error("Admin request failed", {{"cause", e.what()}});
    return admin_error(500, "internal error");
  }
}

void http_session::write(admin_answer answer, unsigned version, bool is_head, bool keep_alive) {
  response_ = {};
  response_.version(version);
  response_.result(answer.status);
  response_.set(http::field::server, "pgsteer");
  response_.set(http::field::content_type,
                beast::string_view{answer.content_type.data(), answer.content_type.size()});
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (answer.status == 405) response_.set(http::field::allow, "GET, HEAD");
  response_.keep_alive(keep_alive);
  response_.content_length(answer.body.size());
  if (!is_head) response_.body() = std::move(answer.body);
  stream_.expires_after(timeout);
  http::async_write(stream_, response_,
                    [self = shared_from_this(), keep_alive](beast::error_code error, std::size_t) {
                      self->on_write(error, keep_alive);
                    });
}

void http_session::on_write(beast::error_code error, bool keep_alive) {
  if (error) return;
  if (keep_alive) return read();
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
}

}  // namespace pgsteer::proxy
