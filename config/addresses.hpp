// The addresses to listen on, as text and as values.
// Called by the setters of config/schema.cpp and by the checks of config/checks.cpp; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// host:port, [::1]:port, *:port, :port (as *:port), port (on 127.0.0.1), host, /dir, /dir:port,
/// unix:/dir:port. Port 0 lets the system choose.
[[nodiscard]] parsed<listen_address> parse_address(std::string_view text, std::uint16_t default_port);

/// Several of them, separated by commas.
[[nodiscard]] parsed<std::vector<listen_address>> parse_addresses(std::string_view text,
                                                                  std::uint16_t default_port);

[[nodiscard]] std::string to_text(const listen_address& address);

/// Reachable from this machine alone.
[[nodiscard]] bool is_local(const listen_address& address);

/// Whether binding both must fail.
[[nodiscard]] bool is_same_place(const listen_address& one, const listen_address& other);

}  // namespace pgsteer::config
