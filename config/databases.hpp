// The setting `databases`: limits of single databases, over all users. What limits mean is in docs/users.md.
// Called by config/schema_servers.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// One element: name=... and limits, see docs/users.md.
[[nodiscard]] parsed<database_entry> parse_database(std::string_view text);

/// All elements of the list, each of which may hold several lines; no name twice.
[[nodiscard]] parsed<std::vector<database_entry>> parse_databases(std::span<const std::string> texts);

/// The element as a text that parse_database() takes.
[[nodiscard]] std::string to_text(const database_entry& database);

}  // namespace pgsteer::config
