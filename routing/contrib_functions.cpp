#include <utility>

#include "routing/builtin_functions.hpp"
#include "routing/function_groups.hpp"

namespace pgsteer::routing {
namespace {

constexpr contrib_group groups[] = {
#include "routing/contrib_functions.inc"
};

using contrib_key = std::pair<std::string_view, std::string_view>;

contrib_key key_of(const contrib_function& entry) {
  return {entry.extension, entry.function.name};
}

contrib_function make_entry(const contrib_group& group, std::string_view name) {
  return {group.extension, {name, group.safety, group.effects, group.reason}};
}

const std::vector<contrib_function>& table() {
  static const auto made = make_function_table(groups, make_entry, key_of);
  return made;
}

}  // namespace

const builtin_function* find_contrib_function(std::string_view extension, std::string_view name) {
  const contrib_function* found = find_in_function_table(table(), contrib_key{extension, name}, key_of);
  return found != nullptr ? &found->function : nullptr;
}

std::span<const contrib_function> contrib_functions() {
  return table();
}

}  // namespace pgsteer::routing
