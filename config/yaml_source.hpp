// The YAML file as a source of settings, with the line of each.
// Called by config/load.cpp.
#pragma once

#include <string>
#include <string_view>

#include "config/given.hpp"

namespace pgsteer::config {

/// `name` is how messages name the file. Never throws, whatever the text is.
[[nodiscard]] gathered gather_yaml(const std::string& text, std::string_view name);

}  // namespace pgsteer::config
