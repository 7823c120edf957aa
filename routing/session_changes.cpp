#include "routing/session_changes.hpp"

#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "routing/classifier.hpp"
#include "routing/settings_statements.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

using changes = std::vector<session_change>;

void add(changes& into, change_kind kind, std::string_view name = {}, std::string_view value = {}) {
  into.push_back({kind, std::string(name), std::string(value)});
}

bool is_temporary(const json::object& relation) {
  return text_field(relation, "relpersistence") == "t" ||
         text_field(relation, "schemaname").starts_with("pg_temp");
}

void add_relation(changes& into, const json::object* relation, bool until_commit) {
  if (relation == nullptr) return;
  const auto name = text_field(*relation, "relname");
  if (is_temporary(*relation)) {
    add(into, until_commit ? change_kind::make_temporary_until_commit : change_kind::make_temporary, name);
  } else if (text_field(*relation, "schemaname").empty()) {
    add(into, change_kind::make_relation, name);
  }
}

void add_into(changes& into, const json::object* clause) {
  if (clause == nullptr) return;
  add_relation(into, object_field(*clause, "rel"), text_field(*clause, "onCommit") == "ONCOMMIT_DROP");
}

void add_transaction(changes& into, const json::object& node) {
  const auto kind = text_field(node, "kind");
  const auto name = text_field(node, "savepoint_name");
  const auto judged = judge_transaction(node);
  if (judged.verb == transaction_verb::begin) {
    into.push_back({change_kind::begin, {}, {}, judged.access, judged.level});
  } else if (kind == "TRANS_STMT_COMMIT" || kind == "TRANS_STMT_PREPARE") {
    add(into, flag_field(node, "chain") ? change_kind::chain : change_kind::commit);
  } else if (kind == "TRANS_STMT_ROLLBACK") {
    add(into, change_kind::rollback, {}, flag_field(node, "chain") ? "chain" : "");
  } else if (kind == "TRANS_STMT_SAVEPOINT") {
    add(into, change_kind::savepoint, name);
  } else if (kind == "TRANS_STMT_RELEASE") {
    add(into, change_kind::release, name);
  } else if (kind == "TRANS_STMT_ROLLBACK_TO") {
    add(into, change_kind::rollback_to, name);
  }
}

// As search_path keeps it: every argument is one schema, whatever it holds.
std::string schema_list(const json::object& node) {
  std::string list;
  const auto* arguments = list_field(node, "args");
  if (arguments == nullptr) return list;
  for (const auto& item : *arguments) {
    const auto* constant = as_node(item, "A_Const");
    const auto* text = constant == nullptr ? nullptr : object_field(*constant, "sval");
    if (text == nullptr) continue;
    list += list.empty() ? "\"" : ", \"";
    for (const char c : text_field(*text, "sval")) {
      if (c == '"') list += c;
      list += c;
    }
    list += '"';
  }
  return list;
}

void add_setting(changes& into, const json::object& node, std::string_view sql) {
  auto judged = judge_set(node, sql);
  if (judged.name == "search_path") judged.value = schema_list(node);
  if (judged.verb == transaction_verb::set_transaction) {
    into.push_back({change_kind::set_transaction, {}, {}, judged.access, judged.level});
    return;
  }
  if (judged.name == "session_characteristics") {
    if (judged.access != access_mode::unspecified) {
      add(into, change_kind::set, "default_transaction_read_only",
          judged.access == access_mode::read_only ? "on" : "off");
    }
    if (judged.level != isolation::unspecified) {
      add(into, change_kind::set, "default_transaction_isolation", name_of(judged.level));
    }
    return;
  }
  const bool is_reset = text_field(node, "kind") != "VAR_SET_VALUE";
  const auto kind = judged.kind == statement_kind::set_local ? change_kind::set_local : change_kind::set;
  if (judged.effects.seeds_random) add(into, change_kind::seed);
  add(into, is_reset ? change_kind::reset : kind, judged.name, judged.value);
}

std::string_view object_last_name(const json::value& object) {
  const auto* list = as_node(object, "List");
  const auto* items = list == nullptr ? nullptr : list_field(*list, "items");
  const auto* last = items == nullptr || items->empty() ? nullptr : as_node(items->back(), "String");
  return last == nullptr ? std::string_view{} : text_field(*last, "sval");
}

// Its schema is named, and is no session's own.
bool is_elsewhere(const json::value& object) {
  const auto* list = as_node(object, "List");
  const auto* items = list == nullptr ? nullptr : list_field(*list, "items");
  if (items == nullptr || items->size() < 2) return false;
  const auto* schema = as_node((*items)[items->size() - 2], "String");
  return schema != nullptr && !text_field(*schema, "sval").starts_with("pg_temp");
}

void add_drop(changes& into, const json::object& node) {
  const auto* objects = list_field(node, "objects");
  if (objects == nullptr) return;
  for (const auto& object : *objects) {
    if (is_elsewhere(object)) continue;
    const auto name = object_last_name(object);
    if (!name.empty()) add(into, change_kind::drop, name);
  }
}

void add_discard(changes& into, const json::object& node) {
  const auto what = text_field(node, "target");
  if (what == "DISCARD_ALL") add(into, change_kind::discard_all);
  if (what == "DISCARD_TEMP") add(into, change_kind::discard_temporary);
}

void add_declare(changes& into, const json::object& node) {
  constexpr std::int64_t hold = 0x0020;  // CURSOR_OPT_HOLD
  const auto* options = node.if_contains("options");
  const bool is_held = options != nullptr && options->is_int64() && (options->get_int64() & hold) != 0;
  if (is_held) add(into, change_kind::hold_cursor, text_field(node, "portalname"));
}

void add_parents(changes& into, const json::object& node) {
  const auto* child = object_field(node, "relation");
  const auto* parents = list_field(node, "inhRelations");
  if (child == nullptr || parents == nullptr) return;
  for (const auto& parent : *parents) {
    const auto* relation = as_node(parent, "RangeVar");
    if (relation != nullptr)
      add(into, change_kind::inherit, text_field(*child, "relname"), text_field(*relation, "relname"));
  }
}

void add_altered_parents(changes& into, const json::object& node) {
  const auto* child = object_field(node, "relation");
  const auto* commands = list_field(node, "cmds");
  if (child == nullptr || commands == nullptr) return;
  for (const auto& each : *commands) {
    const auto* command = as_node(each, "AlterTableCmd");
    if (command == nullptr || text_field(*command, "subtype") != "AT_AddInherit") continue;
    const auto* def = command->if_contains("def");
    const auto* parent = def == nullptr ? nullptr : as_node(*def, "RangeVar");
    add(into, change_kind::inherit, text_field(*child, "relname"),
        parent == nullptr ? std::string_view{} : text_field(*parent, "relname"));
  }
}

void add_temporary_function(changes& into, const json::object& node) {
  const auto name = name_field(node, "funcname");
  if (name && name->schema.starts_with("pg_temp")) add(into, change_kind::make_temporary, name->name);
}

void add_statement(changes& into, std::string_view type, const json::object& node, std::string_view sql) {
  if (type == "TransactionStmt") return add_transaction(into, node);
  if (type == "VariableSetStmt") return add_setting(into, node, sql);
  if (type == "CreateStmt") {
    add_relation(into, object_field(node, "relation"), text_field(node, "oncommit") == "ONCOMMIT_DROP");
    return add_parents(into, node);
  }
  if (type == "AlterTableStmt") return add_altered_parents(into, node);
  if (type == "CreateTableAsStmt") return add_into(into, object_field(node, "into"));
  if (type == "SelectStmt") return add_into(into, object_field(node, "intoClause"));
  if (type == "ViewStmt") return add_relation(into, object_field(node, "view"), false);
  if (type == "CreateSeqStmt") return add_relation(into, object_field(node, "sequence"), false);
  if (type == "CreateFunctionStmt") return add_temporary_function(into, node);
  if (type == "DropStmt") return add_drop(into, node);
  if (type == "RenameStmt") {
    const auto* relation = object_field(node, "relation");
    const bool is_relation = relation != nullptr && text_field(node, "renameType") != "OBJECT_COLUMN";
    if (is_relation)
      add(into, change_kind::rename, text_field(*relation, "relname"), text_field(node, "newname"));
    return;
  }
  if (type == "ListenStmt") return add(into, change_kind::listen, text_field(node, "conditionname"));
  if (type == "UnlistenStmt") return add(into, change_kind::unlisten, text_field(node, "conditionname"));
  if (type == "DeclareCursorStmt") return add_declare(into, node);
  if (type == "ClosePortalStmt") return add(into, change_kind::close_cursor, text_field(node, "portalname"));
  if (type == "PrepareStmt") return add(into, change_kind::prepare, text_field(node, "name"));
  if (type == "DeallocateStmt") return add(into, change_kind::deallocate, text_field(node, "name"));
  if (type == "LoadStmt") return add(into, change_kind::load);
  if (type == "DiscardStmt") return add_discard(into, node);
}

std::string constant_argument(const json::array& arguments, std::size_t at) {
  const auto* cast = at < arguments.size() ? as_node(arguments[at], "TypeCast") : nullptr;
  const auto* inner = cast == nullptr ? nullptr : cast->if_contains("arg");
  const auto* value = inner != nullptr ? inner : (at < arguments.size() ? &arguments[at] : nullptr);
  const auto* constant = value == nullptr ? nullptr : as_node(*value, "A_Const");
  if (constant == nullptr) return {};
  if (const auto* text = object_field(*constant, "sval")) return std::string(text_field(*text, "sval"));
  const auto* boolean = object_field(*constant, "boolval");
  if (boolean == nullptr) return {};
  return flag_field(*boolean, "boolval") ? "true" : "false";
}

void add_set_config(changes& into, const json::object& call) {
  const auto* arguments = list_field(call, "args");
  if (arguments == nullptr || arguments->size() != 3) return;
  const auto name = lower_case(constant_argument(*arguments, 0));
  const auto local = truth_of(constant_argument(*arguments, 2));
  if (name.empty() || local == truth::unknown) return;
  add(into, local == truth::yes ? change_kind::set_local : change_kind::set, name,
      constant_argument(*arguments, 1));
}

void add_call(changes& into, const json::object& call) {
  const auto name = name_field(call, "funcname");
  if (!name) return;
  const auto function = name->name;
  if (function == "set_config") return add_set_config(into, call);
  if (function == "setseed") return add(into, change_kind::seed);
  if (function == "pg_advisory_unlock_all") return add(into, change_kind::unlock_all);
  if (function == "pg_advisory_unlock" || function == "pg_advisory_unlock_shared")
    return add(into, change_kind::unlock);
  if (function == "pg_advisory_lock" || function == "pg_advisory_lock_shared" ||
      function == "pg_try_advisory_lock" || function == "pg_try_advisory_lock_shared") {
    add(into, change_kind::lock);
  }
}

// Function calls stand anywhere: every value of the tree is looked at.
void add_calls(changes& into, const json::value& value) {
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list)
      add_calls(into, item);
    return;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [key, field] : *object) {
    const auto* call = key == "FuncCall" ? field.if_object() : nullptr;
    if (call != nullptr) add_call(into, *call);
    add_calls(into, field);
  }
}

}  // namespace

text_changes session_changes(sql_parser& parser, std::string_view sql) {
  text_changes found;
  const bool can_parse = sql.size() <= max_parsed_text && sql.find('\0') == std::string_view::npos;
  if (!can_parse || parser.parse(sql) != parse_failure::none) return found;
  found.is_parsed = true;
  const auto* root = parser.tree().if_object();
  const auto* statements = root == nullptr ? nullptr : list_field(*root, "stmts");
  if (statements == nullptr) return found;
  for (const auto& item : *statements) {
    const auto* raw = item.if_object();
    const auto* statement = raw == nullptr ? nullptr : object_field(*raw, "stmt");
    if (statement == nullptr || statement->size() != 1) continue;
    const auto& node = statement->begin()->value();
    const std::string_view type(statement->begin()->key().data(), statement->begin()->key().size());
    if (const auto* fields = node.if_object()) add_statement(found.list, type, *fields, sql);
    if (!type.starts_with("Create") && !type.starts_with("View")) add_calls(found.list, node);
  }
  return found;
}

}  // namespace pgsteer::routing
