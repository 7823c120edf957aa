// Decides from what the configured servers said last which one is the primary, which are replicas
// and which get no traffic. Pure: no clock, lock or log. Used by control/topology_watch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/control/server_report.hpp"

namespace pgsteer::proxy {

// One configured server. `report` is its last word, also after it went silent.
struct member_state {
  enum class contact : std::uint8_t { untried, connected, lost };
  contact is = contact::untried;
  std::optional<server_report> report;
  bool is_configured_primary = false;
};

enum class server_place : std::uint8_t {
  primary,
  replica,
  twin,       // the primary itself, configured or found under another name
  silent,     // no standby, and down or of unknown rank: nothing until it or the primary speaks
  outranked,  // says it is a primary too, on a timeline that is not above the primary's
  foreign,    // its data is not the primary's
};

struct judged_topology {
  std::size_t primary = 0;
  std::vector<server_place> places;  // by member
};

// `current` is the member that was the primary until now; it stays where nothing better is known.
// Configured roles decide only for servers never heard of.
[[nodiscard]] judged_topology judge_topology(std::span<const member_state> members, std::size_t current);

}  // namespace pgsteer::proxy
