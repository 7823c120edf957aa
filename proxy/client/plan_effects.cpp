#include "proxy/client/plan_effects.hpp"

#include <string_view>

#include "protocol/settings_state.hpp"

namespace pgsteer::proxy {

namespace {

using routing::session_effects;
using routing::statement_kind;

// A server notices by itself that a statement was parsed by another search_path or as another role. How it
// has read literals it does not.
session_effects effects_of_setting(std::string_view name) {
  session_effects out;
  if (protocol::is_plan_neutral(name)) return out;
  out.changes_plans = true;
  out.changes_reading = name != "search_path" && name != "role" && name != "session_authorization";
  return out;
}

session_effects of_any() {
  session_effects out;
  out.changes_plans = out.changes_reading = true;
  return out;
}

}  // namespace

session_effects plan_effects_of_set(const routing::classification& c) {
  const bool is_one = c.kind == statement_kind::set || c.kind == statement_kind::set_local;
  if (!is_one || (c.name.empty() && c.locals.empty())) return of_any();
  session_effects out;
  if (!c.name.empty()) out |= c.name == "all" ? of_any() : effects_of_setting(c.name);
  for (const auto& each : c.locals)
    out |= each.name.parameter != 0 ? of_any() : effects_of_setting(each.name.text);
  return out;
}

}  // namespace pgsteer::proxy
