// What the table of statements says to an operator: the heaviest statements with where they ran and why, and
// how much of the primary's reads each reason holds back. Pure; used by /routes and SHOW ROUTES.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proxy/statement_table.hpp"

namespace pgsteer::proxy {

struct route_line {
  std::string statement;  // without literals
  std::string target;
  std::string reason;
  std::uint64_t count = 0;
  std::uint64_t us = 0;
};

struct held_line {
  std::string reason;
  std::uint64_t count = 0;
  std::uint64_t us = 0;
  double share = 0;  // of the time that all queries took on the primary
};

// Those that took the most time, at most `most`.
[[nodiscard]] std::vector<route_line> route_lines(std::span<const statement_table::entry> all,
                                                  std::size_t most);
// By what queries were kept on the primary, the heaviest first.
[[nodiscard]] std::vector<held_line> held_lines(std::span<const statement_table::entry> all);

// {"statements": [...], "held_back": [...]}
[[nodiscard]] std::string render_routes(std::span<const statement_table::entry> all, std::size_t most);

}  // namespace pgsteer::proxy
