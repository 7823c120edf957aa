#include "routing/tree.hpp"

#include <array>

#include <boost/json/array.hpp>

namespace pgsteer::routing {

namespace json = boost::json;
namespace {

// A node has few fields, and most of the asked ones are not there: few come as far as the comparison.
const json::value* find_field(const json::object& node, std::string_view field) {
  for (const auto& [key, value] : node) {
    if (key.size() == field.size() && key.front() == field.front() && key.back() == field.back() &&
        std::string_view(key.data(), key.size()) == field)
      return &value;
  }
  return nullptr;
}

}  // namespace

std::string_view text_field(const json::object& node, std::string_view field) {
  const auto* value = find_field(node, field);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : view(*text);
}

bool flag_field(const json::object& node, std::string_view field) {
  const auto* value = find_field(node, field);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::array* list_field(const json::object& node, std::string_view field) {
  const auto* value = find_field(node, field);
  return value == nullptr ? nullptr : value->if_array();
}

const json::object* object_field(const json::object& node, std::string_view field) {
  const auto* value = find_field(node, field);
  return value == nullptr ? nullptr : value->if_object();
}

const json::object* as_node(const json::value& value, std::string_view type) {
  const auto* wrapper = value.if_object();
  return wrapper == nullptr ? nullptr : object_field(*wrapper, type);
}

std::optional<object_name> name_field(const json::object& node, std::string_view field) {
  const auto* list = list_field(node, field);
  if (list == nullptr || list->empty() || list->size() > 3) return std::nullopt;
  std::array<std::string_view, 3> parts;
  auto at = parts.size() - list->size();
  for (const auto& item : *list) {
    const auto* part = as_node(item, "String");
    if (part == nullptr) return std::nullopt;
    parts.at(at++) = text_field(*part, "sval");
  }
  return object_name{parts[0], parts[1], parts[2]};
}

object_name relation_name(const json::object& range_var) {
  return {text_field(range_var, "catalogname"), text_field(range_var, "schemaname"),
          text_field(range_var, "relname")};
}

}  // namespace pgsteer::routing
