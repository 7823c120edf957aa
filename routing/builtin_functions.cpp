#include "routing/builtin_functions.hpp"

#include "routing/function_groups.hpp"

namespace pgsteer::routing {
namespace {

constexpr function_group groups[] = {
#include "routing/builtin_functions_primary.inc"
#include "routing/builtin_functions_safe.inc"
};

constexpr std::span<const function_group> all_groups{groups};

constexpr std::string_view name_of(const builtin_function& function) {
  return function.name;
}

constexpr builtin_function make_entry(const function_group& group, std::string_view name) {
  return {name, group.safety, group.effects, group.reason};
}

constexpr auto table = make_function_table<count_names(all_groups)>(all_groups, make_entry, name_of);
static_assert(is_strictly_ascending(table, name_of), "a function stands in two groups");

struct counted_function {
  std::size_t arguments;
  builtin_function function;
};

constexpr counted_function counted[] = {
#include "routing/builtin_functions_by_count.inc"
};

}  // namespace

const builtin_function* find_builtin_function(std::string_view name) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const auto& entry, std::string_view key) { return entry.name < key; });
  return found != table.end() && found->name == name ? &*found : nullptr;
}

const builtin_function* find_builtin_function(std::string_view name, std::size_t arguments) {
  for (const counted_function& overload : counted) {
    if (overload.arguments == arguments && overload.function.name == name) return &overload.function;
  }
  return find_builtin_function(name);
}

std::span<const builtin_function> builtin_functions() {
  return table;
}

}  // namespace pgsteer::routing
