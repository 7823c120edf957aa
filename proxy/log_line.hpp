// How one event looks as one line of text or JSON: pure, bounded, safe against text that came from
// outside. Called by proxy/log.cpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {

// POSIX promises that a pipe takes this much whole or not at all (PIPE_BUF on Linux).
inline constexpr std::size_t max_log_line = 4096;

// "WARN"
[[nodiscard]] std::string_view level_name(config::log_level level);
// "2026-01-31T12:00:00.000Z"
[[nodiscard]] std::string log_time(std::chrono::system_clock::time_point at);

// The line with its newline, never longer than max_log_line; values that do not fit are cut, fields
// that do not fit are left out.
[[nodiscard]] std::string format_log_line(config::log_format format, std::chrono::system_clock::time_point at,
                                          config::log_level level, std::string_view message,
                                          std::span<const log_field> fields);

}  // namespace pgsteer::proxy
