#include "config/records.hpp"

#include <algorithm>
#include <cctype>

namespace pgsteer::config {
namespace {

constexpr std::string_view form = "write name=value name='value with spaces', with \\ before ' and \\";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front()))
    rest.remove_prefix(1);
}

// False: a quote is not closed, or a backslash stands at the end.
bool take_value(std::string_view& rest, std::string& out) {
  const bool is_quoted = rest.starts_with('\'');
  if (is_quoted) rest.remove_prefix(1);
  while (!rest.empty()) {
    char c = rest.front();
    if (!is_quoted && is_blank(c)) return true;
    rest.remove_prefix(1);
    if (is_quoted && c == '\'') return rest.empty() || is_blank(rest.front());
    if (c == '\\') {
      if (rest.empty()) return false;
      c = rest.front() == 'n' ? '\n' : rest.front();
      rest.remove_prefix(1);
    }
    out += c;
  }
  return !is_quoted;
}

std::string written(const std::string& value) {
  std::string out;
  bool needs_quotes = value.empty();
  for (const char c : value) {
    needs_quotes = needs_quotes || is_blank(c) || c == '\'' || c == '\\';
    if (c == '\'' || c == '\\' || c == '\n') out += '\\';
    out += c == '\n' ? 'n' : c;
  }
  return needs_quotes ? "'" + out + "'" : out;
}

}  // namespace

std::string to_text(const record& parts) {
  std::string out;
  for (const auto& [name, value] : parts) {
    if (!out.empty()) out += ' ';
    out += name + "=" + written(value);
  }
  return out;
}

parsed<record> parse_record(std::string_view text) {
  record out;
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    const auto equals = text.find('=');
    const auto name = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || !is_word(name)) {
      return complaint{"is not a list of name=value", std::string(form)};
    }
    text.remove_prefix(equals + 1);
    std::string value;
    if (!take_value(text, value)) return complaint{"has a quote that is not closed", std::string(form)};
    out.emplace_back(name, std::move(value));
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    if (!line.empty() && !line.starts_with('#')) out.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace pgsteer::config
