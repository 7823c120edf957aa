// The command line: the command, the flags of all settings, and what is left over.
// Called by config/load.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/given.hpp"
#include "config/load.hpp"

namespace pgsteer::config {

struct command_line {
  command what = command::run;
  gathered settings;
  std::optional<std::string> config_file;
  bool route_json = false;
  std::optional<std::string> route_sql;
  std::optional<std::string> route_catalog;
};

[[nodiscard]] command_line parse_command_line(const std::vector<std::string>& arguments);

}  // namespace pgsteer::config
