// What the command line interface prints of the configuration: help, version, the effective settings.
// Called by config/load.cpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace pgsteer::config {

[[nodiscard]] std::string help_text();
[[nodiscard]] std::string version_text();

/// All settings as YAML that --config takes, secrets redacted; `source` names where each comes from.
[[nodiscard]] std::string to_yaml(const settings& values,
                                  const std::function<std::string(std::string_view name)>& source);

}  // namespace pgsteer::config
