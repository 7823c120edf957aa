// What a session wants of the proxy, by its own settings, the configuration of its user and database, and
// what holds for all. Found by session_wishes.cpp; sessions that have set nothing share their group's.
#pragma once

#include <chrono>
#include <cstdint>

#include "config/settings.hpp"
#include "routing/overrides.hpp"

namespace pgsteer::proxy {

struct wishes_in_force {
  std::uint64_t rules_number = 0;  // of the rules by which they were found: see worker::rules_number
  routing::session_wish route;
  bool splits = false;
  std::chrono::milliseconds max_lag{0};
  std::chrono::milliseconds consistency_wait{0};
  config::consistency level = config::consistency::session;
};

}  // namespace pgsteer::proxy
