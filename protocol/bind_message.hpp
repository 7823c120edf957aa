// The parameters of a Bind message, in place.
// https://www.postgresql.org/docs/15/protocol-message-formats.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pgsteer::protocol {

struct bound_value {
  std::optional<std::string_view> bytes;  // nothing: NULL
  bool is_binary = false;
};

// Of a whole Bind message, header included; at most `most` of them. Nothing where it is malformed or has
// more.
[[nodiscard]] std::optional<std::vector<bound_value>> bound_values(std::string_view frame, std::size_t most);

// The type a Parse message declares for a parameter (from 1 on), by the message's body behind the statement's
// name; 0 where it declares none.
[[nodiscard]] std::uint32_t declared_type(std::string_view parse_tail, int parameter);

}  // namespace pgsteer::protocol
