// What a server's URL says to pgsteer and not to libpq: pgsteer_weight and pgsteer_zone.
// Called by config/urls.cpp.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// The text without them, as libpq may read it; their values go into `out`.
[[nodiscard]] parsed<std::string> take_balance_parameters(std::string text, server_url& out);

}  // namespace pgsteer::config
