// What a server's URL says to pgsteer and not to libpq: pgsteer_weight, _zone, _role and _expand.
// Called by config/urls.cpp.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// The text without them, as libpq may read it; their values go into `out`.
[[nodiscard]] parsed<std::string> take_own_parameters(std::string text, server_url& out);

/// "auto", "primary" or "replica", as pgsteer_role says it.
[[nodiscard]] std::string_view to_text(claimed_role role);

}  // namespace pgsteer::config
