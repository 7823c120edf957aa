// What the operator says of routes: patterns of statements, wishes of users and databases, functions that
// are reads or writes. Called by the setters of config/schema.cpp; pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// "replica SELECT count(*) FROM big_* -- a minute late will do"
[[nodiscard]] parsed<std::vector<route_pattern>> parse_patterns(std::span<const std::string> texts);
[[nodiscard]] std::string to_text(const route_pattern& pattern);

/// How far a replica that is read from may be behind: what `max_lag` takes everywhere.
[[nodiscard]] parsed<std::chrono::milliseconds> parse_max_lag(std::string_view text);

/// How long a read waits for a replica: what `consistency_wait` takes everywhere.
[[nodiscard]] parsed<std::chrono::milliseconds> parse_consistency_wait(std::string_view text);

/// "reports route=replica consistency=eventual"
[[nodiscard]] parsed<std::vector<session_defaults>> parse_session_defaults(
    std::span<const std::string> texts);
[[nodiscard]] std::string to_text(const session_defaults& of);

/// "public.rate" or "public.rate(integer, text)"; commas between functions part them.
[[nodiscard]] parsed<std::vector<std::string>> parse_functions(std::span<const std::string> texts);

}  // namespace pgsteer::config
