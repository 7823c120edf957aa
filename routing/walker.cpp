#include "routing/walker.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "routing/function_body.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

std::string_view locking_words(std::string_view strength) {
  if (strength == "LCS_FORKEYSHARE") return "FOR KEY SHARE";
  if (strength == "LCS_FORSHARE") return "FOR SHARE";
  if (strength == "LCS_FORNOKEYUPDATE") return "FOR NO KEY UPDATE";
  return "FOR UPDATE";
}

std::string_view modifying_word(std::string_view type) {
  if (type == "InsertStmt") return "INSERT";
  if (type == "UpdateStmt") return "UPDATE";
  return type == "DeleteStmt" ? "DELETE" : "MERGE";
}

// The last field, where it is a name and not `*`.
std::string_view last_name(const json::array& fields) {
  if (fields.empty()) return {};
  const auto* last = as_node(fields.back(), "String");
  return last == nullptr ? std::string_view{} : text_field(*last, "sval");
}

std::size_t count(const json::array* list) {
  return list == nullptr ? 0 : list->size();
}

// Of casts and numbers; a string may become anything.
argument_type type_of(const json::value& argument) {
  if (const auto* constant = as_node(argument, "A_Const")) {
    const bool is_number = constant->contains("ival") || constant->contains("fval");
    if (is_number) return {argument_type::kind::number, {}, {}};
    argument_type type;
    if (const auto* text = object_field(*constant, "sval")) type.constant = text_field(*text, "sval");
    return type;
  }
  const auto* cast = as_node(argument, "TypeCast");
  const auto* type = cast == nullptr ? nullptr : object_field(*cast, "typeName");
  if (type == nullptr || type->contains("arrayBounds") || flag_field(*type, "setof")) return {};
  const auto name = name_field(*type, "names");
  if (!name) return {};
  argument_type named{argument_type::kind::named, *name, {}};
  const auto* constant = cast->if_contains("arg");
  const bool is_text = name->name == "text" || (name->name == "varchar" && !type->contains("typmods"));
  if (is_text && constant != nullptr) named.constant = type_of(*constant).constant;
  return named;
}

bool is_true(const json::value& argument) {
  const auto* constant = as_node(argument, "A_Const");
  const auto* value = constant == nullptr ? nullptr : object_field(*constant, "boolval");
  return value != nullptr && flag_field(*value, "boolval");
}

// Written anywhere but where it is asked for: it may then be what a part of the statement makes.
bool is_given(std::string_view name, const json::value& tree) {
  if (const auto* text = tree.if_string()) return view(*text) == name;
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [&](const auto& item) { return is_given(name, item); });
  const auto* node = tree.if_object();
  if (node == nullptr) return false;
  return std::ranges::any_of(
      *node, [&](const auto& field) { return field.key() != "ColumnRef" && is_given(name, field.value()); });
}

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// `o.*` of another item, or a column that is one of `columns` where it may be of the one called `of`.
bool is_harmless_column(const json::object& reference, std::span<const std::string_view> columns,
                        std::string_view of) {
  const auto* fields = list_field(reference, "fields");
  if (fields == nullptr || fields->empty() || fields->size() > 2) return false;
  const auto* qualifier = fields->size() == 2 ? as_node(fields->front(), "String") : nullptr;
  if (qualifier != nullptr && text_field(*qualifier, "sval") != of) return true;
  const auto name = last_name(*fields);
  return name != of && is_among(name, columns);
}

// Whether nothing in a statement reads another column of the item in FROM that is called `of`.
bool asks_only(std::span<const std::string_view> columns, std::string_view of, const json::value& tree) {
  if (const auto* list = tree.if_array())
    return std::ranges::all_of(*list, [&](const auto& item) { return asks_only(columns, of, item); });
  const auto* node = tree.if_object();
  if (node == nullptr) return true;
  // An alias of a join has its columns, too.
  if (const auto* join = as_node(tree, "JoinExpr"); join != nullptr && join->contains("alias")) return false;
  if (flag_field(*node, "isNatural")) return false;
  if (const auto* reference = as_node(tree, "ColumnRef")) return is_harmless_column(*reference, columns, of);
  return std::ranges::all_of(*node, [&](const auto& field) {
    if (field.key() != "usingClause") return asks_only(columns, of, field.value());
    const auto* names = field.value().if_array();
    return names != nullptr && std::ranges::all_of(*names, [&](const auto& each) {
             const auto* name = as_node(each, "String");
             return name != nullptr && is_among(text_field(*name, "sval"), columns);
           });
  });
}

}  // namespace

void findings::refuse(std::string_view why) {
  if (reason.empty()) reason = why;
  if (certain_reason.empty()) certain_reason = why;
  is_liftable = false;
}

void findings::doubt(std::string_view why) {
  if (reason.empty()) reason = why;
}

void findings::doubt_code(std::string_view why) {
  doubt(why);
  effects.may_set = true;
  effects.may_pin = true;
}

void findings::take(verdict&& judged) {
  effects |= judged.effects;
  bodies |= judged.bodies;
  asks |= judged.asks;
  needs_catalog |= judged.needs_catalog;
  depends_on_literals |= judged.depends_on_literals;
  if (judged.is_safe) return;
  is_liftable = is_liftable && (judged.is_doubt || judged.is_local);
  if (certain_reason.empty() && !judged.is_doubt) certain_reason = judged.reason;
  if (reason.empty()) reason = std::move(judged.reason);
}

// What is written to a table runs its defaults, checks, policies and triggers.
void findings::note_target(const facts& known, const object_name& table) {
  const auto judged = known.relation(table);
  effects.uses_session_sequence |= judged.asks_sequences;
  effects.reads_custom |= judged.asks_settings;
  effects |= known.written(table);
}

void walker::walk(const json::value& tree) {
  if (const auto* list = tree.if_array()) {
    for (const auto& item : *list)
      walk(item);
    return;
  }
  const auto* wrapper = tree.if_object();
  if (wrapper == nullptr) return unknown("value", "that is not a node");
  if (wrapper->size() != 1) return unknown("value", "that is no single node");
  const std::string_view type(wrapper->begin()->key().data(), wrapper->begin()->key().size());
  walk_within(type, wrapper->begin()->value());
}

void walker::walk_some(const json::value& tree) {
  const auto* list = tree.if_array();
  if (list == nullptr) return unknown("value", "that is not a list");
  for (const auto& item : *list) {
    const auto* wrapper = item.if_object();
    const bool is_absent = wrapper != nullptr && wrapper->empty();
    if (!is_absent) walk(item);
  }
}

void walker::walk_within(std::string_view type, const json::value& fields) {
  const auto* rule = find_node_rule(type);
  if (rule == nullptr) return unknown("syntax", type);
  walk_fields(*rule, fields);
}

void walker::walk_fields(const node_rule& rule, const json::value& fields) {
  const auto* node = fields.if_object();
  if (node == nullptr) return unknown("value in", rule.name);
  const auto outer_tables = common_tables_.size();
  if (rule.judge != node_judge::none) judge(rule, *node);
  const auto* with = rule.may_have_with ? node->if_contains("withClause") : nullptr;
  if (with != nullptr) walk_with(*with);
  for (const auto& [key, value] : *node) {
    const std::string_view name(key.data(), key.size());
    if (&value == with) continue;
    const auto* field = rule.find(name);
    if (field == nullptr) {
      unknown("syntax", fmt::format("{}.{}", rule.name, name));
    } else if (field->action == field_action::walk) {
      walk(value);
    } else if (field->action == field_action::walk_some) {
      walk_some(value);
    } else if (field->action == field_action::within) {
      walk_fields(*field->inner, value);
    }
  }
  common_tables_.resize(outer_tables);
}

// RECURSIVE shows every name to every query of the list, otherwise to those behind it.
void walker::walk_with(const json::value& clause) {
  const auto* with = clause.if_object();
  const auto* tables = with == nullptr ? nullptr : list_field(*with, "ctes");
  if (tables == nullptr || with->size() > 3) return unknown("syntax", "WITH");
  const auto name_of = [](const json::value& item) {
    const auto* table = as_node(item, "CommonTableExpr");
    return table == nullptr ? std::string_view{} : text_field(*table, "ctename");
  };
  const bool is_recursive = flag_field(*with, "recursive");
  if (is_recursive) {
    for (const auto& item : *tables)
      common_tables_.push_back(name_of(item));
  }
  for (const auto& item : *tables) {
    walk(item);
    if (!is_recursive) common_tables_.push_back(name_of(item));
  }
}

bool walker::is_common_table(const object_name& name) const {
  if (!name.schema.empty()) return false;
  return std::find(common_tables_.begin(), common_tables_.end(), name.name) != common_tables_.end();
}

void walker::judge(const node_rule& rule, const json::object& fields) {
  switch (rule.judge) {
    case node_judge::select:
      return judge_select(fields);
    case node_judge::modify:
      return judge_modify(rule.name, fields);
    case node_judge::range_var:
      return judge_range_var(fields);
    case node_judge::func_call:
      return judge_call(fields);
    case node_judge::column_ref:
      return judge_column(fields);
    case node_judge::expression:
      return judge_operator(fields, "name");
    case node_judge::sub_link:
      return judge_operator(fields, "operName");
    case node_judge::sort_by:
      return judge_operator(fields, "useOp");
    case node_judge::indirection:
      return judge_indirection(fields);
    case node_judge::join:
      return judge_join(fields);
    case node_judge::switch_case:
      return judge_case(fields);
    case node_judge::type_name:
      return judge_type(fields);
    case node_judge::none:
      return;
  }
}

void walker::judge_select(const json::object& fields) {
  if (const auto* into = object_field(fields, "intoClause")) {
    found_.refuse("SELECT INTO makes a table");
    found_.locks = true;
    found_.effects.may_pin = true;  // a temporary one, when it says so or search_path does
    found_.effects.changes_catalog = true;
    static_cast<void>(into);
  }
  const auto* locking = list_field(fields, "lockingClause");
  if (locking == nullptr || locking->empty()) return;
  const auto* first = as_node(locking->front(), "LockingClause");
  const auto words = locking_words(first == nullptr ? std::string_view{} : text_field(*first, "strength"));
  found_.refuse(fmt::format("locking clause {}", words));
  found_.locks = true;
}

void walker::judge_modify(std::string_view type, const json::object& fields) {
  if (of_ == walk_of::plan) return;
  const auto* target = object_field(fields, "relation");
  if (target != nullptr) found_.note_target(known_, relation_name(*target));
  found_.modifies |= type != "MergeStmt";  // a MERGE without an action that fires is refused by nobody
  found_.refuse(fmt::format("{} is not a read", modifying_word(type)));
}

void walker::judge_range_var(const json::object& fields) {
  const auto name = relation_name(fields);
  if (text_field(fields, "relpersistence") == "t") found_.refuse("makes a temporary table");
  if (is_common_table(name)) return;
  auto judged = known_.relation(name);
  const auto* alias = object_field(fields, "alias");
  const bool is_renamed = alias != nullptr && alias->contains("colnames");
  const auto called = alias == nullptr ? name.name : text_field(*alias, "aliasname");
  if (!judged.shared.empty() && !is_renamed && statement_ != nullptr &&
      asks_only(judged.shared, called, *statement_)) {
    judged = {};
    judged.bodies.add_unknown();
  }
  take(std::move(judged));
}

// percentile_cont(0.5) WITHIN GROUP (ORDER BY x) calls a function of both.
// https://www.postgresql.org/docs/15/sql-expressions.html#SYNTAX-AGGREGATES
void walker::add_ordered_arguments(const json::object& call, std::vector<argument_type>& types) const {
  const auto* order = flag_field(call, "agg_within_group") ? list_field(call, "agg_order") : nullptr;
  if (order == nullptr) return;
  for (const auto& item : *order) {
    const auto* by = as_node(item, "SortBy");
    const auto* value = by == nullptr ? nullptr : by->if_contains("node");
    types.push_back(value == nullptr ? argument_type{} : type_of(*value));
  }
}

void walker::judge_call(const json::object& fields) {
  const auto name = name_field(fields, "funcname");
  if (!name) return unknown("function", "name");
  std::vector<argument_type> types;
  const auto* arguments = list_field(fields, "args");
  if (arguments != nullptr) {
    types.reserve(arguments->size());
    for (const auto& argument : *arguments)
      types.push_back(argument_of(*name, argument));
  }
  add_ordered_arguments(fields, types);
  found_.effects.names_settings |= makes_name_of_setting(*name, arguments);
  if (const auto text = text_run_by(*name, types)) return judge_text(*text);
  if (name->name.ends_with("populate_record") || name->name.ends_with("populate_recordset"))
    judge_filled_row(arguments == nullptr || arguments->empty() ? nullptr : &arguments->front());
  if (unfolds(*name, types.size())) return take(known_.function({*name, 1, {}}));
  take(known_.function({*name, types.size(), types}));
}

// jsonb_populate_record(row, ...) makes a row of the same type, and the checks of its domains run. A cast
// says which type that is, and is judged by itself.
// https://www.postgresql.org/docs/15/functions-json.html#FUNCTIONS-JSON-PROCESSING
void walker::judge_filled_row(const json::value* row) {
  if (row != nullptr && as_node(*row, "TypeCast") == nullptr)
    found_.doubt("fills a row whose type is not told");
}

// The constant query that a function of PostgreSQL's runs, and only reads.
// https://www.postgresql.org/docs/15/textsearch-features.html#TEXTSEARCH-QUERY-REWRITING
// https://www.postgresql.org/docs/15/functions-xml.html#FUNCTIONS-XML-MAPPING
std::optional<std::string> walker::text_run_by(const object_name& function,
                                               const std::vector<argument_type>& arguments) const {
  const auto name = function.name;
  const bool rewrites = name == "ts_rewrite" && arguments.size() == 2;
  const bool counts = name == "ts_stat" && !arguments.empty();
  const bool maps_query = name.starts_with("query_to_xml") && arguments.size() == 4;
  const bool maps_table = name.starts_with("table_to_xml") && arguments.size() == 4;
  if ((!rewrites && !counts && !maps_query && !maps_table) ||
      !known_.is_only_builtin(object_sort::function, name))
    return std::nullopt;
  const auto& text = rewrites ? arguments[1].constant : arguments[0].constant;
  if (!text) return std::nullopt;
  return fmt::format("{}{}", maps_table ? "SELECT * FROM " : "", *text);
}

// set_config('app.' || key, value, false). A constant or a bound value is seen as it passes; so is, in a
// body, what the caller gives.
bool walker::makes_name_of_setting(const object_name& function, const json::array* arguments) const {
  if (function.name != "set_config" || arguments == nullptr || arguments->size() != 3) return false;
  const auto* of = &(*arguments)[0];
  if (const auto* cast = as_node(*of, "TypeCast"); cast != nullptr && cast->contains("arg"))
    of = &cast->at("arg");
  const bool is_given = as_node(*of, "A_Const") != nullptr || as_node(*of, "ParamRef") != nullptr ||
                        (statement_ == nullptr && as_node(*of, "ColumnRef") != nullptr);
  return !is_given && !is_true((*arguments)[2]);
}

void walker::judge_text(std::string_view sql) {
  auto found = judge_sql_body(sql, known_);
  verdict judged;
  judged.is_safe = found.is_read();
  judged.is_doubt = found.certain_reason.empty();
  judged.effects = found.effects;
  judged.asks = std::move(found.asks);
  judged.bodies = std::move(found.bodies);
  judged.bodies.add(sql);
  judged.depends_on_literals = true;
  judged.reason = std::move(found.reason);
  take(std::move(judged));
}

// `FROM unnest(a, b)` stands for one unnest() of each.
// https://www.postgresql.org/docs/15/queries-table-expressions.html#QUERIES-TABLEFUNCTIONS
bool walker::unfolds(const object_name& function, std::size_t arguments) const {
  return arguments > 1 && function.schema.empty() && function.name == "unnest" &&
         known_.is_only_builtin(object_sort::function, function.name);
}

// Of PostgreSQL's own functions, age() alone is a read or none by the type of a column.
argument_type walker::argument_of(const object_name& function, const json::value& argument) const {
  const auto* column = function.name == "age" ? as_node(argument, "ColumnRef") : nullptr;
  const auto* names = column == nullptr || statement_ == nullptr ? nullptr : list_field(*column, "fields");
  if (names == nullptr) return type_of(argument);
  const auto name = last_name(*names);
  if (name.empty() || is_given(name, *statement_)) return {};
  return {argument_type::kind::column, {{}, {}, name}, {}};
}

void walker::judge_column(const json::object& fields) {
  const auto* names = list_field(fields, "fields");
  if (names == nullptr) return unknown("column", "name");
  const auto column = last_name(*names);
  if (!column.empty()) take(known_.column(column, names->size() > 1));
}

void walker::judge_indirection(const json::object& fields) {
  const auto* steps = list_field(fields, "indirection");
  if (steps == nullptr) return;
  for (const auto& step : *steps) {
    const auto* field = as_node(step, "String");
    if (field != nullptr) take(known_.selection(text_field(*field, "sval")));
  }
}

void walker::take_operation(std::string_view name) {
  take(known_.operation({{}, {}, name}));
}

// USING and NATURAL compare by an operator that they do not name.
void walker::judge_join(const json::object& fields) {
  if (fields.contains("usingClause") || flag_field(fields, "isNatural")) take_operation("=");
}

void walker::judge_case(const json::object& fields) {
  if (fields.contains("arg")) take_operation("=");
}

void walker::judge_operator(const json::object& fields, std::string_view field) {
  const auto kind = text_field(fields, "kind");
  if (kind.starts_with("AEXPR_BETWEEN") || kind.starts_with("AEXPR_NOT_BETWEEN")) {
    for (const auto* each : {"<", "<=", ">", ">="})
      take_operation(each);
    return;
  }
  const bool is_implicit = field == "operName" && text_field(fields, "subLinkType") == "ANY_SUBLINK";
  if (count(list_field(fields, field)) == 0) return is_implicit ? take_operation("=") : void();
  const auto name = name_field(fields, field);
  if (!name) return unknown("operator", "name");
  if (name->name == "#=") judge_filled_row(fields.if_contains("lexpr"));  // of hstore
  take(known_.operation(*name));
}

void walker::judge_type(const json::object& fields) {
  const auto name = name_field(fields, "names");
  if (!name) return unknown("type", "name");
  take(known_.type(*name));
}

void walker::unknown(std::string_view what, std::string_view name) {
  found_.doubt_code(fmt::format("unknown {} {}", what, name));
}

}  // namespace pgsteer::routing
