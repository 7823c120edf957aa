#include "routing/custom_settings.hpp"

#include <algorithm>
#include <array>

namespace pgsteer::routing {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_name(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool introduces(std::string_view word) {
  constexpr std::array<std::string_view, 4> words = {"local", "reset", "session", "set"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view skip(std::string_view rest, std::string_view characters) {
  while (!rest.empty() && (is_space(rest[0]) || characters.find(rest[0]) != std::string_view::npos))
    rest.remove_prefix(1);
  return rest;
}

// The name at the start of `rest`, quotes around it or its parts taken away; empty where it has no dot.
std::string dotted_name(std::string_view rest) {
  std::string name;
  for (const char c : rest) {
    if (c == '"' || (name.empty() && c == '\'')) continue;
    if (!is_name(c)) break;
    name.push_back(lower(c));
  }
  const auto dot = name.find('.');
  return dot == std::string::npos || dot == 0 || dot + 1 == name.size() ? std::string{} : name;
}

}  // namespace

bool collect_custom_settings(std::string_view bytes, std::set<std::string, std::less<>>& names,
                             std::size_t most) {
  std::string word;
  for (std::size_t at = 0; at < bytes.size();) {
    if (!is_name(bytes[at])) {
      ++at;
      continue;
    }
    word.clear();
    while (at < bytes.size() && is_name(bytes[at]))
      word.push_back(lower(bytes[at++]));
    std::string name;
    if (introduces(word)) name = dotted_name(skip(bytes.substr(at), ""));
    if (word.ends_with("set_config")) name = dotted_name(skip(bytes.substr(at), "(Ee"));
    if (name.empty()) continue;
    if (names.size() >= most && !names.contains(name)) return false;
    names.insert(std::move(name));
  }
  return true;
}

}  // namespace pgsteer::routing
