// The answers of /health and /readyz from what the monitors know.
// Pure; used by proxy/admin/routes.
#pragma once

#include <optional>
#include <string>

#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

struct health_report {
  bool is_healthy;
  std::string body;  // JSON, its keys in this order: status, version, db_primary, db_replica
};

// Healthy where every configured server is up. db_replica is null where none is configured.
[[nodiscard]] health_report render_health(const admin_view& view);

// Why no traffic should come here; empty where it may.
[[nodiscard]] std::optional<std::string> unready_reason(const admin_view& view);

}  // namespace pgsteer::proxy
