#include "routing/catalog_facts.hpp"

#include <utility>

#include "routing/catalog_judge.hpp"

namespace pgsteer::routing {

catalog_facts::catalog_facts(std::shared_ptr<const catalog> known, std::string role,
                             std::string_view search_path, std::shared_ptr<const function_lists> lists)
    : judge_(std::make_unique<catalog_judge>(std::move(known), std::move(role), std::move(lists))),
      names_(std::make_unique<names_in_path>(*judge_, judge_->path(search_path, {}))) {}

catalog_facts::~catalog_facts() = default;

verdict catalog_facts::function(const function_call& call) const {
  return names_->function(call);
}

verdict catalog_facts::relation(const object_name& relation) const {
  return names_->relation(relation);
}

session_effects catalog_facts::written(const object_name& relation) const {
  return names_->written(relation);
}

verdict catalog_facts::operation(const object_name& operation) const {
  return names_->operation(operation);
}

verdict catalog_facts::type(const object_name& type) const {
  return names_->type(type);
}

verdict catalog_facts::column(std::string_view column, bool qualified) const {
  return names_->column(column, qualified);
}

verdict catalog_facts::selection(std::string_view field) const {
  return names_->selection(field);
}

bool catalog_facts::is_only_builtin(object_sort sort, std::string_view name) const {
  return names_->is_only_builtin(sort, name);
}

}  // namespace pgsteer::routing
