#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

struct unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array units{unit{"d", 86'400'000}, unit{"h", 3'600'000}, unit{"min", 60'000}, unit{"s", 1'000},
                           unit{"ms", 1}};
constexpr double longest_duration = 1e12;  // some thirty years: beyond it is a slip of the hand

struct memory_unit {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array memory_units{memory_unit{"GB", std::int64_t{1} << 30}, memory_unit{"MB", 1 << 20},
                                  memory_unit{"kB", 1 << 10}, memory_unit{"B", 1}};
constexpr std::int64_t largest_memory = std::int64_t{1} << 50;

struct unit_spelling {
  std::string_view wrong;
  std::string_view right;
};

// What people write where PostgreSQL has another word.
constexpr std::array spellings{
    unit_spelling{"m", "min"},       unit_spelling{"mins", "min"},  unit_spelling{"minute", "min"},
    unit_spelling{"minutes", "min"}, unit_spelling{"sec", "s"},     unit_spelling{"secs", "s"},
    unit_spelling{"second", "s"},    unit_spelling{"seconds", "s"}, unit_spelling{"S", "s"},
    unit_spelling{"MS", "ms"},       unit_spelling{"millis", "ms"}, unit_spelling{"msec", "ms"},
    unit_spelling{"hr", "h"},        unit_spelling{"hour", "h"},    unit_spelling{"hours", "h"},
    unit_spelling{"H", "h"},         unit_spelling{"day", "d"},     unit_spelling{"days", "d"},
    unit_spelling{"D", "d"}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

complaint unknown_unit(std::string_view number, std::string_view name) {
  const auto spelling = std::ranges::find(spellings, name, &unit_spelling::wrong);
  return {fmt::format("{} is not a unit of time", shown(name)),
          spelling == spellings.end() ? "units are ms, s, min, h and d"
                                      : fmt::format("write \"{}{}\"", number, spelling->right)};
}

complaint not_a_duration(std::string_view text) {
  return {text.empty() ? "is empty, a duration is wanted" : fmt::format("{} is not a duration", shown(text)),
          "write a number and a unit (ms, s, min, h or d), such as \"5s\""};
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  text = trimmed(text);
  const auto end = std::ranges::find_if_not(text, [](char c) { return is_digit(c) || c == '.'; });
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  const auto name = trimmed(text.substr(digits.size()));
  const auto number = parse_decimal(digits);
  if (!number) return not_a_duration(text);
  if (name.empty()) {
    if (*number == 0) return std::chrono::milliseconds{0};
    return complaint{fmt::format("{} has no unit", shown(text)),
                     fmt::format("write \"{0}s\" for seconds or \"{0}ms\" for milliseconds", digits)};
  }
  const auto found = std::ranges::find(units, name, &unit::name);
  if (found == units.end()) return unknown_unit(digits.size() > 20 ? "5" : digits, name);
  const double exact = *number * static_cast<double>(found->milliseconds);
  if (exact > longest_duration) return complaint{fmt::format("{} is too long", shown(text)), ""};
  if (exact > 0 && exact < 1) {
    return complaint{fmt::format("{} is shorter than a millisecond", shown(text)), "the least is \"1ms\""};
  }
  return std::chrono::milliseconds{std::llround(exact)};
}

std::string to_text(std::chrono::milliseconds value) {
  if (value.count() == 0) return "0";
  const auto exact = [&](const unit& each) { return value.count() % each.milliseconds == 0; };
  const auto found = std::ranges::find_if(units, exact);
  return fmt::format("{}{}", value.count() / found->milliseconds, found->name);
}

parsed<std::int64_t> parse_memory(std::string_view text) {
  text = trimmed(text);
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  const auto name = trimmed(text.substr(digits.size()));
  std::int64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ec != std::errc()) {
    return complaint{text.empty() ? "is empty, an amount of memory is wanted"
                                  : fmt::format("{} is not an amount", shown(text)),
                     "write a whole number and a unit (B, kB, MB or GB), such as \"64MB\""};
  }
  if (name.empty() && number == 0) return std::int64_t{0};
  const auto found = std::ranges::find(memory_units, name, &memory_unit::name);
  if (found == memory_units.end()) {
    return complaint{name.empty() ? fmt::format("{} has no unit", shown(text))
                                  : fmt::format("{} is not a unit of memory", shown(name)),
                     "units are B, kB, MB and GB"};
  }
  if (number > largest_memory / found->bytes)
    return complaint{fmt::format("{} is too much", shown(text)), ""};
  return number * found->bytes;
}

std::string memory_text(std::int64_t bytes) {
  if (bytes == 0) return "0";
  const auto found =
      std::ranges::find_if(memory_units, [&](const auto& each) { return bytes % each.bytes == 0; });
  return fmt::format("{}{}", bytes / found->bytes, found->name);
}

parsed<std::int64_t> parse_number(std::string_view text, std::int64_t least, std::int64_t most) {
  text = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string range = fmt::format("a whole number from {} to {} is wanted", least, most);
  if (text.empty()) return complaint{"is empty", range};
  if (error == std::errc::result_out_of_range)
    return complaint{fmt::format("{} is out of range", shown(text)), range};
  if (error != std::errc() || end != text.data() + text.size()) {
    return complaint{fmt::format("{} is not a whole number", shown(text)), range};
  }
  if (value < least || value > most) return complaint{fmt::format("{} is out of range", value), range};
  return value;
}

parsed<double> parse_fraction(std::string_view text) {
  text = trimmed(text);
  const auto value = parse_decimal(text);
  const std::string range = "a number from 0 to 1 is wanted, such as \"0.1\"";
  if (text.empty()) return complaint{"is empty", range};
  if (!value) return complaint{fmt::format("{} is not a number", shown(text)), range};
  if (*value > 1) return complaint{fmt::format("{} is out of range", shown(text)), range};
  return *value;
}

parsed<bool> parse_switch(std::string_view text) {
  std::string folded(trimmed(text));
  std::ranges::transform(folded, folded.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 4> on{"on", "true", "yes", "1"};
  constexpr std::array<std::string_view, 4> off{"off", "false", "no", "0"};
  if (std::ranges::find(on, folded) != on.end()) return true;
  if (std::ranges::find(off, folded) != off.end()) return false;
  return complaint{folded.empty() ? "is empty" : fmt::format("{} is neither on nor off", shown(text)),
                   "write true or false"};
}

}  // namespace pgsteer::config
