#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "routing/catalog_judge.hpp"

namespace pgsteer::routing {
namespace {

std::string text_of(const object_name& name) {
  return name.schema.empty() ? std::string(name.name) : fmt::format("{}.{}", name.schema, name.name);
}

verdict doubt(std::string reason, bool runs_code) {
  verdict answer;
  answer.is_safe = false;
  answer.is_doubt = true;
  answer.reason = std::move(reason);
  answer.effects.may_set = runs_code;
  answer.effects.may_pin = runs_code;
  return answer;
}

bool is_temporary_schema(std::string_view schema) {
  return schema.starts_with("pg_temp") || schema.starts_with("pg_toast_temp");
}

void join(verdict& all, verdict&& one) {
  all.effects |= one.effects;
  all.bodies |= one.bodies;
  all.asks |= one.asks;
  all.depends_on_literals |= one.depends_on_literals;
  if (one.is_safe || !all.is_safe) return;
  all.is_safe = false;
  all.is_doubt = one.is_doubt;
  all.is_local = one.is_local;
  all.shared = one.shared;
  all.reason = std::move(one.reason);
}

bool is_builtin(const catalog_function& f) {
  return f.schema == pg_catalog_schema && f.id < first_user_object;
}

constexpr object_id transaction_id = 28;  // the type xid

// age(timestamptz) and age(timestamp) go by the date; age(xid) by the server's next transaction.
bool is_age_of_a_time(const catalog_function& f) {
  return f.id == 1386 || f.id == 2059;
}

}  // namespace

std::vector<object_id> names_in_path::searched(const object_name& name) const {
  if (name.schema.empty()) {
    const auto path = judge_.schemas(path_);
    return {path.begin(), path.end()};
  }
  const auto* schema = judge_.known().schema(name.schema);
  return schema == nullptr ? std::vector<object_id>{} : std::vector<object_id>{schema->id};
}

object_id names_in_path::type_named(const object_name& name) const {
  const auto all = judge_.known().types(name.name);
  for (const auto schema : searched(name)) {
    for (const auto& type : all) {
      if (type.schema == schema) return type.id;
    }
  }
  return 0;
}

// Whether PostgreSQL could pass the argument without being told to.
bool names_in_path::takes(object_id parameter, const argument_type& argument) const {
  if (argument.is == argument_type::kind::unknown) return true;
  if (argument.is == argument_type::kind::column)
    return parameter != transaction_id || judge_.known().may_be_transaction_id(argument.name.name);
  const auto* type = judge_.known().type(parameter);
  if (type == nullptr || type->kind == 'p' || type->kind == 'd') return type != nullptr;
  const auto goes = [&](object_id from) {
    return from == parameter || judge_.known().can_cast_implicitly(from, parameter);
  };
  constexpr object_id int4 = 23;
  constexpr object_id int8 = 20;
  constexpr object_id numeric = 1700;
  if (argument.is == argument_type::kind::number) return goes(int4) || goes(int8) || goes(numeric);
  const auto from = type_named(argument.name);
  const auto* known = from == 0 ? nullptr : judge_.known().type(from);
  if (known == nullptr || known->kind != 'b') return true;  // its base type, or what it is made of, counts
  return goes(from);
}

bool names_in_path::fits(const catalog_function& f, const function_call& call) const {
  const std::size_t most = f.arguments.size;
  const std::size_t least = most - std::min<std::size_t>(most, f.defaults);
  const bool fits_variadic = f.is_variadic && call.arguments + 1 >= std::max<std::size_t>(least, 1);
  if (!fits_variadic && (call.arguments < least || call.arguments > most)) return false;
  if (f.is_variadic || call.types.size() > most) return true;
  const auto parameters = judge_.known().ids(f.arguments);
  for (std::size_t at = 0; at < call.types.size(); ++at) {
    if (!takes(parameters[at], call.types[at])) return false;
  }
  return true;
}

bool names_in_path::is_exact(const catalog_function& f, const function_call& call) const {
  if (call.types.size() != f.arguments.size || call.types.empty()) return false;
  const auto parameters = judge_.known().ids(f.arguments);
  for (std::size_t at = 0; at < call.types.size(); ++at) {
    const auto& argument = call.types[at];
    if (argument.is != argument_type::kind::named || type_named(argument.name) != parameters[at])
      return false;
  }
  return true;
}

// A function hides those of the same arguments in schemas behind its own, where the session surely sees it.
std::vector<const catalog_function*> names_in_path::candidates(const function_call& call) const {
  const auto& known = judge_.known();
  std::vector<const catalog_function*> found;
  const auto is_hidden = [&](const catalog_function& f) {
    return std::ranges::any_of(found, [&](const catalog_function* other) {
      return std::ranges::equal(known.ids(other->arguments), known.ids(f.arguments)) &&
             judge_.may_use(other->schema);
    });
  };
  const auto all = known.functions(call.name.name);
  for (const auto schema : searched(call.name)) {
    for (const auto& f : all) {
      if (f.schema != schema || f.kind == 'p' || !fits(f, call) || is_hidden(f)) continue;
      if (is_exact(f, call) && judge_.may_use(f.schema)) return {&f};
      found.push_back(&f);
    }
  }
  return found;
}

verdict names_in_path::function(const function_call& call) const {
  const auto& name = call.name;
  const auto unknown = [&] { return doubt(fmt::format("calls unknown function {}()", text_of(name)), true); };
  if (!name.catalog.empty() || is_temporary_schema(name.schema)) return unknown();
  verdict all;
  bool is_known = false;
  bool is_builtin_judged = false;
  for (const auto* f : candidates(call)) {
    is_known = true;
    if (is_age_of_a_time(*f) && judge_.listing_of(*f) == listing::none) continue;
    if (!is_builtin(*f) || judge_.listing_of(*f) != listing::none) {
      join(all, judge_.call(*f, path_, call.arguments, call.types));
    } else if (!std::exchange(is_builtin_judged, true)) {
      join(all, builtin_facts().function({{{}, "pg_catalog", name.name}, call.arguments, call.types}));
    }
  }
  if (call.arguments == 1) join(all, cast_to(name, is_known));  // int4(x), and rows by their type's name
  return is_known ? all : unknown();
}

verdict names_in_path::cast_to(const object_name& name, bool& is_known) const {
  const auto& known = judge_.known();
  if (const auto id = type_named(name); id != 0) {
    is_known = true;
    return judge_.type(*known.type(id), path_);
  }
  const auto all = known.relations(name.name);
  for (const auto schema : searched(name)) {
    for (const auto& relation : all) {
      if (relation.schema != schema || relation.row_type == 0) continue;
      is_known = true;
      return judge_.row(relation, path_);
    }
  }
  return {};
}

verdict names_in_path::relation(const object_name& name) const {
  if (is_temporary_schema(name.schema)) {
    verdict answer;
    answer.is_safe = false;
    answer.reason = fmt::format("relation {} is temporary", text_of(name));
    return answer;
  }
  const auto all = judge_.known().relations(name.name);
  verdict worst;
  for (const auto schema : searched(name)) {
    const auto found = std::ranges::find_if(
        all, [&](const catalog_relation& each) { return each.schema == schema && each.kind != 'c'; });
    if (found == all.end()) continue;
    join(worst, judge_.relation(*found, path_));
    worst.asks_sequences |= found->asks_sequences;
    worst.asks_settings |= found->asks_settings;
    if (judge_.may_use(schema) || !worst.is_safe) return worst;
  }
  if (!worst.is_safe) return worst;
  const bool is_only_hidden = std::ranges::any_of(searched(name), [&](object_id schema) {
    return std::ranges::any_of(all, [&](const catalog_relation& each) { return each.schema == schema; });
  });
  if (is_only_hidden) return worst;
  auto unknown = doubt(fmt::format("relation {} is not in the catalog as last read", text_of(name)), false);
  unknown.effects.meets_unknown = true;
  return unknown;
}

session_effects names_in_path::written(const object_name& name) const {
  session_effects left;
  if (is_temporary_schema(name.schema)) return left;
  const auto all = judge_.known().relations(name.name);
  bool is_known = false;
  for (const auto schema : searched(name)) {
    const auto found = std::ranges::find_if(
        all, [&](const catalog_relation& each) { return each.schema == schema && each.kind != 'c'; });
    if (found == all.end()) continue;
    is_known = true;
    left |= judge_.written(*found, path_).effects;
    if (judge_.may_use(schema)) break;
  }
  left.meets_unknown |= !is_known;
  return left;
}

verdict names_in_path::operation(const object_name& name) const {
  const auto& known = judge_.known();
  verdict all;
  bool is_known = name.schema.empty() || name.schema == "pg_catalog";
  const auto path = searched(name);
  for (const auto& each : known.operators(name.name)) {
    if (std::ranges::find(path, each.schema) == path.end()) continue;
    is_known = true;
    join(all, judge_.operation(each, path_));
  }
  return is_known ? all : doubt(fmt::format("uses unknown operator {}", text_of(name)), true);
}

verdict names_in_path::type(const object_name& name) const {
  if (is_temporary_schema(name.schema)) return builtin_facts().type(name);
  bool is_known = false;
  auto judged = cast_to(name, is_known);
  if (!is_known) return doubt(fmt::format("type {} is not in the catalog as last read", text_of(name)), true);
  judged.depends_on_literals |= builtin_facts().type(name).depends_on_literals;
  return judged;
}

// `t.f` is f(t) where t has no column f: only functions of a row can be meant.
verdict names_in_path::column(std::string_view column, bool qualified) const {
  verdict all;
  if (!qualified) return all;
  const auto& known = judge_.known();
  const auto path = judge_.schemas(path_);
  for (const auto& f : known.functions(column)) {
    const std::size_t most = f.arguments.size;
    if (is_builtin(f) || most == 0 || f.defaults + 1u < most) continue;
    if (std::ranges::find(path, f.schema) == path.end()) continue;
    const auto first = known.ids(f.arguments).front();
    const auto* type = known.type(first);
    const bool takes_rows = type == nullptr || type->kind == 'p' || type->kind == 'c';
    if (takes_rows) join(all, judge_.call(f, path_, 1, {}));
  }
  return all;
}

// Any function of one argument, but no cast.
verdict names_in_path::selection(std::string_view field) const {
  const std::array<argument_type, 1> value{};
  const function_call call{{{}, {}, field}, 1, value};
  return candidates(call).empty() ? verdict{} : function(call);
}

// Of two texts an operator for just those is taken, whatever others of its name there are: ltree's || too.
bool names_in_path::is_only_builtin(object_sort sort, std::string_view name) const {
  const auto is_made = [](const auto& each) { return each.id >= first_user_object; };
  const auto& known = judge_.known();
  if (sort == object_sort::function) return std::ranges::none_of(known.functions(name), is_made);
  return std::ranges::none_of(known.operators(name), [&](const catalog_operator& each) {
    const auto* f = is_made(each) ? known.function(each.function) : nullptr;
    return f != nullptr &&
           std::ranges::all_of(known.ids(f->arguments), [](auto id) { return id == text_type; });
  });
}

}  // namespace pgsteer::routing
