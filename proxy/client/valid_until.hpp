// Until when a role's password is valid, as a server shows the time under DateStyle ISO and TimeZone UTC.
// Used by user_lookup; pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace pgsteer::proxy {

// Nothing: for ever. What cannot be read has passed long ago.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> read_valid_until(std::string_view text);

}  // namespace pgsteer::proxy
