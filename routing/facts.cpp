#include "routing/facts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "routing/builtin_functions.hpp"
#include "routing/overrides.hpp"
#include "routing/system_relations.hpp"

namespace pgsteer::routing {
namespace {

verdict refuse(std::string reason) {
  verdict answer;
  answer.is_safe = false;
  answer.reason = std::move(reason);
  return answer;
}

std::string text_of(const object_name& name) {
  if (name.schema.empty()) return std::string(name.name);
  if (name.catalog.empty()) return fmt::format("{}.{}", name.schema, name.name);
  return fmt::format("{}.{}.{}", name.catalog, name.schema, name.name);
}

bool is_temporary_schema(std::string_view schema) {
  return schema.starts_with("pg_temp") || schema.starts_with("pg_toast_temp");
}

// Nobody knows what it calls: it may change a setting, take a lock, make a table.
verdict unknown_function(const object_name& name) {
  auto answer = refuse(fmt::format("calls unknown function {}()", text_of(name)));
  answer.effects.may_set = true;
  answer.effects.may_pin = true;
  answer.is_doubt = true;
  return answer;
}

session_effects effects_of(const builtin_function& known) {
  session_effects effects;
  effects.may_set = (known.effects & fx_may_set) != 0;
  effects.may_pin = (known.effects & fx_may_pin) != 0;
  effects.calls_c = (known.effects & fx_remembers) != 0;
  effects.uses_session_sequence = (known.effects & fx_session_sequence) != 0;
  effects.calls_nextval = (known.effects & fx_nextval) != 0;
  effects.reads_custom = (known.effects & fx_reads_custom) != 0;
  effects.seeds_random = known.name == "setseed";
  effects.ends_backends = known.name == "pg_terminate_backend";
  return effects;
}

bool is_system_schema(std::string_view schema) {
  return schema.empty() || schema == "pg_catalog" || schema == "information_schema";
}

// The columns only a sequence has: `SELECT last_value FROM s` reads another value on a replica.
bool is_sequence_column(std::string_view column) {
  return column == "last_value" || column == "log_cnt" || column == "is_called";
}

bool is_object_identifier_type(std::string_view type) {
  constexpr std::array<std::string_view, 11> types{
      "regclass",    "regcollation", "regconfig",    "regdictionary", "regnamespace", "regoper",
      "regoperator", "regproc",      "regprocedure", "regrole",       "regtype"};
  for (const auto known : types) {
    if (type == known) return true;
  }
  return false;
}

// The constant name in current_setting('app.tenant', true). version() tells one, too.
std::optional<std::string_view> setting_asked_by(const function_call& call) {
  if (call.name.name == "version" && call.arguments == 0) return server_version;
  const bool asks = call.name.name == "current_setting" && !call.types.empty() && call.arguments <= 2;
  return asks ? call.types.front().constant : std::nullopt;
}

// Of types whose values run nothing that anybody else has made.
bool is_plain_type(const object_name& type) {
  constexpr std::array<std::string_view, 38> plain{
      "bit",     "bool",      "box",         "bpchar", "bytea", "char",    "cidr",     "circle",
      "date",    "float4",    "float8",      "inet",   "int2",  "int4",    "int8",     "interval",
      "json",    "jsonb",     "jsonpath",    "line",   "lseg",  "macaddr", "money",    "name",
      "numeric", "oid",       "path",        "pg_lsn", "point", "polygon", "regclass", "text",
      "time",    "timestamp", "timestamptz", "timetz", "uuid",  "varchar"};
  return type.schema == "pg_catalog" || std::ranges::find(plain, type.name) != plain.end();
}

// Anybody may have made another of that name; for the usual ones, of types that a text would have to name.
bool is_usual_operator(std::string_view name) {
  constexpr std::array<std::string_view, 33> usual{
      "+",  "-",  "*",  "/",  "%",   "^",  "=",   "<>", "!=",  "<",   ">",
      "<=", ">=", "||", "~",  "~*",  "!~", "!~*", "~~", "~~*", "!~~", "!~~*",
      "@>", "<@", "&&", "->", "->>", "#>", "#>>", "@@", "?",   "&",   "|"};
  return std::ranges::find(usual, name) != usual.end();
}

// The functions that the configuration lists, before a catalog says which one a name means: any that could
// be a listed write is one; a listed read is only what is written with its schema.
class listed_names final : public facts {
 public:
  explicit listed_names(std::shared_ptr<const function_lists> lists) : lists_(std::move(lists)) {}

  verdict function(const function_call& call) const override {
    const auto& name = call.name;
    for (const auto& listed : lists_->writes) {
      if (may_be(listed, name))
        return refuse(fmt::format("calls {}, listed under routing.functions.write", listed));
    }
    const bool is_read = !name.schema.empty() && lists_->reads.contains(text_of(name));
    return is_read ? verdict{} : builtin_facts().function(call);
  }
  verdict relation(const object_name& name) const override { return builtin_facts().relation(name); }
  session_effects written(const object_name& name) const override { return builtin_facts().written(name); }
  verdict operation(const object_name& name) const override { return builtin_facts().operation(name); }
  verdict type(const object_name& name) const override { return builtin_facts().type(name); }
  verdict column(std::string_view column, bool qualified) const override {
    for (const auto& listed : lists_->writes) {
      if (qualified && may_be(listed, {{}, {}, column}))
        return refuse(fmt::format("may call {}, listed under routing.functions.write", listed));
    }
    return builtin_facts().column(column, qualified);
  }

 private:
  static bool may_be(std::string_view listed, const object_name& name) {
    const auto full = listed.substr(0, listed.find('('));
    const auto dot = full.find('.');
    return full.substr(dot + 1) == name.name && (name.schema.empty() || full.substr(0, dot) == name.schema);
  }

  std::shared_ptr<const function_lists> lists_;
};

verdict as_named(bool needs_catalog) {
  verdict answer;
  answer.needs_catalog = needs_catalog;
  return answer;
}

class tables_of_names final : public facts {
 public:
  verdict function(const function_call& call) const override {
    const auto& name = call.name;
    if (!name.catalog.empty()) return unknown_function(name);
    if (!name.schema.empty() && name.schema != "pg_catalog") return unknown_function(name);
    if (const auto asked = setting_asked_by(call)) return ask_setting(*asked);
    const auto* known = find_builtin_function(name.name, call.arguments);
    return known == nullptr ? unknown_function(name) : judge_known_function(*known);
  }

  verdict relation(const object_name& name) const override {
    if (is_temporary_schema(name.schema))
      return refuse(fmt::format("relation {} is temporary", text_of(name)));
    if (is_system_schema(name.schema)) {
      const auto system = judge_system_relation(name.schema, name.name);
      if (system && system->is_safe) return {};
      if (system) {
        auto answer = refuse(fmt::format("relation {} {}", name.name, system->reason));
        answer.is_local = system->is_local;
        answer.shared = shared_columns(name.schema, name.name);
        answer.effects.lists_prepared = name.name == "pg_prepared_statements";
        return answer;
      }
    }
    if (name.name.ends_with("_seq")) {
      return refuse(
          fmt::format("relation {} may be a sequence, which a replica has at another value", text_of(name)));
    }
    return as_named(true);
  }

  session_effects written(const object_name& name) const override {
    session_effects left;
    left.may_set = is_system_schema(name.schema) && name.name == "pg_settings";  // UPDATE of it is SET
    return left;
  }

  verdict operation(const object_name& name) const override {
    if (name.schema == "pg_catalog") return {};
    if (name.schema.empty()) return as_named(!is_usual_operator(name.name));
    auto answer = unknown_function(name);
    answer.reason = fmt::format("uses unknown operator {}", text_of(name));
    return answer;
  }

  verdict type(const object_name& name) const override {
    if (is_temporary_schema(name.schema)) return refuse(fmt::format("type {} is temporary", text_of(name)));
    auto answer = as_named(!is_plain_type(name));
    answer.depends_on_literals = is_object_identifier_type(name.name);
    return answer;
  }

  verdict column(std::string_view column, bool qualified) const override {
    if (is_sequence_column(column)) {
      return refuse(
          fmt::format("column {} may be a sequence's, which a replica has at another value", column));
    }
    if (!qualified) return {};
    const auto* known = find_builtin_function(column, 1);  // t.f is f(t) where t has no such column
    return known == nullptr || known->safety == function_safety::safe ? verdict{}
                                                                      : judge_known_function(*known);
  }
};

}  // namespace

verdict judge_known_function(const builtin_function& known) {
  verdict answer;
  answer.is_safe = known.safety == function_safety::safe;
  answer.depends_on_literals = (known.effects & fx_literal_sensitive) != 0;
  answer.effects = effects_of(known);
  if (!answer.is_safe) answer.reason = fmt::format("calls {}(): {}", known.name, known.reason);
  return answer;
}

// CREATE FUNCTION f() ... LANGUAGE internal AS 'pg_is_in_recovery'
std::optional<verdict> judge_alias(std::string_view names, std::size_t arguments) {
  std::optional<verdict> all(std::in_place);
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const auto* known = find_builtin_function(name, arguments);
    if (known == nullptr) return std::nullopt;
    auto one = judge_known_function(*known);
    all->effects |= one.effects;
    if (one.is_safe || !all->is_safe) continue;
    all->is_safe = false;
    all->reason = std::move(one.reason);
  }
  all->bodies.add_unknown();
  return all;
}

verdict ask_setting(std::string_view name) {
  verdict answer;
  answer.asks.add(name);
  answer.effects.reads_custom = true;
  answer.depends_on_literals = true;
  return answer;
}

std::shared_ptr<const facts> make_listed_facts(std::shared_ptr<const function_lists> lists) {
  return std::make_shared<const listed_names>(std::move(lists));
}

const facts& builtin_facts() {
  static const tables_of_names instance;
  return instance;
}

}  // namespace pgsteer::routing
