// What asks a server what names mean in its session: regclass and its like, pg_get_viewdef(),
// pg_table_is_visible(). Their answers differ between backends where a session has temporary objects.
// Used by temporary_names.
// https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-CATALOG
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

namespace pgsteer::routing {

// A function, type, view or schema of this name, folded, asks what names mean.
[[nodiscard]] bool asks_about_names(std::string_view word);

// ... and answers for the whole session, or runs a text: nothing in its arguments makes it harmless.
[[nodiscard]] bool asks_about_all_names(std::string_view word);

// Whether a value depends on the text alone: no column, parameter or subquery in it.
[[nodiscard]] bool is_constant(const boost::json::value& tree);

// What a parsed text asks of names, at the worst.
enum class name_question : char {
  none,
  of_constants,  // '"t"'::regclass, pg_get_viewdef('v')
  of_columns,    // oid::regclass, pg_table_is_visible(c.oid), of rows as they come
  of_all,        // current_schemas(true), a text that is run
};
[[nodiscard]] name_question worst_question(const boost::json::value& tree);

}  // namespace pgsteer::routing
