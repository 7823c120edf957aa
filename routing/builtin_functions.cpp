#include "routing/builtin_functions.hpp"

#include "routing/function_groups.hpp"

namespace pgsteer::routing {
namespace {

constexpr function_group groups[] = {
#include "routing/builtin_functions_primary.inc"
#include "routing/builtin_functions_safe.inc"
};

struct counted_function {
  std::size_t arguments;
  builtin_function function;
};

constexpr counted_function counted[] = {
#include "routing/builtin_functions_by_count.inc"
};

std::string_view name_of(const builtin_function& entry) {
  return entry.name;
}

builtin_function make_entry(const function_group& group, std::string_view name) {
  return {name, group.safety, group.effects, group.reason};
}

const std::vector<builtin_function>& table() {
  static const auto made = make_function_table(groups, make_entry, name_of);
  return made;
}

}  // namespace

const builtin_function* find_builtin_function(std::string_view name) {
  return find_in_function_table(table(), name, name_of);
}

const builtin_function* find_builtin_function(std::string_view name, std::size_t arguments) {
  for (const counted_function& overload : counted) {
    if (overload.arguments == arguments && overload.function.name == name) return &overload.function;
  }
  return find_builtin_function(name);
}

std::span<const builtin_function> builtin_functions() {
  return table();
}

}  // namespace pgsteer::routing
