#include <utility>

#include "routing/builtin_functions.hpp"
#include "routing/function_groups.hpp"

namespace pgsteer::routing {
namespace {

constexpr contrib_group groups[] = {
#include "routing/contrib_functions.inc"
};

constexpr std::span<const contrib_group> all_groups{groups};

using contrib_key = std::pair<std::string_view, std::string_view>;

constexpr contrib_key key_of(const contrib_function& entry) {
  return {entry.extension, entry.function.name};
}

constexpr contrib_function make_entry(const contrib_group& group, std::string_view name) {
  return {group.extension, {name, group.safety, group.effects, group.reason}};
}

constexpr auto table = make_function_table<count_names(all_groups)>(all_groups, make_entry, key_of);
static_assert(is_strictly_ascending(table, key_of), "a function stands in two groups");

}  // namespace

const builtin_function* find_contrib_function(std::string_view extension, std::string_view name) {
  const contrib_key key{extension, name};
  const auto found = std::lower_bound(
      table.begin(), table.end(), key,
      [](const contrib_function& entry, const contrib_key& wanted) { return key_of(entry) < wanted; });
  return found != table.end() && key_of(*found) == key ? &found->function : nullptr;
}

std::span<const contrib_function> contrib_functions() {
  return table;
}

}  // namespace pgsteer::routing
