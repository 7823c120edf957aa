// What SET LOCAL, or set_config(…, true), has set in a block that began on a replica: said again where the
// block moves to the primary, and followed in what names mean. Owned by the session, from its BEGIN on.
#pragma once

#include <optional>
#include <set>
#include <string>

namespace pgsteer::proxy {

struct local_settings {
  std::string sql;  // behind a BEGIN, each statement with a semicolon in front
  std::set<std::string, std::less<>> names;
  std::optional<std::string> role, search_path;
  bool has_savepoint = false;
};

}  // namespace pgsteer::proxy
