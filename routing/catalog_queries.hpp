// The queries that read a database's catalog, and what makes a catalog of their rows. The caller runs
// them in one read-only snapshot with an empty search_path: proxy/control/catalog_loader.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/catalog.hpp"
#include "routing/node_tree.hpp"

namespace pgsteer::routing {

enum class catalog_query : std::uint8_t {
  schemas,
  types,
  functions,
  aggregates,
  operators,
  casts,
  relations,
  children,
  views,
  policies,
  checks,
  type_functions,
  type_operators,
  paths,
  superusers,
  askers,
  transaction_ids,
  writes,
  temporary,           // temporary_objects_query(), which is in no list: only who follows sessions asks it
  temporary_anywhere,  // ... with namesakes in any schema, for sessions with a search_path of their own
};

struct catalog_query_text {
  catalog_query id;
  const char* sql;
};

// In the order in which their rows must be added.
[[nodiscard]] std::span<const catalog_query_text> catalog_queries();

using catalog_row = std::span<const std::optional<std::string_view>>;
using catalog_rows = std::vector<std::vector<std::optional<std::string>>>;

class catalog_builder {
 public:
  catalog_builder();

  // A row of that query's answer in text format. A row that cannot be read is left out, and is_whole()
  // is false from then on.
  void add(catalog_query from, catalog_row row);
  [[nodiscard]] bool is_whole() const { return is_whole_; }

  [[nodiscard]] std::shared_ptr<const catalog> finish();

 private:
  using uses_by_object = std::map<object_id, std::vector<reference>>;

  void add_schema(catalog_row row);
  void add_type(catalog_row row);
  void add_function(catalog_row row);
  void add_aggregate(catalog_row row);
  void add_operator(catalog_row row);
  void add_cast(catalog_row row);
  void add_relation(catalog_row row);
  void add_child(catalog_row row);
  void add_tree(uses_by_object& into, catalog_row row, bool is_view);
  void add_write(catalog_row row);
  void add_type_use(catalog_row row, object_kind kind);
  void add_path(catalog_row row);

  object_id id(catalog_row row, std::size_t column);
  slice keep(const std::vector<reference>& uses);
  std::vector<reference> with_settings(const tree_uses& uses);
  std::vector<reference> references(std::string_view ids, object_kind kind);
  std::uint32_t details(catalog_row row);
  void finish_uses();

  std::shared_ptr<catalog> made_;
  uses_by_object relation_uses_;
  uses_by_object write_uses_;
  uses_by_object type_uses_;
  uses_by_object function_uses_;
  std::map<object_id, std::string_view> view_refusals_;
  std::set<object_id> sequence_askers_;
  std::set<object_id> setting_askers_;
  bool is_whole_ = true;
};

// The same for rows that are all here, by query.
[[nodiscard]] std::shared_ptr<const catalog> make_catalog(const std::map<catalog_query, catalog_rows>& rows);

}  // namespace pgsteer::routing
