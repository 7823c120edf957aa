#include "proxy/metrics.hpp"

namespace pgsteer::proxy {

std::string_view to_string(route_reason r) {
  switch (r) {
    case route_reason::read:
      return "read";
    case route_reason::write:
      return "write";
    case route_reason::transaction:
      return "transaction";
    case route_reason::read_only_block:
      return "read_only_block";
    case route_reason::split_block:
      return "split_block";
    case route_reason::unknown_function:
      return "unknown_function";
    case route_reason::not_parsed:
      return "not_parsed";
    case route_reason::pinned:
      return "pinned";
    case route_reason::session_state:
      return "session_state";
    case route_reason::no_replica:
      return "no_replica";
    case route_reason::replica_down:
      return "replica_down";
    case route_reason::replica_lag:
      return "replica_lag";
    case route_reason::replica_behind:
      return "replica_behind";
    case route_reason::catalog:
      return "catalog";
    case route_reason::shared:
      return "shared";
    case route_reason::retried:
      return "retried";
    case route_reason::learned:
      return "learned";
    case route_reason::held:
      return "held";
    case route_reason::count_:
      break;
  }
  return "other";
}

}  // namespace pgsteer::proxy
