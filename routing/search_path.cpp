#include "routing/search_path.hpp"

namespace pgsteer::routing {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void skip_spaces(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front()))
    rest.remove_prefix(1);
}

// False: the closing quote is missing.
bool take_quoted(std::string_view& rest, std::string& name) {
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '"') {
      name += c;
    } else if (!rest.empty() && rest.front() == '"') {
      name += '"';
      rest.remove_prefix(1);
    } else {
      return true;
    }
  }
  return false;
}

void take_plain(std::string_view& rest, std::string& name) {
  while (!rest.empty() && rest.front() != ',' && !is_space(rest.front())) {
    name += folded(rest.front());
    rest.remove_prefix(1);
  }
}

}  // namespace

std::vector<std::string> split_search_path(std::string_view value) {
  std::vector<std::string> names;
  for (auto rest = value;;) {
    skip_spaces(rest);
    if (rest.empty()) return names;
    std::string name;
    if (rest.front() == '"') {
      if (!take_quoted(rest, name)) return names;
    } else {
      take_plain(rest, name);
    }
    if (!name.empty()) names.push_back(std::move(name));
    skip_spaces(rest);
    if (rest.empty() || rest.front() != ',') return names;
    rest.remove_prefix(1);
  }
}

}  // namespace pgsteer::routing
