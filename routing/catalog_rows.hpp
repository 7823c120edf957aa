// Which rows of the system catalogs a query reads, as far as its WHERE and JOIN say: whether all of them
// belong to objects that it names by constants. Used by temporary_names.
// https://www.postgresql.org/docs/15/catalogs.html
#pragma once

#include <functional>
#include <string_view>

#include <boost/json/value.hpp>

namespace pgsteer::routing {

// Whether a name that begins so may be that of an object which must not be read.
using name_suspicion = std::function<bool(std::string_view)>;

// Every table that a query at any depth of `tree` reads is a system catalog, whose rows cannot be of a
// session's temporary objects or are bound: to a constant, by a column that says whose row it is (`c.oid =
// '16400'`, `relname ~ '^(orders)$'`), or to a bound row of another (`d.adrelid = a.attrelid`). Constants are
// believed; a pattern is when no suspected name begins as it does. In doubt false.
[[nodiscard]] bool reads_bound_catalog_rows(const boost::json::value& tree,
                                            const name_suspicion& is_suspected);

}  // namespace pgsteer::routing
