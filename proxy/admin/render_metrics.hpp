// The answer of /metrics: every counter and gauge of the process in Prometheus text format.
// Pure; used by proxy/admin/routes, and by the console for its list of counters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

struct named_counter {
  std::string_view name, help;
  std::uint64_t value = 0;
};

[[nodiscard]] std::vector<named_counter> named_counters(const worker_metrics& from);

[[nodiscard]] std::string render_metrics(const admin_view& view);

}  // namespace pgsteer::proxy
