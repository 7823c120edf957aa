// What is wrong with a settings value as a whole, though each setting alone is right.
// Called by config/load.cpp when every source has been applied.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/problem.hpp"
#include "config/settings.hpp"

namespace pgsteer::config {

/// Where a setting was given, for messages; the variable it could be given with, if it was not.
using place_of = std::function<std::string(std::string_view name)>;

[[nodiscard]] problems check(const settings& values, const place_of& place);

}  // namespace pgsteer::config
