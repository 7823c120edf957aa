// SELECT set_config('role', $1, true), …: SET LOCAL in a query's clothes, as PostgREST and its like begin
// each transaction. Where every name and value is a constant or comes with the Bind, a block on a replica can
// follow it. Called by the judge of statements and by the session that has the Bind.
// https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADMIN-SET
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "routing/classification.hpp"
#include "routing/facts.hpp"

namespace pgsteer::routing {

// What a SELECT is that does nothing but call set_config() with a constant `true`, in its target list alone.
// Nothing for any other.
[[nodiscard]] std::optional<classification> judge_local_settings(const boost::json::object& select,
                                                                 const facts& known);

// Whether its class is the same whatever its constants are: it has none.
[[nodiscard]] bool takes_all_from_bind(const classification& is);

using named_value = std::pair<std::string, std::string>;  // the name in lower case

// What it sets, in order. `parameter` gives the text of a parameter by its number from 1 on, or nothing.
// Nothing where one is not known, or is a setting that a block on a replica cannot have.
[[nodiscard]] std::optional<std::vector<named_value>> local_values(
    const classification& is, const std::function<std::optional<std::string_view>(int)>& parameter);

}  // namespace pgsteer::routing
