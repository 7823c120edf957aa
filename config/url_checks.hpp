// What libpq's parser lets pass and its connecting would refuse, and what a pool cannot serve.
// Called by config/urls.cpp with every default filled in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/conninfo.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

inline constexpr std::string_view default_server_port = "5432";

/// Hosts and ports as libpq pairs them: hostaddr stands in where host is missing; one port serves all.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> places(const conninfo& info);

[[nodiscard]] std::optional<complaint> check_server(const conninfo& info);

}  // namespace pgsteer::config
