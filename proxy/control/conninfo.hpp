// How pgsteer speaks to libpq when it opens a connection: the parameters around the operator's own
// conninfo, and libpq's error texts made short. Used by the monitors and by whoever opens backends.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "config/settings.hpp"

namespace pgsteer::proxy {

struct finish_connection {
  void operator()(PGconn* c) const { PQfinish(c); }
};
using connection_ptr = std::unique_ptr<PGconn, finish_connection>;

struct connect_options {
  // Bounds how long a dead address is tried, so that libpq goes on to the next host. It also ends a
  // connection whose peer takes no data for so long: not for connections that carry COPY. 0: not set.
  std::chrono::milliseconds tcp_user_timeout{0};
};

// PQconnectStartParams with pgsteer's defaults before the conninfo (the operator's word counts more)
// and what must hold behind it. Never null; check PQstatus. May block in getaddrinfo.
[[nodiscard]] connection_ptr start_connection(const config::server_url& url, const connect_options& options);

// The same server, where several hosts, or several addresses of its name, may be the primary and the conninfo
// does not say which: then only a primary among them is taken. Nothing where there is no such choice.
[[nodiscard]] std::optional<config::server_url> of_a_primary(const config::server_url& url,
                                                             const std::vector<std::string>& addresses);

// How many hosts the conninfo names: each may use up a connect timeout of its own.
[[nodiscard]] int host_count(const config::server_url& url);

// "connection refused", "timeout expired", `password authentication failed for user "app"`: the
// cause in libpq's error text, without address, severity and advice. Never part of a conninfo.
[[nodiscard]] std::string short_cause(std::string_view libpq_message);

}  // namespace pgsteer::proxy
