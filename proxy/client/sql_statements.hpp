// Statements made by SQL's PREPARE, as the proxy carries them from backend to backend: by their text, to
// be said again. A session has those that it made; a backend those that were made on it, by whomever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/settings_state.hpp"
#include "proxy/client/extended_unit.hpp"
#include "routing/classifier.hpp"

namespace pgsteer::proxy {

struct sql_statement {
  std::string text;                 // the whole PREPARE
  protocol::settings_ref settings;  // under which it was made; null: it cannot be made again
  std::uint32_t group = 0;          // see client_group::statements_key
  [[nodiscard]] bool is_carried() const { return settings != nullptr; }
};
using sql_statement_ref = std::shared_ptr<const sql_statement>;

// Equal ones are one object, so that sessions with the same statements share what a backend has. One per
// worker.
class sql_statement_pool {
 public:
  [[nodiscard]] sql_statement_ref intern(std::string_view text, const protocol::settings_ref& settings,
                                         std::uint32_t group);
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }

 private:
  std::unordered_map<std::string, sql_statement_ref> by_key_;
  std::size_t sweep_at_ = 256;
};

// By name. Statements of one session, or on one backend.
class sql_statements {
 public:
  using name_map = std::map<std::string, sql_statement_ref, std::less<>>;

  [[nodiscard]] sql_statement_ref find(std::string_view name) const;
  [[nodiscard]] const name_map& all() const { return by_name_; }
  [[nodiscard]] bool is_empty() const { return by_name_.empty(); }
  // Whether one more of this size may be carried.
  [[nodiscard]] bool has_room(std::size_t text_size) const;
  [[nodiscard]] bool is_carried() const;  // all of them
  void set(std::string_view name, sql_statement_ref s);
  void erase(std::string_view name);

 private:
  name_map by_name_;
  std::size_t bytes_ = 0;
};

void erase_from(std::unique_ptr<sql_statements>& all, std::string_view name);

// Made since the server was last asked what is there.
struct fresh_statement {
  std::string name;
  std::string text;
  bool is_made = false;  // its PREPARE has been answered
};

// The statements of a session by name, whoever made them. All may be null or empty.
struct statements_in_reach {
  const client_statements& by_protocol;
  const sql_statements* by_sql = nullptr;
  const std::vector<fresh_statement>* fresh = nullptr;
  std::uint32_t plan_key = 0;  // of the settings in force
  bool has_temporary = false;  // what is executed may mean temporary objects of the session
};

// What EXECUTE of this name runs; null where nobody knows. A read only if it is one on any backend.
[[nodiscard]] routing::classification_ref executed_statement(std::string_view name,
                                                             const statements_in_reach& reach,
                                                             routing::classifier& classifier,
                                                             const routing::parse_context& context);

}  // namespace pgsteer::proxy
