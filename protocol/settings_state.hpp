// The settings a session has changed, as immutable shared values: what a client carries from
// backend to backend, and what a backend has in force. Comparing two is comparing pointers.
// https://www.postgresql.org/docs/15/config-setting.html#id-1.6.6.4.5
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgsteer::protocol {

using settings_map = std::map<std::string, std::string, std::less<>>;

struct settings_state {
  settings_map values;         // lower-case name to value in the form set_config() takes
  std::uint32_t plan_key = 0;  // equal for states under which a text is parsed and planned alike
  [[nodiscard]] std::string_view get(std::string_view name) const {
    const auto at = values.find(name);
    return at == values.end() ? std::string_view{} : std::string_view(at->second);
  }
};
using settings_ref = std::shared_ptr<const settings_state>;

// Whether this parameter never changes how a statement is parsed or planned.
[[nodiscard]] bool is_plan_neutral(std::string_view name);
// Those of its settings that its plan_key tells.
[[nodiscard]] settings_map plan_settings(const settings_state& state);

// Interns states: equal values give the same pointer. One per worker.
class settings_pool {
 public:
  settings_pool();
  [[nodiscard]] settings_ref none() const { return none_; }
  [[nodiscard]] settings_ref intern(settings_map values);

 private:
  void drop_unused();
  std::unordered_map<std::string, settings_ref> states_;
  std::unordered_map<std::string, std::uint32_t> plan_keys_;
  std::size_t sweep_at_ = 256;
  settings_ref none_;  // last: interned when the tables above are there
};

// The statements that lead from one state to another, for one simple Query; empty where none are
// needed. Role and session authorization are undone first and set last.
struct settings_change {
  std::string sql;
  bool may_fail = false;  // a role may have been dropped or revoked: wait for the answer
};
[[nodiscard]] settings_change change_settings(const settings_state& from, const settings_state& to);

// SQL string literal and identifier, quoted so that no setting changes how they read.
[[nodiscard]] std::string quote_literal(std::string_view text);
[[nodiscard]] std::string quote_identifier(std::string_view name);

}  // namespace pgsteer::protocol
