// What tells one result type of a statement from another.
// https://www.postgresql.org/docs/15/protocol-message-formats.html (RowDescription)
#pragma once

#include <cstdint>
#include <string_view>

namespace pgsteer::protocol {

// Of a RowDescription's body, or of NoData's, which is empty: equal where PostgreSQL would say that a cached
// plan's result type has not changed, by the columns' names and types. Never 0.
[[nodiscard]] std::uint64_t result_digest(std::string_view body);

}  // namespace pgsteer::protocol
