// Settings with parts: the text `name='app' pool_size=5` that an element of such a list is written as
// everywhere but in YAML, which may nest. Used by config/yaml_source.cpp and limit_parts.hpp; pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/values.hpp"

namespace pgsteer::config {

using record = std::vector<std::pair<std::string, std::string>>;

/// One line: values in single quotes where they need them, as in libpq's connection strings, and \n for a
/// line end.
[[nodiscard]] std::string to_text(const record& parts);

/// The parts in their order. Complaints never echo a value.
[[nodiscard]] parsed<record> parse_record(std::string_view text);

/// The lines of a text that are neither blank nor comments (#), without white space at their ends.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace pgsteer::config
