// Turns the reviewed groups of names into sorted tables while compiling, and refuses a name that stands
// in two groups. Used by builtin_functions.cpp and contrib_functions.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

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

constexpr std::size_t count_names(std::string_view names) {
  return names.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(names.begin(), names.end(), ' '));
}

template <class Group>
constexpr std::size_t count_names(std::span<const Group> groups) {
  std::size_t count = 0;
  for (const Group& group : groups)
    count += count_names(group.names);
  return count;
}

// Cuts the first name off `names`.
constexpr std::string_view next_name(std::string_view& names) {
  const std::size_t end = std::min(names.find(' '), names.size());
  const std::string_view name = names.substr(0, end);
  names.remove_prefix(std::min(end + 1, names.size()));
  return name;
}

// One entry a name, in order. `entry(group, name)` makes it, `key(entry)` orders it.
template <std::size_t Size, class Group, class Make, class Key>
constexpr auto make_function_table(std::span<const Group> groups, Make entry, Key key) {
  std::array<decltype(entry(groups[0], std::string_view{})), Size> table{};
  std::size_t used = 0;
  for (const Group& group : groups) {
    std::string_view names = group.names;
    while (!names.empty())
      table[used++] = entry(group, next_name(names));
  }
  std::sort(table.begin(), table.end(), [key](const auto& a, const auto& b) { return key(a) < key(b); });
  return table;
}

// Every key once: a name judged twice would be judged by accident.
template <class Table, class Key>
constexpr bool is_strictly_ascending(const Table& table, Key key) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (!(key(table[i - 1]) < key(table[i]))) return false;
  }
  return true;
}

}  // namespace pgsteer::routing
