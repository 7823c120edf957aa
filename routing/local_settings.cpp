#include "routing/local_settings.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "routing/settings_statements.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

bool is_text(const json::object& type) {
  const auto name = name_field(type, "names");
  return name && (name->name == "text" || name->name == "varchar") && !type.contains("arrayBounds") &&
         !type.contains("typmods");
}

std::optional<given_text> given(const json::value& argument) {
  if (const auto* cast = as_node(argument, "TypeCast")) {
    const auto* type = object_field(*cast, "typeName");
    const auto* inner = cast->if_contains("arg");
    if (type == nullptr || inner == nullptr || !is_text(*type) || as_node(*inner, "TypeCast") != nullptr)
      return std::nullopt;
    return given(*inner);
  }
  if (const auto* parameter = as_node(argument, "ParamRef")) {
    const auto* number = parameter->if_contains("number");
    if (number == nullptr || !number->is_int64()) return std::nullopt;
    return given_text{{}, static_cast<int>(number->get_int64())};
  }
  const auto* constant = as_node(argument, "A_Const");
  const auto* text = constant == nullptr ? nullptr : object_field(*constant, "sval");
  if (text == nullptr) return std::nullopt;
  return given_text{std::string(text_field(*text, "sval")), 0};
}

bool is_true(const json::value& argument) {
  const auto* constant = as_node(argument, "A_Const");
  const auto* boolean = constant == nullptr ? nullptr : object_field(*constant, "boolval");
  return boolean != nullptr && flag_field(*boolean, "boolval");
}

bool is_plain_call(const json::object& call) {
  return std::ranges::all_of(call, [](const auto& field) {
    const auto& name = field.key();
    return name == "funcname" || name == "args" || name == "location" || name == "funcformat";
  });
}

std::optional<local_setting> local_setting_of(const json::value& target, const facts& known) {
  const auto* result = as_node(target, "ResTarget");
  const auto* value = result == nullptr ? nullptr : result->if_contains("val");
  const auto* call = value == nullptr ? nullptr : as_node(*value, "FuncCall");
  if (call == nullptr || !is_plain_call(*call)) return std::nullopt;
  const auto name = name_field(*call, "funcname");
  const auto* arguments = list_field(*call, "args");
  if (!name || name->name != "set_config" || arguments == nullptr || arguments->size() != 3 ||
      !is_true((*arguments)[2]))
    return std::nullopt;
  const bool is_its_own =
      name->schema == "pg_catalog" ||
      (name->schema.empty() && known.is_only_builtin(object_sort::function, "set_config"));
  auto setting = given((*arguments)[0]);
  auto to = given((*arguments)[1]);
  if (!is_its_own || !setting || !to) return std::nullopt;
  return local_setting{*std::move(setting), *std::move(to)};
}

// A standby differs in them, or the block would be another.
bool is_followed(std::string_view name) {
  return !name.empty() && name != "session_authorization" && name != "seed" &&
         !name.starts_with("transaction_") && !name.starts_with("pgsteer.");
}

}  // namespace

std::optional<classification> judge_local_settings(const json::object& select, const facts& known) {
  const auto* targets = list_field(select, "targetList");
  const bool has_only_targets = std::ranges::all_of(select, [](const auto& field) {
    return field.key() == "targetList" || field.key() == "limitOption" || field.key() == "op";
  });
  if (targets == nullptr || targets->empty() || !has_only_targets) return std::nullopt;
  classification is;
  is.kind = statement_kind::set_local;
  is.effects.sets_local = true;
  is.reason = "set_config() changes the transaction";
  for (const auto& target : *targets) {
    auto one = local_setting_of(target, known);
    if (!one) return std::nullopt;
    const bool is_constant = one->name.parameter == 0;
    if (is_constant && !is_followed(lower_case(one->name.text))) return std::nullopt;
    is.effects.leaves_empty |= !is_constant || one->name.text.find('.') != std::string::npos;
    is.locals.push_back(*std::move(one));
  }
  return is;
}

bool takes_all_from_bind(const classification& is) {
  return std::ranges::all_of(
      is.locals, [](const auto& each) { return each.name.parameter > 0 && each.value.parameter > 0; });
}

std::optional<std::vector<named_value>> local_values(
    const classification& is, const std::function<std::optional<std::string_view>(int)>& parameter) {
  std::vector<named_value> found;
  const auto text_of = [&](const given_text& given) -> std::optional<std::string_view> {
    return given.parameter == 0 ? std::optional<std::string_view>(given.text) : parameter(given.parameter);
  };
  for (const auto& each : is.locals) {
    const auto name = text_of(each.name);
    const auto value = text_of(each.value);
    if (!name || !value) return std::nullopt;
    auto lower = lower_case(*name);
    if (!is_followed(lower)) return std::nullopt;
    found.emplace_back(std::move(lower), *value);
  }
  return found;
}

}  // namespace pgsteer::routing
