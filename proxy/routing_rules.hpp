// What the configuration says of routes, in the terms of routing/. Made at start-up and at each reload for
// the workers, and for `pgsteer route`.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "routing/overrides.hpp"

namespace pgsteer::proxy {

[[nodiscard]] std::shared_ptr<const routing::routing_rules> make_routing_rules(const config::settings& s);

}  // namespace pgsteer::proxy
