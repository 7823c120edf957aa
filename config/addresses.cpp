#include "config/addresses.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

constexpr std::size_t longest_socket_path = 107;  // sun_path of sockaddr_un, without its NUL
constexpr std::string_view forms = "write host:port, [IPv6]:port, *:port, or the directory of a unix socket";

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_host(std::string_view text) {
  if (text == "*") return true;
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  return text.find(':') != std::string_view::npos && std::ranges::all_of(text, [](unsigned char c) {
           return std::isxdigit(c) != 0 || c == ':' || c == '.' || c == '%' || std::isalnum(c) != 0;
         });
}

parsed<listen_address> with_port(std::string_view host, std::string_view port) {
  const auto number = parse_number(port, 0, 65535);
  if (!number)
    return complaint{fmt::format("port {} is not a number from 0 to 65535", shown(port)), std::string(forms)};
  return listen_address{std::string(host), static_cast<std::uint16_t>(*number)};
}

parsed<listen_address> parse_socket(std::string_view text, std::uint16_t default_port) {
  const auto colon = text.rfind(':');
  const auto directory = text.substr(0, colon);
  if (directory.empty() || directory.front() != '/') {
    return complaint{fmt::format("{} is not the absolute path of a directory", shown(text)),
                     std::string(forms)};
  }
  auto address = colon == std::string_view::npos ? listen_address{std::string(directory), default_port}
                                                 : with_port(directory, text.substr(colon + 1));
  if (address && fmt::format("{}/.s.PGSQL.{}", address->host, address->port).size() > longest_socket_path) {
    return complaint{
        fmt::format("the path of the unix socket would be longer than {} bytes", longest_socket_path),
        "choose a shorter directory"};
  }
  return address;
}

parsed<listen_address> parse_bracketed(std::string_view text, std::uint16_t default_port) {
  const auto close = text.find(']');
  if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) {
    return complaint{fmt::format("{} is not an IPv6 address in brackets", shown(text)), std::string(forms)};
  }
  const auto host = text.substr(1, close - 1);
  const auto rest = text.substr(close + 1);
  if (rest.empty()) return listen_address{std::string(host), default_port};
  if (rest.front() != ':')
    return complaint{fmt::format("{} is not an address", shown(text)), std::string(forms)};
  return with_port(host, rest.substr(1));
}

}  // namespace

parsed<listen_address> parse_address(std::string_view text, std::uint16_t default_port) {
  text = trimmed(text);
  if (text.empty()) return complaint{"an address is empty", std::string(forms)};
  if (text.starts_with("unix:")) return parse_socket(text.substr(5), default_port);
  if (text.front() == '/') return parse_socket(text, default_port);
  if (text.front() == '[') return parse_bracketed(text, default_port);
  if (is_number(text)) return with_port("127.0.0.1", text);
  if (std::ranges::count(text, ':') > 1) {
    return complaint{
        fmt::format("{} is not an address", shown(text)),
        is_ipv6(text) ? fmt::format("IPv6 addresses stand in brackets: \"[{}]\"", text) : std::string(forms)};
  }
  const auto colon = text.find(':');
  const auto host = colon == 0 ? std::string_view("*") : text.substr(0, colon);
  if (!is_host(host)) return complaint{fmt::format("{} is not a host", shown(host)), std::string(forms)};
  if (colon == std::string_view::npos) return listen_address{std::string(host), default_port};
  return with_port(host, text.substr(colon + 1));
}

parsed<std::vector<listen_address>> parse_addresses(std::string_view text, std::uint16_t default_port) {
  std::vector<listen_address> found;
  while (true) {
    const auto comma = text.find(',');
    auto address = parse_address(text.substr(0, comma), default_port);
    if (!address) return address.error();
    found.push_back(*std::move(address));
    if (comma == std::string_view::npos) return found;
    text.remove_prefix(comma + 1);
  }
}

std::string to_text(const listen_address& address) {
  const bool brackets = !address.is_unix() && address.host.find(':') != std::string::npos;
  return brackets ? fmt::format("[{}]:{}", address.host, address.port)
                  : fmt::format("{}:{}", address.host, address.port);
}

bool is_local(const listen_address& address) {
  return address.is_unix() || address.host == "localhost" || address.host == "::1" ||
         (address.host.starts_with("127.") &&
          std::ranges::all_of(address.host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }));
}

bool is_same_place(const listen_address& one, const listen_address& other) {
  if (one.port != other.port || one.is_unix() != other.is_unix()) return false;
  if (!one.is_unix() && one.port == 0) return false;
  return one.host == other.host || (!one.is_unix() && (one.host == "*" || other.host == "*"));
}

}  // namespace pgsteer::config
