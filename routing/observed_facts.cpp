#include "routing/observed_facts.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "routing/overrides.hpp"
#include "routing/tree.hpp"
#include "routing/walker.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

constexpr std::size_t max_relations = 100000;

std::string_view relation_field(const json::object& node, std::string_view field) {
  const auto* relation = object_field(node, field);
  return relation == nullptr ? std::string_view{} : text_field(*relation, "relname");
}

bool is_unlogged(const json::object& node, std::string_view field) {
  const auto* relation = object_field(node, field);
  return relation != nullptr && text_field(*relation, "relpersistence") == "u";
}

}  // namespace

observed_facts::observed_facts(std::shared_ptr<const function_lists> lists)
    : base_(make_listed_facts(lists != nullptr ? std::move(lists)
                                               : std::make_shared<const function_lists>())) {}

bool observed_facts::learn(const json::value& tree) {
  const auto* root = tree.if_object();
  const auto* statements = root == nullptr ? nullptr : list_field(*root, "stmts");
  if (statements == nullptr) return false;
  bool is_changed = false;
  for (const auto& item : *statements) {
    const auto* raw = item.if_object();
    const auto* statement = raw == nullptr ? nullptr : object_field(*raw, "stmt");
    if (statement == nullptr || statement->size() != 1) continue;
    const std::string_view type(statement->begin()->key().data(), statement->begin()->key().size());
    const auto* node = statement->begin()->value().if_object();
    if (node != nullptr) is_changed |= learn_statement(type, *node);
  }
  return is_changed;
}

bool observed_facts::learn_statement(std::string_view type, const json::object& node) {
  constexpr std::string_view unlogged = "is unlogged, which a standby does not have";
  if (type == "CreateSeqStmt") {
    return refuse(relation_field(node, "sequence"), "is a sequence, which a replica has at another value");
  }
  if (type == "CreateForeignTableStmt") {
    const auto* base = object_field(node, "base");
    return base != nullptr && refuse(relation_field(*base, "relation"), "is a foreign table");
  }
  if (type == "CreateStmt") {
    const auto name = relation_field(node, "relation");
    return is_unlogged(node, "relation") ? refuse(name, unlogged) : trust(name);
  }
  if (type == "SelectStmt" || type == "CreateTableAsStmt") {
    const auto* into = object_field(node, type == "SelectStmt" ? "intoClause" : "into");
    if (into == nullptr) return false;
    const auto name = relation_field(*into, "rel");
    return is_unlogged(*into, "rel") ? refuse(name, unlogged) : trust(name);
  }
  if (type == "ViewStmt") return learn_view(node);
  if (type == "RenameStmt") return learn_rename(node);
  if (type == "DropStmt") return learn_drop(node);
  return false;
}

bool observed_facts::learn_view(const json::object& node) {
  const auto name = relation_field(node, "view");
  const auto* query = node.if_contains("query");
  if (query == nullptr) return false;
  findings found;
  walker(*this, found).walk(*query);
  if (found.is_read()) return trust(name);
  return refuse(name, fmt::format("is a view that {}", found.reason));
}

bool observed_facts::learn_rename(const json::object& node) {
  const auto known = refused_.find(relation_field(node, "relation"));
  if (known == refused_.end() || text_field(node, "renameType") == "OBJECT_COLUMN") return false;
  const auto reason = known->second;
  return refuse(text_field(node, "newname"), reason);
}

bool observed_facts::learn_drop(const json::object& node) {
  const auto* objects = list_field(node, "objects");
  if (objects == nullptr) return false;
  bool is_changed = false;
  for (const auto& object : *objects) {
    const auto* list = as_node(object, "List");
    const auto name = list == nullptr ? std::nullopt : name_field(*list, "items");
    if (name) is_changed |= trust(name->name);
  }
  return is_changed;
}

bool observed_facts::refuse(std::string_view name, std::string_view reason) {
  if (name.empty() || refused_.size() >= max_relations) return false;
  refused_.insert_or_assign(std::string(name), std::string(reason));
  return true;
}

bool observed_facts::trust(std::string_view name) {
  const auto found = refused_.find(name);
  if (found == refused_.end()) return false;
  refused_.erase(found);
  return true;
}

verdict observed_facts::function(const function_call& call) const {
  return base_->function(call);
}

verdict observed_facts::relation(const object_name& relation) const {
  const auto found = refused_.find(relation.name);
  if (found == refused_.end()) return base_->relation(relation);
  verdict answer;
  answer.is_safe = false;
  answer.reason = fmt::format("relation {} {}", relation.name, found->second);
  return answer;
}

session_effects observed_facts::written(const object_name& relation) const {
  return base_->written(relation);
}

verdict observed_facts::operation(const object_name& operation) const {
  return base_->operation(operation);
}

verdict observed_facts::type(const object_name& type) const {
  return base_->type(type);
}

verdict observed_facts::column(std::string_view column, bool qualified) const {
  return base_->column(column, qualified);
}

}  // namespace pgsteer::routing
