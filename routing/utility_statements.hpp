// The statements that are never reads, by parse node: what PostgreSQL calls them, and what they may
// leave in a session. Called by routing/statements.cpp.
#pragma once

#include <optional>
#include <string_view>

#include "routing/classification.hpp"

namespace pgsteer::routing {

struct utility_statement {
  std::string_view command;  // as in its command tag
  session_effects effects;
  bool is_definition = false;  // refused in every read-only transaction, in the same words by a standby
};

// Nothing where the node type is not a utility statement known here.
[[nodiscard]] std::optional<utility_statement> find_utility_statement(std::string_view node_type);

}  // namespace pgsteer::routing
