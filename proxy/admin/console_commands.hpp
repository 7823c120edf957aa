// What can be asked at the SQL console: the table of its commands. To add one, add a row.
// Read by proxy/admin/console; each command makes its rows from the sources, at once.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "proxy/lists.hpp"
#include "proxy/metrics.hpp"

namespace pgsteer::proxy {

using console_row = std::vector<std::string>;

// Where the answers come from. Called on the worker's thread; none of them waits.
struct console_sources {
  std::function<client_list()> clients;
  std::function<std::vector<pool_gauge>()> pools;
  std::function<std::vector<backend_entry>()> backends;
  std::function<std::vector<console_row>()> stats;  // name, value, meaning
  std::function<std::vector<statement_table::entry>()> statements;
  std::function<const config::settings&()> settings;
  std::string version;
};

struct console_command {
  std::string_view name;     // as it is compared: upper case, single blanks
  std::string_view columns;  // separated by commas
  std::string_view summary;
  std::vector<console_row> (*rows)(const console_sources&);
};

[[nodiscard]] std::span<const console_command> console_commands();

// By a text in the form of `name`; null where there is none.
[[nodiscard]] const console_command* find_console_command(std::string_view text);

}  // namespace pgsteer::proxy
