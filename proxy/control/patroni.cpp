#include "proxy/control/patroni.hpp"

#include <algorithm>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace pgsteer::proxy {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
namespace json = boost::json;
using boost::system::error_code;

constexpr std::size_t most_bytes = std::size_t{256} << 10;
constexpr std::size_t most_members = 64;
constexpr std::size_t longest_host = 255;

std::string text_of(const json::object& o, std::string_view key) {
  const auto* const v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string{};
}

bool has_tag(const json::object& member, std::string_view tag) {
  const auto* const tags = member.if_contains("tags");
  if (tags == nullptr || !tags->is_object()) return false;
  const auto* const v = tags->get_object().if_contains(tag);
  return v != nullptr && v->is_bool() && v->get_bool();
}

std::optional<cluster_member> read_member(const json::value& v) {
  if (!v.is_object()) return std::nullopt;
  const auto& o = v.get_object();
  const auto* const port = o.if_contains("port");
  const auto host = text_of(o, "host");
  const auto is_plain = [](unsigned char c) { return c > ' ' && c != ',' && c != '/' && c < 0x7F; };
  if (host.empty() || host.size() > longest_host || !std::all_of(host.begin(), host.end(), is_plain))
    return std::nullopt;
  if (port == nullptr || !port->is_int64() || port->get_int64() < 1 || port->get_int64() > 65535)
    return std::nullopt;
  const auto role = text_of(o, "role");
  return cluster_member{host, std::to_string(port->get_int64()), role == "leader" || role == "master",
                        !has_tag(o, "noloadbalance")};
}

// Its certificate must come from these authorities, and be of the host that was asked.
ssl::context trusting(const std::string& ca_file, const std::string& host) {
  ssl::context c{ssl::context::tls_client};
  if (ca_file.empty()) {
    c.set_default_verify_paths();
  } else {
    c.load_verify_file(ca_file);
  }
  c.set_verify_mode(ssl::verify_peer);
  c.set_verify_callback(ssl::host_name_verification(host));
  return c;
}

// RFC 6066, 3: names only. What OpenSSL calls SSL_set_tlsext_host_name(), a macro.
void name_host(SSL* of, std::string host) {
  error_code is_no_address;
  (void)asio::ip::make_address(host, is_no_address);
  if (is_no_address) SSL_ctrl(of, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
}

// One request, step by step; every step ends the run where it fails.
class question {
 public:
  question(const config::patroni_url& url, const std::string& ca_file, std::chrono::milliseconds timeout)
      : url_(url), resolver_(context_), stream_(context_) {
    stream_.expires_after(timeout);
    parser_.body_limit(most_bytes);
    request_.set(http::field::host, url.host + ":" + url.port);
    request_.set(http::field::user_agent, "pgsteer");
    request_.set(http::field::connection, "close");
    if (!url.is_tls) return;
    trust_.emplace(trusting(ca_file, url.host));
    secure_.emplace(stream_, *trust_);
    name_host(secure_->native_handle(), url.host);
  }

  boost::system::result<std::string, patroni_failure> run(std::chrono::milliseconds timeout) {
    resolver_.async_resolve(url_.host, url_.port, [this](error_code e, const auto& found) {
      if (is_fine(e)) connect(found);
    });
    context_.run_for(timeout);
    if (!is_done_) return patroni_failure{error_ ? error_.message() : "timeout expired"};
    if (parser_.get().result() != http::status::ok)
      return patroni_failure{fmt::format("it answers {}", parser_.get().result_int())};
    return {boost::system::in_place_value, parser_.get().body()};
  }

 private:
  bool is_fine(error_code e) {
    error_ = e;
    return !e;
  }

  void connect(const asio::ip::tcp::resolver::results_type& found) {
    stream_.async_connect(found, [this](error_code e, const auto&) {
      if (!is_fine(e)) return;
      if (!secure_) return ask(stream_);
      secure_->async_handshake(ssl::stream_base::client, [this](error_code failed) {
        if (is_fine(failed)) ask(*secure_);
      });
    });
  }

  template <typename Stream>
  void ask(Stream& to) {
    http::async_write(to, request_, [this, &to](error_code failed, std::size_t) {
      if (is_fine(failed)) read(to);
    });
  }

  template <typename Stream>
  void read(Stream& from) {
    http::async_read(from, buffer_, parser_, [this](error_code e, std::size_t) {
      // Patroni ends its answer by closing, with TLS without a farewell. What is cut off is no whole JSON.
      if (e == ssl::error::stream_truncated && parser_.is_header_done()) parser_.put_eof(e);
      is_done_ = is_fine(e);
    });
  }

  const config::patroni_url& url_;
  asio::io_context context_;
  asio::ip::tcp::resolver resolver_;
  beast::tcp_stream stream_;
  std::optional<ssl::context> trust_;
  std::optional<ssl::stream<beast::tcp_stream&>> secure_;  // with https: over stream_
  http::request<http::empty_body> request_{http::verb::get, url_.target, 11};
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_{most_bytes};
  error_code error_;
  bool is_done_ = false;
};

}  // namespace

std::optional<std::vector<cluster_member>> read_cluster(std::string_view text) {
  error_code wrong;
  const auto v = json::parse(text, wrong);
  if (wrong || !v.is_object()) return std::nullopt;
  const auto* const members = v.get_object().if_contains("members");
  if (members == nullptr || !members->is_array()) return std::nullopt;
  std::vector<cluster_member> found;
  for (const auto& each : members->get_array()) {
    if (auto m = read_member(each); m && found.size() < most_members) found.push_back(*std::move(m));
  }
  if (found.empty()) return std::nullopt;
  return found;
}

boost::system::result<std::string, patroni_failure> ask_patroni(const config::patroni_url& url,
                                                                const std::string& ca_file,
                                                                std::chrono::milliseconds timeout) {
  try {
    return question(url, ca_file, timeout).run(timeout);
  } catch (const std::exception& e) {
    return patroni_failure{e.what()};
  }
}

}  // namespace pgsteer::proxy
