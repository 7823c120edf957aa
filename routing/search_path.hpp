// The value of search_path as a list of schemas, as PostgreSQL splits and folds it.
// Called by catalog_facts and catalog_judge.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsteer::routing {

// The names as written, unquoted or folded; `"$user"` stays `$user`. Broken quoting ends the list.
[[nodiscard]] std::vector<std::string> split_search_path(std::string_view value);

}  // namespace pgsteer::routing
