#include "config/print.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include <fmt/format.h>

#include "config/schema.hpp"

namespace pgsteer::config {
namespace {

constexpr std::size_t help_width = 100;
constexpr std::size_t help_indent = 6;

// Double-quoted with YAML's escapes wherever a plain scalar could be read as something else.
std::string yaml_scalar(std::string_view text) {
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  }) && std::isalnum(static_cast<unsigned char>(text.front())) != 0;
  if (is_plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string wrapped(std::string_view text) {
  std::string out;
  std::string line(help_indent, ' ');
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() > help_indent && line.size() + word.size() + 1 > help_width) {
      out += line + "\n";
      line.assign(help_indent, ' ');
    }
    if (line.size() > help_indent) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

std::string help_of(const setting& each) {
  std::string variable = each.variable();
  if (each.is_secret) variable += fmt::format(" or {}_FILE", variable);
  const std::string value = each.default_text();
  std::string out = fmt::format("  {} {}\n", each.flag(), each.kind);
  if (each.is_secret) out += fmt::format("  {}-file FILE\n", each.flag());
  out += wrapped(each.doc);
  return out +
         fmt::format("{:6}[{}{}]\n", "", variable, value.empty() ? "" : fmt::format(", default {}", value));
}

}  // namespace

std::string version_text() {
  return "pgsteer " PGSTEER_VERSION "\n";
}

std::string help_text() {
  std::string out =
      "pgsteer: a read/write-splitting, pooling proxy for PostgreSQL\n"
      "\n"
      "usage: pgsteer [FLAGS]                                    run the proxy\n"
      "       pgsteer --check-config [FLAGS]                     say what is wrong with the configuration\n"
      "       pgsteer --print-config [FLAGS]                     show the effective configuration\n"
      "       pgsteer route [--json] [--catalog URL] [SQL]       say where a statement would go, and why\n"
      "       pgsteer --help | --version\n"
      "\n"
      "  -c, --config FILE\n"
      "      YAML file with the settings below, by the same names with underscores. [PGSTEER_CONFIG]\n"
      "\n"
      "The command line counts over the environment, the environment over the file. Any variable NAME\n"
      "may be given as NAME_FILE instead: then the file it names holds the value.\n"
      "\n";
  for (const auto& each : schema())
    out += help_of(each);
  return out;
}

std::string to_yaml(const settings& values, const std::function<std::string(std::string_view name)>& source) {
  std::string out;
  for (const auto& each : schema()) {
    const auto texts = each.get(values);
    const std::string comment = fmt::format("  # {}", source(each.name));
    if (!each.is_list()) {
      const std::string text = texts.empty() ? std::string() : texts.front();
      out += fmt::format("{}: {}{}\n", each.name, yaml_scalar(text), comment);
      continue;
    }
    out += fmt::format("{}:{}{}\n", each.name, texts.empty() ? " []" : "", comment);
    for (const auto& text : texts)
      out += fmt::format("  - {}\n", yaml_scalar(text));
  }
  return out;
}

}  // namespace pgsteer::config
