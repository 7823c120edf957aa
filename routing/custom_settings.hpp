// Names of custom settings (`app.tenant`) that a text may set. A server does not list them, so who
// wants to carry them must know their names.
// https://www.postgresql.org/docs/15/runtime-config-custom.html
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace pgsteer::routing {

// Adds, in lower case, each dotted name that follows SET, SESSION, LOCAL or RESET, or stands in
// quotes behind `set_config(`. `bytes` may be anything: a Query, or a whole batch of messages. Stops
// at `most` names; false: there were more.
bool collect_custom_settings(std::string_view bytes, std::set<std::string, std::less<>>& names,
                             std::size_t most);

// Adds, in lower case, each dotted name that is a whole value in `bytes`, in quotes or bound: a function may
// take it for the name of a setting. Of `most` names only the first are taken.
void collect_dotted_values(std::string_view bytes, std::set<std::string, std::less<>>& names,
                           std::size_t most);

// A name under the prefix of a library that servers load by themselves, which the library may not know: it is
// taken away, with a warning, from whoever loads it there.
[[nodiscard]] bool may_be_refused_by_library(std::string_view name);

}  // namespace pgsteer::routing
