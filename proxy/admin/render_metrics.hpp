// The answer of /metrics: every counter of the workers summed, pools, pins, servers and the process,
// in Prometheus's text format. Used by proxy/admin/routes.
#pragma once

#include <string>

#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

[[nodiscard]] std::string render_metrics(const admin_view& view);

}  // namespace pgsteer::proxy
