// One line an event on standard error, text or JSON, from any thread. Never given SQL literals,
// parameters or passwords. Lines longer than a pipe's atomic write are cut; a blocked pipe drops
// lines and counts them instead of blocking a worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace pgsteer::proxy {

using log_field = std::pair<std::string_view, std::string>;

// Sets level and format for the process; called at start-up and at reload.
void configure_log(config::log_level level, config::log_format format);

[[nodiscard]] bool is_logged(config::log_level level);

// text: `2026-01-31T12:00:00.000Z INFO message key=value ...`; values with blanks are quoted.
// json: {"time":...,"level":...,"message":...,"key":"value",...}
void log(config::log_level level, std::string_view message, std::initializer_list<log_field> fields = {});

inline void log_debug(std::string_view m, std::initializer_list<log_field> f = {}) {
  log(config::log_level::debug, m, f);
}
inline void log_info(std::string_view m, std::initializer_list<log_field> f = {}) {
  log(config::log_level::info, m, f);
}
inline void log_warn(std::string_view m, std::initializer_list<log_field> f = {}) {
  log(config::log_level::warn, m, f);
}
inline void log_error(std::string_view m, std::initializer_list<log_field> f = {}) {
  log(config::log_level::error, m, f);
}

// A line that speaks of a server, without its time and level.
struct log_event {
  std::chrono::system_clock::time_point time;
  config::log_level level;
  std::string text;
};

// The last twenty of them, the newest first, whatever the log's level.
[[nodiscard]] std::vector<log_event> recent_server_events();

// Lines dropped because standard error was blocked.
[[nodiscard]] std::uint64_t dropped_log_lines();

}  // namespace pgsteer::proxy
