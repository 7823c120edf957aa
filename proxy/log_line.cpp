#include "proxy/log_line.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "proxy/utf8.hpp"

namespace pgsteer::proxy {

std::string_view level_name(config::log_level level) {
  switch (level) {
    case config::log_level::debug:
      return "DEBUG";
    case config::log_level::info:
      return "INFO";
    case config::log_level::warn:
      return "WARN";
    case config::log_level::error:
      return "ERROR";
  }
  return "ERROR";
}

std::string log_time(std::chrono::system_clock::time_point at) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(at);
  const auto day = floor<days>(ms);
  const year_month_day date{day};
  const hh_mm_ss time{ms - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

namespace {

constexpr std::string_view cut_mark = "...";

// What one sequence of the input becomes inside quotes: JSON's escapes, used for text as well.
std::string escaped(std::string_view sequence) {
  const auto c = static_cast<std::uint8_t>(sequence[0]);
  if (c == '"') return "\\\"";
  if (c == '\\') return "\\\\";
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c < 0x20 || c == 0x7F) return fmt::format("\\u{:04x}", c);
  return std::string{sequence};
}

// Next unit of `text`: a whole UTF-8 sequence, or the replacement character for a stray byte.
std::string_view next_sequence(std::string_view& text) {
  const auto n = utf8_sequence_length(text);
  const auto unit = n == 0 ? std::string_view{"\xEF\xBF\xBD"} : text.substr(0, n);
  text.remove_prefix(n == 0 ? 1 : n);
  return unit;
}

// Appends `text` escaped, never growing `out` beyond `limit`; marks where it was cut.
void append_escaped(std::string& out, std::string_view text, std::size_t limit, bool quoted) {
  while (!text.empty()) {
    const auto unit = next_sequence(text);
    const bool plain = !quoted && (unit == "\"" || unit == "\\");
    const auto piece = plain ? std::string{unit} : escaped(unit);
    const auto reserve = text.empty() ? 0 : cut_mark.size();
    if (out.size() + piece.size() + reserve > limit) {
      if (out.size() + cut_mark.size() <= limit) out += cut_mark;
      return;
    }
    out += piece;
  }
}

bool needs_quotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
           const auto b = static_cast<std::uint8_t>(c);
           return b <= 0x20 || b >= 0x7F || c == '"' || c == '\\' || c == '=';
         });
}

std::string text_line(std::string line, config::log_level level, std::string_view message,
                      std::span<const log_field> fields) {
  constexpr auto limit = max_log_line - 1;  // the newline
  line += ' ';
  line += level_name(level);
  line += ' ';
  append_escaped(line, message, limit, false);
  for (const auto& [key, value] : fields) {
    if (line.size() + key.size() + 4 + cut_mark.size() > limit) break;
    line += ' ';
    line += key;
    line += '=';
    const bool quoted = needs_quotes(value);
    if (quoted) line += '"';
    append_escaped(line, value, limit - 1, quoted);
    if (quoted) line += '"';
  }
  return line;
}

std::string json_line(std::string_view time, config::log_level level, std::string_view message,
                      std::span<const log_field> fields) {
  constexpr auto limit = max_log_line - 3;  // closing quote, brace, newline
  auto line = fmt::format(R"({{"time":"{}","level":"{}","message":")", time, level_name(level));
  append_escaped(line, message, limit, true);
  line += '"';
  for (const auto& [key, value] : fields) {
    if (line.size() + key.size() + 6 + cut_mark.size() > limit) break;
    line += fmt::format(R"(,"{}":")", key);
    append_escaped(line, value, limit, true);
    line += '"';
  }
  line += '}';
  return line;
}

}  // namespace

std::string format_log_line(config::log_format format, std::chrono::system_clock::time_point at,
                            config::log_level level, std::string_view message,
                            std::span<const log_field> fields) {
  auto time = log_time(at);
  auto line = format == config::log_format::json ? json_line(time, level, message, fields)
                                                 : text_line(std::move(time), level, message, fields);
  line += '\n';
  return line;
}

}  // namespace pgsteer::proxy
