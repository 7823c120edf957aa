// What a statement may change of how the texts behind it are parsed, until the session's settings are asked
// for at the end of its transaction. Pure; used by sessions and their batches.
#pragma once

#include "routing/classification.hpp"

namespace pgsteer::proxy {

// Of one that sets something.
[[nodiscard]] routing::session_effects plan_effects_of_set(const routing::classification& c);

// Its bits changes_plans and changes_reading, and no others.
[[nodiscard]] inline routing::session_effects plan_effects(const routing::classification& c) {
  return c.effects.may_set || c.effects.sets_local ? plan_effects_of_set(c) : routing::session_effects{};
}

}  // namespace pgsteer::proxy
