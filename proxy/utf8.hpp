// Text from outside (names, addresses, server messages) made fit for JSON and Prometheus, which both
// insist on UTF-8. Called by the log and by the admin port.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgsteer::proxy {

// Length of the well-formed UTF-8 sequence at the front of `text`; 0 where there is none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text);

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace pgsteer::proxy
