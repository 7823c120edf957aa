// What to ask a server about temporary objects: their names and identifiers, and whether permanent objects
// have to do with them. Asked by the data path for a session, by `route` for a database; the answer goes to
// temporary_names::add_object().
// https://www.postgresql.org/docs/15/catalog-pg-depend.html
#pragma once

#include <string>
#include <string_view>

namespace pgsteer::routing {

// SELECTs of the oids of schemas: whose objects are temporary, and where names are searched for.
inline constexpr std::string_view own_temporary_schema = "SELECT pg_catalog.pg_my_temp_schema()";
inline constexpr std::string_view own_path =
    "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) ANY"
    " (pg_catalog.current_schemas(true))";
inline constexpr std::string_view all_temporary_schemas =
    "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.~~) 'pg\\_temp\\_%'";
inline constexpr std::string_view default_path =
    "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'pg_catalog'"
    " OR nspname OPERATOR(pg_catalog.=) SESSION_USER"
    " OR nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.btrim(n, ' \"')"
    " FROM pg_catalog.pg_settings, pg_catalog.unnest(pg_catalog.string_to_array(reset_val, ',')) AS n"
    " WHERE name OPERATOR(pg_catalog.=) 'search_path')";

inline constexpr std::string_view any_path =
    "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.!~~) 'pg\\_temp\\_%'";

// One SELECT, every name in it qualified. Its rows, `name` and
// `id` as text, are the temporary objects, permanent ones of the same name, and permanent parents of
// temporary children. The identifier is empty where other permanent objects show the object, and the name
// where there is one of a kind that is not followed one by one.
[[nodiscard]] std::string temporary_objects_query(std::string_view schemas, std::string_view searched);

}  // namespace pgsteer::routing
