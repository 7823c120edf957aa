// The URL of a server as its control connection has taken it: see server::pin().
// Used by whoever opens other connections to it.
#pragma once

#include "config/settings.hpp"
#include "proxy/control/server.hpp"

namespace pgsteer::proxy {

// Of several hosts and addresses the one that the monitor has taken; before it has, a primary among them.
[[nodiscard]] config::server_url pinned_url(const server& s);

}  // namespace pgsteer::proxy
