// The `options` of a startup packet: a command line for the backend, read as PostgreSQL reads it.
// Called by startup.cpp; a value in, settings or PostgreSQL's error out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_report.hpp"
#include "protocol/startup.hpp"

namespace pgsteer::protocol {

// Splits at white space; a backslash makes the next character plain (pg_split_opts).
[[nodiscard]] std::vector<std::string> split_options(std::string_view options);

// Appends the settings that the switches ask for, in their order (process_postgres_switches).
// An unknown switch, a stray word or a missing value is an error.
[[nodiscard]] std::optional<error_report> parse_options(std::string_view options,
                                                        std::vector<setting>& settings);

}  // namespace pgsteer::protocol
