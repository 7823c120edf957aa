// The settings a server reports by itself with ParameterStatus (GUC_REPORT), PostgreSQL 14 to 18.
// Asked by the proxy that keeps each client's view of them while backends change underneath.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace pgsteer::protocol {

struct reported_parameter {
  std::string_view name;  // as ParameterStatus spells it
  int since;              // first major version that reports it, 14 for all older
  bool is_settable;       // a session can change it; else it belongs to the server or the login
};

[[nodiscard]] std::span<const reported_parameter> reported_parameters();

// Ignores case, as SET does.
[[nodiscard]] const reported_parameter* find_reported_parameter(std::string_view name);

[[nodiscard]] bool is_reported(std::string_view name);

// The spelling ParameterStatus uses (DateStyle, TimeZone, IntervalStyle, ...); nothing if not reported.
[[nodiscard]] std::optional<std::string_view> canonical_parameter_name(std::string_view name);

}  // namespace pgsteer::protocol
