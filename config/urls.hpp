// DATABASE_URL and DATABASE_REPLICA_URL: from libpq's forms to server_url values.
// Called by the setters of config/schema.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/surroundings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// One server, every default filled in as libpq would. A replica takes user, password and
/// database of `primary` where its own text has none; `primary` is null for the primary itself.
[[nodiscard]] parsed<server_url> parse_server(const std::string& text, const server_url* primary,
                                              const surroundings& around);

/// The texts of several servers. A comma begins a new server only where postgres://, postgresql://
/// or a libpq keyword and = follow it: the commas of `postgres://h1,h2/db` and `host=h1,h2` do not.
[[nodiscard]] std::vector<std::string> split_servers(std::string_view text);

/// The server as a keyword/value text without secrets, usable as a DATABASE_URL.
[[nodiscard]] std::string redacted(const server_url& server);

}  // namespace pgsteer::config
