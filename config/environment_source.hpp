// The environment as a source of settings.
// Called by config/load.cpp.
#pragma once

#include "config/given.hpp"
#include "config/surroundings.hpp"

namespace pgsteer::config {

inline constexpr const char* config_variable = "PGSTEER_CONFIG";

/// Every setting that a variable (or a *_FILE variable) gives, and every PGSTEER_ variable that names none.
[[nodiscard]] gathered gather_environment(const surroundings& around);

/// A variable that Kubernetes sets for a service whose name begins with "pgsteer", not the operator.
[[nodiscard]] bool is_service_link(std::string_view variable, std::string_view value);

}  // namespace pgsteer::config
