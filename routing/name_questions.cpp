#include "routing/name_questions.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

name_question worst(name_question a, name_question b) {
  return std::max(a, b);
}

bool compares(const json::object& expression) {
  constexpr std::array<std::string_view, 6> comparisons{"=", "<>", "<", ">", "<=", ">="};
  const auto name = name_field(expression, "name");
  return name && is_one_of(name->name, comparisons);
}

// Whether a value may speak of an object that no row and no constant speaks of.
bool reckons(const json::value& tree) {
  if (const auto* list = tree.if_array()) return std::ranges::any_of(*list, reckons);
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  return std::ranges::any_of(*object, [](const auto& field) {
    const auto* node = field.value().if_object();
    if (node == nullptr) return reckons(field.value());
    if (field.key() == "ParamRef" || (field.key() == "A_Expr" && !compares(*node))) return true;
    if (field.key() == "FuncCall") {
      const auto name = name_field(*node, "funcname");
      if (!name || !asks_about_names(name->name)) return true;
    }
    return reckons(field.value());
  });
}

name_question asked_of(const json::value* arguments, std::string_view function) {
  if (arguments == nullptr || asks_about_all_names(function) || reckons(*arguments))
    return name_question::of_all;
  return is_constant(*arguments) ? name_question::of_constants : name_question::of_columns;
}

// The table that a row of a permanent table is in.
bool is_tableoid(const json::value& tree) {
  const auto* column = as_node(tree, "ColumnRef");
  const auto* fields = column == nullptr ? nullptr : list_field(*column, "fields");
  const auto* last = fields == nullptr || fields->empty() ? nullptr : as_node(fields->back(), "String");
  return last != nullptr && text_field(*last, "sval") == "tableoid";
}

name_question of_call(const json::object& call) {
  const auto name = name_field(call, "funcname");
  const auto* arguments = call.if_contains("args");
  auto found = name_question::none;
  if (!name || asks_about_names(name->name)) found = asked_of(arguments, name ? name->name : "pg_temp");
  for (const auto* field : {"args", "agg_order", "agg_filter", "over"}) {
    if (const auto* part = call.if_contains(field)) found = worst(found, worst_question(*part));
  }
  return found;
}

name_question of_cast(const json::object& cast) {
  const auto* type = object_field(cast, "typeName");
  const auto name = type == nullptr ? std::nullopt : name_field(*type, "names");
  const auto* value = cast.if_contains("arg");
  auto found = value == nullptr ? name_question::none : worst_question(*value);
  if (!name || !asks_about_names(name->name)) return found;
  if (value != nullptr && is_tableoid(*value)) return found;
  return worst(found, asked_of(value, name->name));
}

name_question of_relation(const json::object& relation) {
  const bool asks = asks_about_names(text_field(relation, "relname")) ||
                    asks_about_names(text_field(relation, "schemaname"));
  return asks ? name_question::of_all : name_question::none;
}

name_question of_field(std::string_view key, const json::value& value) {
  if (key == "ColumnRef" || key == "alias" || key == "A_Const") return name_question::none;
  if (const auto* node = value.if_object()) {
    if (key == "FuncCall") return of_call(*node);
    if (key == "TypeCast") return of_cast(*node);
    if (key == "RangeVar") return of_relation(*node);
    if (key == "SQLValueFunction" && text_field(*node, "op") == "SVFOP_CURRENT_SCHEMA")
      return name_question::of_all;
    if (key == "ResTarget") {
      const auto* target = node->if_contains("val");
      return target == nullptr ? name_question::none : worst_question(*target);
    }
  }
  return worst_question(value);
}

}  // namespace

bool asks_about_names(std::string_view word) {
  constexpr std::array<std::string_view, 13> whole{
      "regclass",  "regproc",       "regprocedure", "regoper",    "regoperator", "regtype", "regcollation",
      "regconfig", "regdictionary", "format_type",  "pg_indexes", "pg_views",    "pg_rules"};
  constexpr std::array<std::string_view, 5> beginnings{"to_reg", "pg_get_", "pg_describe", "pg_identify",
                                                       "pg_stats_ext"};
  constexpr std::array<std::string_view, 2> ends{"_is_visible", "_privilege"};
  return asks_about_all_names(word) || is_one_of(word, whole) ||
         std::ranges::any_of(beginnings, [&](auto s) { return word.starts_with(s); }) ||
         std::ranges::any_of(ends, [&](auto s) { return word.ends_with(s); });
}

bool asks_about_all_names(std::string_view word) {
  constexpr std::array<std::string_view, 6> whole{"current_schemas",   "pg_temp",     "ts_stat",
                                                  "pg_my_temp_schema", "pg_policies", "pg_matviews"};
  constexpr std::array<std::string_view, 3> beginnings{"pg_temp_", "pg_is_other_temp", "information_schema"};
  constexpr std::array<std::string_view, 2> ends{"_to_xml", "current_schema"};
  return is_one_of(word, whole) ||
         std::ranges::any_of(beginnings, [&](auto s) { return word.starts_with(s); }) ||
         std::ranges::any_of(ends, [&](auto s) { return word.ends_with(s); });
}

bool is_constant(const json::value& tree) {
  if (const auto* list = tree.if_array()) return std::ranges::all_of(*list, is_constant);
  const auto* object = tree.if_object();
  if (object == nullptr) return true;
  constexpr std::array<std::string_view, 4> varying{"ColumnRef", "ParamRef", "SubLink", "FuncCall"};
  return std::ranges::all_of(*object, [&](const auto& field) {
    const std::string_view key(field.key().data(), field.key().size());
    return !is_one_of(key, varying) && is_constant(field.value());
  });
}

name_question worst_question(const json::value& tree) {
  if (const auto* text = tree.if_string())
    return asks_about_names(view(*text)) ? name_question::of_all : name_question::none;
  auto found = name_question::none;
  if (const auto* list = tree.if_array()) {
    for (const auto& item : *list)
      found = worst(found, worst_question(item));
  }
  if (const auto* object = tree.if_object()) {
    for (const auto& field : *object)
      found = worst(found, of_field({field.key().data(), field.key().size()}, field.value()));
  }
  return found;
}

}  // namespace pgsteer::routing
