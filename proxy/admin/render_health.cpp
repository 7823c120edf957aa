#include "proxy/admin/render_health.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "proxy/utf8.hpp"

namespace pgsteer::proxy {
namespace {

bool is_configured(const admin_view& v, server_role role) {
  return std::any_of(v.servers.begin(), v.servers.end(), [&](const auto& s) { return s.role == role; });
}

bool are_all_up(const admin_view& v, server_role role) {
  return is_configured(v, role) && std::all_of(v.servers.begin(), v.servers.end(), [&](const auto& s) {
           return s.role != role || (s.health == server_health::up && !s.is_excluded);
         });
}

std::string_view connected(bool is_up) {
  return is_up ? R"("connected")" : R"("disconnected")";
}

}  // namespace

health_report render_health(const admin_view& v) {
  const bool has_replica = is_configured(v, server_role::replica);
  const bool is_primary_up = are_all_up(v, server_role::primary);
  const bool is_replica_up = are_all_up(v, server_role::replica);
  const bool is_healthy = is_primary_up && (is_replica_up || !has_replica);
  return {is_healthy, fmt::format(R"({{"status":"{}","version":{},"db_primary":{},"db_replica":{}}})",
                                  is_healthy ? "healthy" : "unhealthy",
                                  boost::json::serialize(boost::json::string{to_utf8(v.version)}),
                                  connected(is_primary_up), has_replica ? connected(is_replica_up) : "null")};
}

std::optional<std::string> unready_reason(const admin_view& v) {
  if (v.is_draining) return "draining";
  if (are_all_up(v, server_role::primary)) return std::nullopt;
  const auto primary = std::find_if(v.servers.begin(), v.servers.end(),
                                    [](const auto& s) { return s.role == server_role::primary; });
  if (primary == v.servers.end()) return "no primary yet";
  if (primary->health == server_health::unknown) return "primary not reached yet";
  if (primary->last_error.empty()) return "primary not reachable";
  return "primary not reachable: " + to_utf8(primary->last_error);
}

}  // namespace pgsteer::proxy
