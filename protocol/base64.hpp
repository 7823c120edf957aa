// Base64 as SCRAM uses it: standard alphabet, padded, no white space.
// Called by the SCRAM files alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::protocol {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

// Nothing where the text is not exactly what encode_base64 would have written.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace pgsteer::protocol
