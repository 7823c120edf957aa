#include "config/ident_map.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <regex.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

// A POSIX extended regular expression, which is nearest to PostgreSQL's own.
class expression {
 public:
  explicit expression(const std::string& text)
      : is_whole_(::regcomp(&compiled_, text.c_str(), REG_EXTENDED) == 0) {}
  ~expression() {
    if (is_whole_) ::regfree(&compiled_);
  }
  expression(const expression&) = delete;
  expression& operator=(const expression&) = delete;

  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] bool has_group() const { return compiled_.re_nsub > 0; }

  // What the first group matched; nothing: no match at all.
  [[nodiscard]] std::optional<std::string> first_group(const std::string& in) const {
    std::array<regmatch_t, 2> at{};
    if (!is_whole_ || ::regexec(&compiled_, in.c_str(), at.size(), at.data(), 0) != 0) return std::nullopt;
    if (at[1].rm_so < 0) return std::string();
    return in.substr(static_cast<std::size_t>(at[1].rm_so),
                     static_cast<std::size_t>(at[1].rm_eo - at[1].rm_so));
  }

 private:
  regex_t compiled_{};
  bool is_whole_;
};

bool matches(const ident_line& line, const std::string& name, std::string_view role) {
  if (!line.system_name.starts_with('/')) return line.system_name == name && line.role == role;
  const auto group = expression(line.system_name.substr(1)).first_group(name);
  if (!group) return false;
  auto expected = line.role;
  if (const auto at = expected.find("\\1"); at != std::string::npos) expected.replace(at, 2, *group);
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
  const expression compiled(out.system_name.substr(1));
  if (!compiled.is_whole()) {
    return complaint{
        fmt::format("has the regular expression {}, which cannot be read", shown(out.system_name)),
        "write it as for grep -E"};
  }
  if (out.role.find("\\1") != std::string::npos && !compiled.has_group())
    return complaint{"has \\1 but no group in its regular expression", "put ( ) around what \\1 is to be"};
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
