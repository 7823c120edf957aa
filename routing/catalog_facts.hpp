// Facts from a catalog for the sessions of one role and search_path. One per thread: it remembers what
// it has judged and is not synchronised; the catalog behind it is shared.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "routing/catalog.hpp"
#include "routing/facts.hpp"

namespace pgsteer::routing {

class catalog_judge;
class names_in_path;

struct function_lists;

class catalog_facts final : public facts {
 public:
  catalog_facts(std::shared_ptr<const catalog> known, std::string role, std::string_view search_path,
                std::shared_ptr<const function_lists> lists = {});
  ~catalog_facts() override;
  catalog_facts(const catalog_facts&) = delete;
  catalog_facts& operator=(const catalog_facts&) = delete;

  [[nodiscard]] verdict function(const function_call& call) const override;
  [[nodiscard]] verdict relation(const object_name& relation) const override;
  [[nodiscard]] session_effects written(const object_name& relation) const override;
  [[nodiscard]] verdict operation(const object_name& operation) const override;
  [[nodiscard]] verdict type(const object_name& type) const override;
  [[nodiscard]] verdict column(std::string_view column, bool qualified) const override;
  [[nodiscard]] verdict selection(std::string_view field) const override;
  [[nodiscard]] bool is_only_builtin(object_sort sort, std::string_view name) const override;

 private:
  std::unique_ptr<catalog_judge> judge_;
  std::unique_ptr<names_in_path> names_;
};

}  // namespace pgsteer::routing
