// What to ask a server about temporary objects: their names and identifiers, and whether permanent objects
// have to do with them. Asked by the data path for a session, by `route` for a database; the answer goes to
// temporary_names::add_object().
// https://www.postgresql.org/docs/15/catalog-pg-depend.html
#pragma once

#include <string>
#include <string_view>

namespace pgsteer::routing {

inline constexpr std::string_view own_temporary_schema = "SELECT pg_catalog.pg_my_temp_schema()";
inline constexpr std::string_view all_temporary_schemas =
    "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.~~) 'pg\\_temp\\_%'";

// One SELECT, every name in it qualified; `schemas` is a SELECT of the schemas' oids. Its rows, `name` and
// `id` as text, are the temporary objects, permanent ones of the same name, and permanent parents of
// temporary children. The identifier is empty where other permanent objects show the object, and the name
// where there is one of a kind that is not followed one by one.
[[nodiscard]] std::string temporary_objects_query(std::string_view schemas);

}  // namespace pgsteer::routing
