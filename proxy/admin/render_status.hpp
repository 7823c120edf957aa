// The answer of /status: servers and pools as JSON, for people and scripts.
// Pure; used by proxy/admin/routes.
#pragma once

#include <string>

#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

// `now` is the wall clock, for the uptime.
[[nodiscard]] std::string render_status(const admin_view& view, std::chrono::system_clock::time_point now);

}  // namespace pgsteer::proxy
