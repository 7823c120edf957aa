// The hosts of one server's URL, and the same server at one of the addresses that they stand for.
// Used by the proxy's discovery and its monitors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace pgsteer::config {

/// The names that somebody has to look up: not addresses, not sockets, not hosts with a hostaddr.
[[nodiscard]] std::vector<std::string> names_to_resolve(const server_url& server);

/// Addresses that the URL itself holds, in the form that getnameinfo gives them.
[[nodiscard]] std::vector<std::string> literal_addresses(const server_url& server);

/// The name of a service whose SRV records say where the servers are: a host such as
/// "_postgresql._tcp.db.example.org". Empty: none.
[[nodiscard]] std::string srv_name(const server_url& server);

/// Whether each address of its name is to be a server of its own: one host, by name.
[[nodiscard]] bool is_expandable(const server_url& server);

/// The server at this address: the host stays, for certificates and password files.
[[nodiscard]] server_url at_address(const server_url& server, const std::string& address);

/// Another server that is logged in to in the same way: weight, zone and role are its own.
[[nodiscard]] server_url at_host(const server_url& like, const std::string& host, const std::string& port);

/// "host:port", brackets around an IPv6 address: as servers are named.
[[nodiscard]] std::string place_name(std::string_view host, std::string_view port);

}  // namespace pgsteer::config
