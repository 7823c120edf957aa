// The table of settings by topic: add a setting to the part it belongs to.
// Joined by schema(), who alone calls these.
#pragma once

#include <span>

#include "config/schema.hpp"

namespace pgsteer::config {

/// Servers, listeners, logging in, TLS.
[[nodiscard]] std::span<const setting> server_settings();
/// Who may log in, beyond the list of users.
[[nodiscard]] std::span<const setting> access_settings();
/// What a pool is and how it is used.
[[nodiscard]] std::span<const setting> pool_settings();
/// Where statements go.
[[nodiscard]] std::span<const setting> routing_settings();
/// How many and how long; logs.
[[nodiscard]] std::span<const setting> limit_settings();

}  // namespace pgsteer::config
