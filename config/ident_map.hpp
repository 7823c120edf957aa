// The setting `ident_map`: which roles the name in a client's certificate may log in as, in the lines of
// PostgreSQL's pg_ident.conf. Read by config/schema_access.cpp; asked at logins by certificate; pure.
// https://www.postgresql.org/docs/15/auth-username-maps.html
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/values.hpp"

namespace pgsteer::config {

struct ident_line {
  std::string map;
  std::string system_name;  // a regular expression where it begins with /
  std::string role;         // \1 stands for what its first group matched
  bool operator==(const ident_line&) const = default;
};

/// One line: MAP SYSTEM-NAME ROLE.
[[nodiscard]] parsed<ident_line> parse_ident_line(std::string_view text);

[[nodiscard]] std::string to_text(const ident_line& line);

/// May whom a certificate names `name` log in as `role`? Without a map, as the role of that name.
[[nodiscard]] bool is_mapped(std::span<const ident_line> lines, std::string_view map, const std::string& name,
                             std::string_view role);

}  // namespace pgsteer::config
