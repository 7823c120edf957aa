// The shape of a text: literals and white space taken out, so that texts which differ only there are
// judged once. Called by routing::classifier before its cache of shapes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace pgsteer::routing {

struct text_shape {
  std::string_view text;      // in the caller's buffer
  bool has_literals = false;  // false: the text and its shape differ in white space only
};

// Numbers become 0, strings '', runs of equal literals in `IN (...)` one, white space one blank. Nothing
// where the text holds what could hide a string's end (backslashes, prefixed and dollar-quoted strings,
// comments), or does not fit: such a text is known by its exact bytes only. Expects
// standard_conforming_strings on and an ASCII-safe encoding, or a text without what they change.
[[nodiscard]] std::optional<text_shape> shape_of(std::string_view sql, std::span<char> buffer);

}  // namespace pgsteer::routing
