#include "routing/builtin_functions.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include "routing/function_groups.hpp"
#include "routing/text_hash.hpp"

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

using function_index = boost::unordered_flat_map<std::string_view, const builtin_function*, name_hash>;

// Every qualified column is looked up: it may be a call.
const function_index& by_name() {
  static const auto made = [] {
    function_index index;
    for (const auto& each : table())
      index.emplace(each.name, &each);
    return index;
  }();
  return made;
}

}  // namespace

const builtin_function* find_builtin_function(std::string_view name) {
  const auto found = by_name().find(name);
  return found == by_name().end() ? nullptr : found->second;
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
