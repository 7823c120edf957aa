#include "routing/statements.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "routing/function_body.hpp"
#include "routing/local_settings.hpp"
#include "routing/settings_statements.hpp"
#include "routing/tree.hpp"
#include "routing/utility_statements.hpp"
#include "routing/walker.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

classification from_findings(findings&& found, statement_kind when_read = statement_kind::read) {
  classification is;
  is.effects = found.effects;
  is.bodies = std::move(found.bodies);
  is.asks = std::move(found.asks);
  is.needs_catalog = found.needs_catalog;
  is.kind = found.is_read() ? when_read : statement_kind::write;
  is.is_dml = found.modifies;
  is.is_liftable = !found.is_read() && found.is_liftable && when_read == statement_kind::read;
  is.reason = found.is_read() ? "read" : std::move(found.reason);
  return is;
}

judged_statement judge_query(std::string_view type, const json::value& fields, const facts& known) {
  findings found;
  walker(known, found).within(fields).walk_within(type, fields);
  const bool depends = found.depends_on_literals;
  const bool is_query = type == "SelectStmt" && !found.modifies && !found.locks;
  judged_statement judged{from_findings(std::move(found)), depends};
  judged.is.is_query = is_query;
  return judged;
}

// The closed world holds for statements around a query too.
void expect_only(const json::object& node, std::initializer_list<std::string_view> known, findings& found) {
  for (const auto& field : node) {
    const std::string_view name(field.key().data(), field.key().size());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      found.refuse(fmt::format("unknown syntax {}", name));
    }
  }
}

// A boolean option as PostgreSQL reads it: no argument means true, the last one counts.
truth option_truth(const json::object& option) {
  const auto* argument = option.if_contains("arg");
  if (argument == nullptr) return truth::yes;
  if (const auto* text = as_node(*argument, "String")) return truth_of(text_field(*text, "sval"));
  if (const auto* number = as_node(*argument, "Integer")) {
    return number->if_contains("ival") == nullptr ? truth::no : truth::yes;
  }
  return truth::unknown;
}

bool has_setting_options(const json::array* options) {
  if (options == nullptr) return false;
  for (const auto& item : *options) {
    const auto* option = as_node(item, "DefElem");
    if (option == nullptr) return true;
    if (text_field(*option, "defname") == "settings" && option_truth(*option) != truth::no) return true;
  }
  return false;
}

bool has_arguments(const json::array* options) {
  if (options == nullptr) return false;
  for (const auto& item : *options) {
    const auto* option = as_node(item, "DefElem");
    if (option == nullptr || option->if_contains("arg") != nullptr) return true;
  }
  return false;
}

// ANALYZE with anything but a plain no.
bool may_run(const json::array* options) {
  if (options == nullptr) return false;
  return std::ranges::any_of(*options, [](const json::value& item) {
    const auto* option = as_node(item, "DefElem");
    return option == nullptr ||
           (text_field(*option, "defname") == "analyze" && option_truth(*option) != truth::no);
  });
}

bool is_modifying(const json::value& query) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"},
      [&](auto type) { return as_node(query, type) != nullptr; });
}

// Judged as what it explains, with and without ANALYZE: planning too runs functions. A write that is only
// planned is planned on a standby as well.
judged_statement judge_explain(const json::object& node, const facts& known) {
  findings found;
  expect_only(node, {"query", "options"}, found);
  const auto* options = list_field(node, "options");
  if (const auto* query = node.if_contains("query")) {
    const bool is_planned = is_modifying(*query) && !may_run(options);
    const bool is_query = is_planned || as_node(*query, "SelectStmt") != nullptr;
    walker(known, found, is_planned ? walk_of::plan : walk_of::execution).walk(*query);
    if (!is_query) found.refuse("EXPLAIN of a statement that is not a query");
  } else {
    found.refuse("EXPLAIN of nothing known");
  }
  if (has_setting_options(options)) found.refuse("EXPLAIN (SETTINGS): settings differ from server to server");
  const bool depends = found.depends_on_literals || has_arguments(options);
  judged_statement judged{from_findings(std::move(found)), depends};
  if (judged.is.is_dml) judged.is.reason = fmt::format("EXPLAIN: {}", judged.is.reason);
  judged.is.is_dml = false;
  return judged;
}

classification judge_copy(const json::object& node, const facts& known) {
  findings found;
  expect_only(node,
              {"relation", "query", "attlist", "is_from", "is_program", "filename", "options", "whereClause"},
              found);
  if (flag_field(node, "is_from")) {
    found.refuse("COPY FROM is not a read");
    const auto* target = object_field(node, "relation");
    if (target != nullptr) found.note_target(known, relation_name(*target));
  }
  if (flag_field(node, "is_program")) found.refuse("COPY TO PROGRAM runs on the server's machine");
  if (node.contains("filename")) found.refuse("COPY TO a file writes on the server's machine");
  walker walk(known, found);
  if (const auto* relation = node.if_contains("relation")) walk.walk_within("RangeVar", *relation);
  if (const auto* query = node.if_contains("query")) walk.walk(*query);
  if (const auto* where = node.if_contains("whereClause")) walk.walk(*where);
  return from_findings(std::move(found));
}

classification judge_declare(const json::object& node, const facts& known) {
  constexpr std::int64_t hold = 0x0020;  // CURSOR_OPT_HOLD
  findings found;
  expect_only(node, {"portalname", "options", "query"}, found);
  const auto* options = node.if_contains("options");
  if (options != nullptr && (!options->is_int64() || (options->get_int64() & hold) != 0)) {
    found.refuse("cursor WITH HOLD outlives its transaction");
    found.effects.may_pin = true;
  }
  if (const auto* query = node.if_contains("query")) {
    walker(known, found).walk(*query);
  } else {
    found.refuse("DECLARE without a query");
  }
  return from_findings(std::move(found), statement_kind::declare_cursor_read);
}

classification judge_cursor_use(std::string_view command, bool may_unpin) {
  classification is;
  is.kind = statement_kind::cursor_use;
  is.effects.may_pin = may_unpin;
  is.reason = fmt::format("{} uses a cursor of the session", command);
  return is;
}

// What PREPARE prepares, as EXECUTE of it will be judged.
std::shared_ptr<const classification> judge_prepared(const json::object& node, const facts& known) {
  const auto* query = node.if_contains("query");
  const auto* wrapper = query == nullptr ? nullptr : query->if_object();
  if (wrapper == nullptr || wrapper->size() != 1) return nullptr;
  const auto& key = wrapper->begin()->key();
  auto is = judge_query({key.data(), key.size()}, wrapper->begin()->value(), known).is;
  findings types;
  if (const auto* list = node.if_contains("argtypes")) walker(known, types).walk(*list);
  if (!types.is_read()) {
    is.kind = statement_kind::write;
    is.is_liftable = false;
    is.reason = types.reason;
    is.effects |= types.effects;
  }
  return std::make_shared<const classification>(std::move(is));
}

// What it prepares does not run.
classification judge_prepare(const json::object& node, const facts& known) {
  classification is;
  is.part = judge_prepared(node, known);
  is.effects.may_pin = true;
  is.use = statement_use::prepares;
  is.used = text_field(node, "name");
  is.reason = "PREPARE keeps a statement in the session";
  return is;
}

// Nothing is known here of what it runs.
classification judge_execute(const json::object& node, const facts& known) {
  findings found;
  expect_only(node, {"name", "params"}, found);
  if (const auto* arguments = node.if_contains("params")) walker(known, found).walk(*arguments);
  classification is;
  is.use = found.is_read() ? statement_use::executes : statement_use::several;
  is.used = text_field(node, "name");
  is.part = std::make_shared<const classification>(from_findings(std::move(found)));
  is.effects = is.part->effects;
  is.effects.may_set = true;
  is.effects.may_pin = true;
  is.reason = "EXECUTE runs a prepared statement of the session";
  return is;
}

// EXPLAIN or CREATE TABLE AS of an EXECUTE: of them, only what they leave themselves is known here.
classification judge_embedded(const json::object& execute, const session_effects& own, std::string reason,
                              const facts& known) {
  auto is = judge_execute(execute, known);
  auto outer = *is.part;
  outer.effects |= own;
  if (is.use == statement_use::executes) is.use = statement_use::embeds;
  is.effects |= own;
  is.part = std::make_shared<const classification>(std::move(outer));
  is.reason = std::move(reason);
  return is;
}

const json::object* executed_in(const json::object& node) {
  const auto* query = node.if_contains("query");
  return query == nullptr ? nullptr : as_node(*query, "ExecuteStmt");
}

classification judge_deallocate(const json::object& node) {
  classification is;
  is.kind = statement_kind::deallocate;
  is.name = text_field(node, "name");
  is.effects.may_pin = true;
  is.effects.deallocates_all = is.name.empty();
  is.use = is.name.empty() ? statement_use::none : statement_use::deallocates;
  is.used = is.name;
  is.reason = "DEALLOCATE ends a prepared statement of the session";
  return is;
}

classification judge_discard(const json::object& node) {
  classification is;
  const auto what = text_field(node, "target");
  is.effects.may_set = what != "DISCARD_PLANS";
  is.effects.may_pin = what != "DISCARD_PLANS";
  is.effects.deallocates_all = is.effects.resets = what == "DISCARD_ALL";
  is.reason = "DISCARD changes the session";
  return is;
}

// Of PL/pgSQL, where its body proves to be nothing but reads; otherwise as any other utility statement.
// What it is and does; nothing where its language is another.
std::optional<findings> judge_do(const json::object& node, const facts& known) {
  const auto* arguments = list_field(node, "args");
  if (arguments == nullptr) return std::nullopt;
  std::string_view source;
  for (const auto& item : *arguments) {
    const auto* option = as_node(item, "DefElem");
    const auto* value = option == nullptr ? nullptr : option->if_contains("arg");
    const auto* text = value == nullptr ? nullptr : as_node(*value, "String");
    if (text == nullptr) return std::nullopt;
    if (text_field(*option, "defname") == "as") source = text_field(*text, "sval");
    if (text_field(*option, "defname") == "language" && text_field(*text, "sval") != "plpgsql")
      return std::nullopt;
  }
  plpgsql_body body;
  body.source = source;
  body.returns_nothing = true;
  return judge_plpgsql_body(body, known);
}

// Who makes a function in C will call it, before the catalog is read again.
bool is_in_c(const json::object& create_function) {
  const auto* options = list_field(create_function, "options");
  return options != nullptr && std::any_of(options->begin(), options->end(), [](const auto& item) {
           const auto* option = as_node(item, "DefElem");
           const auto* value = option == nullptr ? nullptr : option->if_contains("arg");
           const auto* text = value == nullptr ? nullptr : as_node(*value, "String");
           return text != nullptr && text_field(*option, "defname") == "language" &&
                  text_field(*text, "sval") == "c";
         });
}

// Everything else: known by name for its reason and what it may leave, and its queries are walked for
// what they call.
classification judge_utility(std::string_view type, const json::value& fields, const facts& known) {
  classification is;
  const auto utility = find_utility_statement(type);
  if (!utility) {
    is.effects = {.may_set = true, .may_pin = true, .changes_catalog = true};
    is.reason = fmt::format("unknown statement {}", type);
    return is;
  }
  is.effects = utility->effects;
  is.reason = fmt::format("{} is not a read", utility->command);
  is.is_dml = utility->is_definition;
  const auto* node = fields.if_object();
  if (node != nullptr && type == "CreateFunctionStmt") is.effects.calls_c = is_in_c(*node);
  if (const auto* execute = node == nullptr ? nullptr : executed_in(*node))
    return judge_embedded(*execute, is.effects, std::move(is.reason), known);
  const auto* query = node == nullptr ? nullptr : node->if_contains("query");
  if (query != nullptr && type == "CreateTableAsStmt") {
    findings found;
    walker(known, found).walk(*query);
    is.effects |= found.effects;
  }
  return is;
}

classification judge_node(std::string_view type, const json::value& fields, std::string_view sql,
                          const facts& known) {
  const auto* object = fields.if_object();
  if (object == nullptr) return judge_utility(type, fields, known);
  const auto& node = *object;
  if (type == "TransactionStmt") return judge_transaction(node);
  if (type == "VariableSetStmt") return judge_set(node, sql);
  if (type == "VariableShowStmt") return judge_show(node);
  if (type == "CopyStmt") return judge_copy(node, known);
  if (type == "DeclareCursorStmt") return judge_declare(node, known);
  if (type == "FetchStmt") return judge_cursor_use(flag_field(node, "ismove") ? "MOVE" : "FETCH", false);
  if (type == "ClosePortalStmt") return judge_cursor_use("CLOSE", true);
  if (type == "PrepareStmt") return judge_prepare(node, known);
  if (type == "ExecuteStmt") return judge_execute(node, known);
  if (type == "DeallocateStmt") return judge_deallocate(node);
  if (type == "DoStmt") {
    auto found = judge_do(node, known);
    if (found && found->is_read()) return from_findings(*std::move(found));
    auto is = judge_utility(type, fields, known);
    if (!found) return is;
    // What no state of the server tells afterwards.
    is.effects.names_settings |= found->effects.names_settings;
    is.effects.seeds_random |= found->effects.seeds_random;
    is.effects.calls_c |= found->effects.calls_c;
    return is;
  }
  if (type == "DiscardStmt") return judge_discard(node);
  return judge_utility(type, fields, known);
}

bool is_query(std::string_view type) {
  return type == "SelectStmt" || type == "InsertStmt" || type == "UpdateStmt" || type == "DeleteStmt" ||
         type == "MergeStmt";
}

}  // namespace

judged_statement judge_statement(const json::value& tree, std::string_view sql, const facts& known) {
  const auto* wrapper = tree.if_object();
  if (wrapper == nullptr || wrapper->size() != 1) {
    return {judge_utility("that cannot be read", json::value{}, known), true};
  }
  const auto& key = wrapper->begin()->key();
  const std::string_view type(key.data(), key.size());
  const auto& fields = wrapper->begin()->value();
  const auto* node = fields.if_object();
  if (type == "SelectStmt" && node != nullptr) {
    if (auto locals = judge_local_settings(*node, known)) {
      const bool depends = !takes_all_from_bind(*locals);
      return {*std::move(locals), depends};
    }
  }
  if (is_query(type)) return judge_query(type, fields, known);
  if (const auto* execute = node != nullptr && type == "ExplainStmt" ? executed_in(*node) : nullptr)
    return {judge_embedded(*execute, {}, "EXPLAIN of a prepared statement of the session", known), true};
  if (type == "ExplainStmt" && node != nullptr) return judge_explain(*node, known);
  return {judge_node(type, fields, sql, known), true};
}

}  // namespace pgsteer::routing
