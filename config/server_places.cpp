#include "config/server_places.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/conninfo.hpp"
#include "config/url_checks.hpp"

namespace pgsteer::config {
namespace {

// As getnameinfo writes it; empty: it is no address.
std::string address_text(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, host.c_str(), bytes.data()) != 1) continue;
    return ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? host : text.data();
  }
  return {};
}

std::vector<std::string> hosts_of(const conninfo& info) {
  std::vector<std::string> hosts;
  for (const auto& [host, port] : places(info))
    hosts.push_back(host);
  return hosts;
}

bool is_srv(std::string_view host) {
  return host.starts_with('_') && host.find("._tcp.") != std::string_view::npos;
}

}  // namespace

std::string srv_name(const server_url& server) {
  const auto info = conninfo::parse(server.conninfo);
  if (!info) return {};
  const auto hosts = hosts_of(*info);
  return hosts.size() == 1 && is_srv(hosts.front()) ? hosts.front() : std::string{};
}

std::vector<std::string> names_to_resolve(const server_url& server) {
  const auto info = conninfo::parse(server.conninfo);
  if (!info || !info->get("hostaddr").empty()) return {};
  auto names = hosts_of(*info);
  std::erase_if(names, [](const auto& host) {
    return host.empty() || host.front() == '/' || host.front() == '@' || is_srv(host) ||
           !address_text(host).empty();
  });
  return names;
}

std::vector<std::string> literal_addresses(const server_url& server) {
  const auto info = conninfo::parse(server.conninfo);
  if (!info) return {};
  const auto given = info->get("hostaddr");
  std::vector<std::string> found;
  for (const auto& each : given.empty() ? hosts_of(*info) : split_list(given)) {
    if (auto text = address_text(each); !text.empty()) found.push_back(std::move(text));
  }
  return found;
}

bool is_expandable(const server_url& server) {
  if (!server.expands) return false;
  const auto info = conninfo::parse(server.conninfo);
  return info && hosts_of(*info).size() == 1 && names_to_resolve(server).size() == 1;
}

server_url at_address(const server_url& server, const std::string& address) {
  auto out = server;
  auto info = conninfo::parse(server.conninfo);
  if (!info) return out;
  info->set("hostaddr", address);
  out.conninfo = info->text();
  out.name = place_name(address, info->get("port"));
  out.expands = false;
  return out;
}

server_url at_host(const server_url& like, const std::string& host, const std::string& port) {
  auto out = like;
  auto info = conninfo::parse(like.conninfo);
  if (!info) return out;
  info->set("host", host);
  info->set("port", port);
  info->remove("hostaddr");
  info->remove("target_session_attrs");
  out.conninfo = info->text();
  out.name = place_name(host, port);
  out.role = claimed_role::automatic;
  out.expands = false;
  out.weight = 1;
  out.zone.clear();
  return out;
}

std::string place_name(std::string_view host, std::string_view port) {
  const bool brackets = !host.starts_with('/') && host.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", host.empty() ? "[local]" : host, brackets ? "]" : "",
                     port);
}

}  // namespace pgsteer::config
