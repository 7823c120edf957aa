// What one source says of one setting, still as text, with the place where it says so.
// Made by the YAML, environment and command line sources; applied by config/load.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "config/schema.hpp"

namespace pgsteer::config {

// In ascending order of precedence.
enum class origin { file, environment, command_line };

struct item {
  std::string text;
  std::string where;
};

struct given {
  const setting* what = nullptr;
  origin from = origin::file;
  std::string where;
  std::vector<item> items;  // one, unless the setting is a list
};

struct gathered {
  std::vector<given> values;
  problems wrong;
};

/// What `name` means to a source: a setting, or a setting whose value stands in a file.
struct named_setting {
  const setting* what = nullptr;
  bool in_file = false;
};

/// Text of the file a `*_file` variant names, without its last line ends; says why not in `wrong`.
[[nodiscard]] std::optional<std::string> read_value(const std::string& path, std::string_view where,
                                                    problems& wrong);

/// Reports a setting that one source gives directly and in a file as well.
void check_given_once(const gathered& source, problems& wrong);

}  // namespace pgsteer::config
