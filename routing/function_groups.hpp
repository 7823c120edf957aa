// Turns the reviewed groups of names into a table in order of its keys, once, at the first look-up.
// Used by builtin_functions.cpp and contrib_functions.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "routing/builtin_functions.hpp"

namespace pgsteer::routing {

// Functions that share a judgement and its reason. `names` are separated by single blanks.
struct function_group {
  function_safety safety;
  unsigned effects;
  std::string_view reason;
  std::string_view names;
};

// As above, of one extension of contrib.
struct contrib_group {
  std::string_view extension;
  function_safety safety;
  unsigned effects;
  std::string_view reason;
  std::string_view names;
};

// Cuts the first name off `names`.
inline std::string_view next_name(std::string_view& names) {
  const std::size_t end = std::min(names.find(' '), names.size());
  const std::string_view name = names.substr(0, end);
  names.remove_prefix(std::min(end + 1, names.size()));
  return name;
}

// One entry a name, in order. `entry(group, name)` makes it, `key(entry)` orders it.
template <class Groups, class Make, class Key>
auto make_function_table(const Groups& groups, Make entry, Key key) {
  std::vector<decltype(entry(groups[0], std::string_view{}))> table;
  for (const auto& group : groups) {
    std::string_view names = group.names;
    while (!names.empty())
      table.push_back(entry(group, next_name(names)));
  }
  std::ranges::sort(table, {}, key);
  return table;
}

// The entry with this key, or nullptr.
template <class Table, class Wanted, class Key>
auto find_in_function_table(const Table& table, const Wanted& wanted, Key key) {
  const auto found = std::ranges::lower_bound(table, wanted, {}, key);
  return found != table.end() && key(*found) == wanted ? &*found : nullptr;
}

}  // namespace pgsteer::routing
