// What an expression or query uses that PostgreSQL keeps parsed (pg_node_tree: views, policies, checks,
// SQL-standard function bodies): names there are resolved to identifiers already. Called by catalog_builder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/catalog.hpp"

namespace pgsteer::routing {

struct tree_uses {
  std::vector<reference> references;  // in order, each once
  std::vector<std::string>
      settings;              // that current_setting() is asked for, by constants: not in `references`
  std::string_view refusal;  // why it is no read, whatever it uses; empty: it may be one
};

// `text` is the tree as its text output shows it.
[[nodiscard]] tree_uses uses_of_tree(std::string_view text);

}  // namespace pgsteer::routing
