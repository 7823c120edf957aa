#include "config/passfile.hpp"

#include <array>
#include <cstddef>

#include <sys/stat.h>

#include "config/files.hpp"
#include "config/values.hpp"

namespace pgsteer::config {
namespace {

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// One field up to an unescaped colon; the rest stays in `line`. `is_star` only where the star was not
// escaped.
struct field {
  std::string value;
  bool is_star = false;
  bool is_complete = false;  // a colon ended it
};

field next_field(std::string_view& line) {
  field out;
  const bool star = line == "*" || line.starts_with("*:");
  std::size_t at = 0;
  for (; at < line.size() && line[at] != ':'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    out.value += line[at];
  }
  out.is_star = star;
  out.is_complete = at < line.size();
  line.remove_prefix(out.is_complete ? at + 1 : line.size());
  return out;
}

}  // namespace

std::optional<std::string> find_password(std::string_view text, const password_wanted& wanted) {
  const std::array<const std::string*, 4> keys{&wanted.host, &wanted.port, &wanted.database, &wanted.user};
  while (!text.empty()) {
    auto line = next_line(text);
    if (line.starts_with('#')) continue;
    bool matches = true;
    for (const auto* key : keys) {
      const auto found = next_field(line);
      matches = matches && found.is_complete && (found.is_star || found.value == *key);
    }
    if (matches) return next_field(line).value;
  }
  return std::nullopt;
}

std::optional<std::string> password_from_file(const std::string& path, const password_wanted& wanted) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return std::nullopt;
  const auto text = read_file(path);
  return text ? find_password(*text, wanted) : std::nullopt;
}

std::optional<std::map<std::string, std::string>> find_service(std::string_view text, std::string_view name) {
  std::optional<std::map<std::string, std::string>> found;
  while (!text.empty()) {
    const auto line = trimmed(next_line(text));
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      if (found) return found;
      if (line.ends_with(']') && line.substr(1, line.size() - 2) == name) found.emplace();
      continue;
    }
    const auto equals = line.find('=');
    if (!found || equals == std::string_view::npos) continue;
    found->try_emplace(std::string(trimmed(line.substr(0, equals))), trimmed(line.substr(equals + 1)));
  }
  return found;
}

}  // namespace pgsteer::config
