// The closed world: which nodes of a query's parse tree are understood, and for each what its
// fields mean. Read by routing::walker; a node or a field that is not here makes a write.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgsteer::routing {

enum class field_action : std::uint8_t {
  skip,       // a scalar, or names that cannot run anything
  walk,       // a node, or a list of nodes
  walk_some,  // the same, and an absent node ({}) among them has a meaning
  within,     // fields of one known node type without its wrapper
  judged,     // looked at by the walker's own code for the node
};

enum class node_judge : std::uint8_t {
  none,
  select,
  modify,  // INSERT, UPDATE, DELETE, MERGE
  range_var,
  func_call,
  column_ref,
  expression,
  sub_link,
  sort_by,
  indirection,
  type_name,
  join,
  switch_case,
};

struct node_rule {
  struct field {
    std::string_view name;
    field_action action = field_action::skip;
    const node_rule* inner = nullptr;  // of `within`
  };
  std::string_view name;
  node_judge judge = node_judge::none;
  bool may_have_with = false;
  std::vector<field> fields;

  [[nodiscard]] const field* find(std::string_view field_name) const;
};

// The rule of a node type as the parse tree names it, or nullptr where the type is not known.
[[nodiscard]] const node_rule* find_node_rule(std::string_view name);

}  // namespace pgsteer::routing
