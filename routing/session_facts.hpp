// The facts of one database for sessions of any role and search_path, made as they are asked for. One
// per thread and database: owned by routing::router and by the proxy's groups.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "routing/catalog_facts.hpp"

namespace pgsteer::routing {

struct chosen_facts {
  const facts* known = nullptr;  // null: there is no catalog
  std::uint64_t number = 0;      // see parse_context::facts_number
};

class session_facts {
 public:
  // `numbers` counts facts; sessions that share a classifier share it.
  explicit session_facts(std::uint64_t& numbers) : numbers_(numbers) {}
  session_facts(const session_facts&) = delete;
  session_facts& operator=(const session_facts&) = delete;

  // From now on; null: no facts. What of() gave before is no more.
  void use(std::shared_ptr<const catalog> known);
  void use_lists(std::shared_ptr<const function_lists> lists);
  [[nodiscard]] bool has_catalog() const { return catalog_ != nullptr; }
  [[nodiscard]] const catalog* known() const { return catalog_.get(); }
  // Grows with each use().
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  // Valid until the next use() or of(). Without a path: the one that the role's sessions start with.
  [[nodiscard]] chosen_facts of(std::string_view role, std::optional<std::string_view> search_path);

 private:
  struct numbered {
    std::unique_ptr<catalog_facts> known;
    std::uint64_t number = 0;
  };

  std::uint64_t& numbers_;
  std::shared_ptr<const catalog> catalog_;
  std::shared_ptr<const function_lists> lists_;
  struct by_both {
    using is_transparent = void;
    using views = std::pair<std::string_view, std::string_view>;
    bool operator()(const views& a, const views& b) const { return a < b; }
  };
  std::map<std::pair<std::string, std::string>, numbered, by_both> made_;
  std::uint64_t epoch_ = 0;
};

}  // namespace pgsteer::routing
