#include "config/ident_map.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

constexpr std::size_t longest_name = 1000;  // the matcher's stack grows with it

bool matches(const ident_line& line, const std::string& name, std::string_view role) {
  if (!line.system_name.starts_with('/')) return line.system_name == name && line.role == role;
  if (name.size() > longest_name) return false;
  std::smatch groups;
  if (!std::regex_search(name, groups, std::regex(line.system_name.substr(1)))) return false;
  auto expected = line.role;
  if (const auto at = expected.find("\\1"); at != std::string::npos)
    expected.replace(at, 2, groups.size() > 1 ? groups[1].str() : std::string());
  return expected == role;
}

}  // namespace

parsed<ident_line> parse_ident_line(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> parts;
  for (std::string part; in >> part && !part.starts_with('#');)
    parts.push_back(std::move(part));
  if (parts.size() != 3)
    return complaint{"is not a whole line", "write MAP SYSTEM-NAME ROLE, as in pg_ident.conf"};
  ident_line out{parts[0], parts[1], parts[2]};
  if (!out.system_name.starts_with('/')) return out;
  try {
    const std::regex compiled(out.system_name.substr(1));
    if (out.role.find("\\1") != std::string::npos && compiled.mark_count() == 0)
      return complaint{"has \\1 but no group in its regular expression", "put ( ) around what \\1 is to be"};
  } catch (const std::regex_error&) {
    return complaint{
        fmt::format("has the regular expression {}, which cannot be read", shown(out.system_name)),
        "write it as in ECMAScript"};
  }
  return out;
}

std::string to_text(const ident_line& line) {
  return fmt::format("{} {} {}", line.map, line.system_name, line.role);
}

bool is_mapped(std::span<const ident_line> lines, std::string_view map, const std::string& name,
               std::string_view role) {
  if (map.empty()) return name == role;
  return std::ranges::any_of(
      lines, [&](const ident_line& line) { return line.map == map && matches(line, name, role); });
}

}  // namespace pgsteer::config
