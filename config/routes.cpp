#include "config/routes.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

constexpr std::string_view reason_mark = " -- ";
constexpr std::chrono::milliseconds least_max_lag{50};
constexpr std::chrono::milliseconds most_wait{60'000};
constexpr std::chrono::milliseconds most_max_lag{std::chrono::hours{24}};

// The first word, which `text` loses.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const auto end = text.find_first_of(" \t");
  const auto word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : trimmed(text.substr(end));
  return word;
}

std::string with_single_blanks(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_blank && out.ends_with(' ')) continue;
    out.push_back(is_blank ? ' ' : c);
  }
  return out;
}

parsed<route_pattern> parse_pattern(std::string_view text) {
  const std::string form = "write \"primary PATTERN -- REASON\" or \"replica PATTERN -- REASON\"";
  auto rest = text;
  route_pattern out;
  out.target = take_word(rest);
  if (out.target != "primary" && out.target != "replica")
    return complaint{fmt::format("{} is neither primary nor replica", shown(out.target)), form};
  const auto mark = rest.rfind(reason_mark);
  if (mark == std::string_view::npos) return complaint{fmt::format("{} gives no reason", shown(text)), form};
  out.pattern = with_single_blanks(rest.substr(0, mark));
  out.reason = trimmed(rest.substr(mark + reason_mark.size()));
  if (out.pattern.empty() || out.reason.empty())
    return complaint{fmt::format("{} has no pattern or no reason", shown(text)), form};
  return out;
}

std::optional<complaint> set_default(session_defaults& out, std::string_view word) {
  constexpr std::array<std::string_view, 3> routes{"primary", "replica", "auto"};
  constexpr std::array<std::string_view, 3> levels{"eventual", "session", "global"};
  const auto equals = word.find('=');
  const auto name = word.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
  if (name == "route") {
    out.route = value;
    if (std::ranges::find(routes, value) != routes.end()) return std::nullopt;
    return complaint{fmt::format("route={} is not a choice", value), "write one of primary, replica, auto"};
  }
  if (name == "consistency") {
    out.consistency = value;
    if (std::ranges::find(levels, value) != levels.end()) return std::nullopt;
    return complaint{fmt::format("consistency={} is not a choice", value),
                     "write one of eventual, session, global"};
  }
  if (name == "transactions") {
    out.transactions = value;
    if (value == "primary" || value == "split") return std::nullopt;
    return complaint{fmt::format("transactions={} is not a choice", value), "write primary or split"};
  }
  if (name == "max_lag") {
    out.max_lag = value;
    const auto lag = parse_max_lag(value);
    if (lag) return std::nullopt;
    return complaint{fmt::format("max_lag: {}", lag.error().what), lag.error().suggestion};
  }
  if (name == "consistency_wait") {
    out.consistency_wait = value;
    const auto wait = parse_consistency_wait(value);
    if (wait) return std::nullopt;
    return complaint{fmt::format("consistency_wait: {}", wait.error().what), wait.error().suggestion};
  }
  return complaint{
      fmt::format("{} is not known here", shown(word)),
      "write \"NAME route=replica\", or consistency=, consistency_wait=, max_lag= or transactions= "
      "with its value, or several of them"};
}

// At commas and semicolons that stand in no parentheses.
std::vector<std::string_view> split_functions(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : ',';
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ',' || (depth > 0 && at < text.size())) continue;
    if (const auto one = trimmed(text.substr(begin, at - begin)); !one.empty()) out.push_back(one);
    begin = at + 1;
  }
  return out;
}

bool is_function_name(std::string_view text) {
  const auto open = text.find('(');
  const auto name = trimmed(text.substr(0, open));
  const auto dot = name.find('.');
  const bool is_qualified = dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() &&
                            name.find_first_of(" \t") == std::string_view::npos &&
                            name.find('.', dot + 1) == std::string_view::npos;
  const bool is_closed = open == std::string_view::npos || (text.find(')') == text.size() - 1);
  return is_qualified && is_closed;
}

}  // namespace

parsed<std::chrono::milliseconds> parse_consistency_wait(std::string_view text) {
  auto value = parse_duration(text);
  if (!value || (*value >= std::chrono::milliseconds{0} && *value <= most_wait)) return value;
  return complaint{fmt::format("{} is out of range", shown(text)),
                   fmt::format("from 0 to {} is possible", to_text(most_wait))};
}

parsed<std::chrono::milliseconds> parse_max_lag(std::string_view text) {
  auto value = parse_duration(text);
  if (!value || *value == std::chrono::milliseconds{0}) return value;
  if (*value < least_max_lag || *value > most_max_lag) {
    return complaint{fmt::format("{} is out of range", shown(text)),
                     fmt::format("from {} to {} is possible, or 0 for any", to_text(least_max_lag),
                                 to_text(most_max_lag))};
  }
  return value;
}

parsed<std::vector<route_pattern>> parse_patterns(std::span<const std::string> texts) {
  std::vector<route_pattern> out;
  for (std::size_t item = 0; item < texts.size(); ++item) {
    std::string_view rest = texts[item];
    while (!trimmed(rest).empty()) {
      const auto end = rest.find_first_of(";\n");
      const auto one = trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (one.empty()) continue;
      auto pattern = parse_pattern(one);
      if (!pattern) return complaint{pattern.error().what, pattern.error().suggestion, item};
      out.push_back(*std::move(pattern));
    }
  }
  return out;
}

std::string to_text(const route_pattern& pattern) {
  return fmt::format("{} {}{}{}", pattern.target, pattern.pattern, reason_mark, pattern.reason);
}

parsed<std::vector<session_defaults>> parse_session_defaults(std::span<const std::string> texts) {
  std::vector<session_defaults> out;
  for (std::size_t item = 0; item < texts.size(); ++item) {
    std::string_view rest = texts[item];
    while (!trimmed(rest).empty()) {
      const auto end = rest.find_first_of(",;\n");
      auto one = trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (one.empty()) continue;
      session_defaults made;
      made.name = take_word(one);
      if (one.empty())
        return complaint{fmt::format("{} says nothing of it", shown(made.name)),
                         "write \"NAME route=replica\"", item};
      if (std::ranges::find(out, made.name, &session_defaults::name) != out.end())
        return complaint{fmt::format("{} stands here twice", shown(made.name)), "write one entry for it",
                         item};
      while (!one.empty()) {
        const auto wrong = set_default(made, take_word(one));
        if (wrong) return complaint{wrong->what, wrong->suggestion, item};
      }
      out.push_back(std::move(made));
    }
  }
  return out;
}

std::string to_text(const session_defaults& of) {
  std::string out = of.name;
  if (!of.route.empty()) out += " route=" + of.route;
  if (!of.consistency.empty()) out += " consistency=" + of.consistency;
  if (!of.transactions.empty()) out += " transactions=" + of.transactions;
  if (!of.max_lag.empty()) out += " max_lag=" + of.max_lag;
  if (!of.consistency_wait.empty()) out += " consistency_wait=" + of.consistency_wait;
  return out;
}

parsed<std::vector<std::string>> parse_functions(std::span<const std::string> texts) {
  std::vector<std::string> out;
  for (std::size_t item = 0; item < texts.size(); ++item) {
    for (const auto one : split_functions(texts[item])) {
      if (!is_function_name(one)) {
        return complaint{fmt::format("{} is not the name of a function with its schema", shown(one)),
                         "write \"public.rate\", or \"public.rate(integer, text)\" for one of that name",
                         item};
      }
      out.emplace_back(one);
    }
  }
  return out;
}

}  // namespace pgsteer::config
