#include "proxy/control/conninfo.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/conninfo.hpp"
#include "config/server_places.hpp"

namespace pgsteer::proxy {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// The last line that is not advice: of several hosts tried, the last one's failure.
std::string_view last_failure(std::string_view message) {
  std::string_view last;
  while (!message.empty()) {
    const auto end = std::min(message.find('\n'), message.size());
    const auto line = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    const bool is_advice = line.empty() || line.front() == '\t' || line.starts_with("HINT:") ||
                           line.starts_with("DETAIL:") || trim(line).empty();
    // What the server said before it closed explains more than that it did.
    const bool is_echo = !last.empty() && line.starts_with("server closed the connection");
    if (!is_advice && !is_echo) last = line;
  }
  return trim(last);
}

void strip_until(std::string_view& text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at != std::string_view::npos) text.remove_prefix(at + mark.size());
}

// libpq repeats parts of the conninfo where it cannot parse it, and a password may be among them.
bool quotes_conninfo(std::string_view message) {
  return contains(message, "connection info string") || contains(message, "connection option") ||
         contains(message, "URI");
}

}  // namespace

connection_ptr start_connection(const config::server_url& url, const connect_options& options) {
  const auto user_timeout = fmt::format("{}", options.tcp_user_timeout.count());
  // libpq keeps the last value of a keyword, and expands dbname where it stands. Encrypting with
  // GSSAPI hides the socket's bytes from us, and asking for it costs a round trip.
  const std::array<const char*, 8> keywords{
      "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
      "tcp_user_timeout",          "dbname",          "gssencmode",          nullptr};
  const std::array<const char*, 8> values{
      "pgsteer", "30", "10", "3", user_timeout.c_str(), url.conninfo.c_str(), "disable", nullptr};
  return connection_ptr{PQconnectStartParams(keywords.data(), values.data(), 1)};
}

std::optional<config::server_url> of_a_primary(const config::server_url& url,
                                               const std::vector<std::string>& addresses) {
  const auto names = config::names_to_resolve(url);
  const bool has_one_host = host_count(url) == 1;
  if (has_one_host && (addresses.size() < 2 || names.size() != 1)) return std::nullopt;
  auto info = config::conninfo::parse(url.conninfo);
  if (!info) return std::nullopt;
  const auto attributes = info->get("target_session_attrs");
  const bool is_said = !attributes.empty() && attributes != "any";
  // libpq takes a look at one address of each name only.
  if (has_one_host) {
    info->set("host", fmt::format("{}", fmt::join(std::vector(addresses.size(), names.front()), ",")));
    info->set("hostaddr", fmt::format("{}", fmt::join(addresses, ",")));
  }
  if (!is_said) info->set("target_session_attrs", "primary");
  auto chosen = url;
  chosen.conninfo = info->text();
  chosen.name = has_one_host ? fmt::format("{}", fmt::join(addresses, ",")) : url.name;
  return chosen;
}

int host_count(const config::server_url& url) {
  return 1 + static_cast<int>(std::count(url.name.begin(), url.name.end(), ','));
}

std::string short_cause(std::string_view libpq_message) {
  if (quotes_conninfo(libpq_message)) return "invalid connection string";
  auto text = last_failure(libpq_message);
  if (text.starts_with("connection to server")) strip_until(text, " failed:");
  text = trim(text);
  if (text.starts_with("FATAL:")) text = trim(text.substr(6));
  if (text.starts_with("ERROR:")) text = trim(text.substr(6));
  if (text.empty()) return "unknown error";
  std::string cause{text};
  const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  const bool is_word = cause.size() < 2 || !is_upper(cause[1]);  // not "SSL error", not "SCRAM ..."
  if (is_word) cause[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(cause[0])));
  while (cause.ends_with('.'))
    cause.pop_back();
  return cause;
}

}  // namespace pgsteer::proxy
