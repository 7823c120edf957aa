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

bool begins_name(char c) {
  return is_name(c) && c != '.' && c != '$' && (c < '0' || c > '9');
}

// What PostgreSQL takes for the name of a custom setting: two or more parts, each of which begins as a name.
bool is_dotted(std::string_view word) {
  std::size_t parts = 0;
  for (std::size_t from = 0; from <= word.size(); ++parts) {
    const auto end = std::min(word.find('.', from), word.size());
    if (end == from || !begins_name(word[from])) return false;
    from = end + 1;
  }
  return parts > 1;
}

// Between quotes, or behind its own length as in a Bind message.
bool is_whole_value(std::string_view bytes, std::size_t from, std::size_t end) {
  if (from > 0 && bytes[from - 1] == '\'') return end < bytes.size() && bytes[end] == '\'';
  constexpr std::size_t length_size = 4;
  if (from < length_size) return false;
  std::size_t length = 0;
  for (auto at = from - length_size; at < from; ++at)
    length = length << 8 | static_cast<unsigned char>(bytes[at]);
  return length == end - from;
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

void collect_dotted_values(std::string_view bytes, std::set<std::string, std::less<>>& names,
                           std::size_t most) {
  for (auto dot = bytes.find('.'); dot != std::string_view::npos && names.size() < most;) {
    auto from = dot;
    while (from > 0 && is_name(bytes[from - 1]))
      --from;
    auto end = dot;
    while (end < bytes.size() && is_name(bytes[end]))
      ++end;
    const auto word = bytes.substr(from, end - from);
    constexpr std::size_t longest = 127;
    if (word.size() <= longest && is_dotted(word) && is_whole_value(bytes, from, end)) {
      std::string name(word);
      std::ranges::transform(name, name.begin(), lower);
      names.insert(std::move(name));
    }
    dot = bytes.find('.', end);
  }
}

bool may_be_refused_by_library(std::string_view name) {
  constexpr std::string_view prefix = "plpgsql.";
  constexpr std::array<std::string_view, 5> known{"check_asserts", "extra_errors", "extra_warnings",
                                                  "print_strict_params", "variable_conflict"};
  return name.starts_with(prefix) && std::ranges::find(known, name.substr(prefix.size())) == known.end();
}

}  // namespace pgsteer::routing
