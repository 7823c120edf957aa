// The reviewed judgement on the relations of pg_catalog and information_schema: does a hot standby
// hold the primary's content? Called by routing::facts.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace pgsteer::routing {

struct system_relation {
  std::string_view name;
  bool is_safe = false;
  std::string_view reason;  // "is ..." after the relation's name, where it is not safe
  bool is_local = false;    // each server has its own, and a reader may want a replica's
};

// What is known of a relation by that name: nothing where it is not a system relation (an unqualified
// name that does not begin with pg_). A system relation that nobody reviewed is not safe.
[[nodiscard]] std::optional<system_relation> judge_system_relation(std::string_view schema,
                                                                   std::string_view name);

// Of a system view that servers differ in: the columns that come from the catalogs alone. Its rows do, too.
[[nodiscard]] std::span<const std::string_view> shared_columns(std::string_view schema,
                                                               std::string_view name);

// All of pg_catalog's that were reviewed by name, in order of their names.
[[nodiscard]] std::span<const system_relation> system_relations();

}  // namespace pgsteer::routing
