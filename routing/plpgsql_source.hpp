// A PL/pgSQL body as libpg_query can read it: that knows neither cursors nor rows by their types, and no
// parameters. What the changed body no longer says is kept as queries. Used by function_body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsteer::routing {

// As libpg_query knows it: in capitals alone.
inline constexpr std::string_view record_type = "RECORD";

struct plpgsql_source {
  std::string text;
  std::vector<std::string> queries;  // to be judged too: types, arguments of cursors
  std::vector<std::string> rows;     // variables of loops over cursors, which nothing declares
};

// Without options ahead of it, without what opens, reads and closes cursors, and with a value for each RETURN
// NEXT that has none. A body whose cursors may outlive it, or are used in other ways, keeps them.
[[nodiscard]] plpgsql_source without_cursors(std::string_view source);

// The same with `variable`, which has a type of the database's own, declared as a record.
[[nodiscard]] plpgsql_source with_record(plpgsql_source source, std::string_view variable);

// The name of the type that a declaration gives: of a column's, that of its whole row.
[[nodiscard]] std::string_view type_declared(std::string_view declaration);

// A function of PostgreSQL's, or a sequence's column, that is named anywhere in the text, its literals too,
// and that a standby has otherwise: why.
[[nodiscard]] std::optional<std::string> wrong_on_standby(std::string_view text);

}  // namespace pgsteer::routing
