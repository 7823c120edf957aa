// What one session hands to another so that it reads what the first has written or seen: a position in the
// WAL of one database system. Values and text; used by the data path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/lsn.hpp"

namespace pgsteer::routing {

struct session_token {
  std::uint64_t system = 0;  // system identifier; 0: not known where it was made
  std::uint32_t timeline = 0;
  lsn at = 0;
  bool operator==(const session_token&) const = default;
};

// "pgsteer-7301234567890123456-00000001-0/16B3748"; nothing on any other text.
[[nodiscard]] std::optional<session_token> parse_token(std::string_view text);

// A query that puts the token of this moment into the setting pgsteer.token, on the primary of this system.
[[nodiscard]] std::string token_query(std::uint64_t system, bool is_local);

}  // namespace pgsteer::routing
