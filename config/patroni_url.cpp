#include "config/patroni_url.hpp"

#include <boost/url.hpp>

namespace pgsteer::config {
namespace {

constexpr const char* form = "write http://host:8008 or https://host:8008";
constexpr const char* usual_port = "8008";

}  // namespace

parsed<patroni_url> parse_patroni_url(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url || url->host().empty()) return complaint{"is not a URL", form};
  const bool is_tls = url->scheme() == "https";
  if (!is_tls && url->scheme() != "http") return complaint{"is not an http or https URL", form};
  if (url->has_userinfo() || url->has_query() || url->has_fragment()) {
    return complaint{"holds more than host, port and path", form};
  }
  const std::string path(url->encoded_path());
  const bool has_port = url->has_port() && !url->port().empty();
  return patroni_url{url->host_address(), has_port ? std::string(url->port()) : usual_port,
                     path.empty() || path == "/" ? "/cluster" : path, is_tls};
}

}  // namespace pgsteer::config
