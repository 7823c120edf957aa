// The setting `users`: who may log in besides the user of DATABASE_URL, and within which limits.
// Called by config/schema.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

/// One element: name=... password=... (or password_file=...) and limits, see docs/users.md.
[[nodiscard]] parsed<user_entry> parse_user(std::string_view text);

/// All elements of the list, each of which may hold several lines; no name twice.
[[nodiscard]] parsed<std::vector<user_entry>> parse_users(std::span<const std::string> texts);

/// `md5` and 32 hexadecimal digits, as pg_authid keeps it for old clients.
[[nodiscard]] bool is_md5_verifier(std::string_view secret);

/// The element as a text that parse_user() takes, its secret redacted.
[[nodiscard]] std::string redacted(const user_entry& user);

}  // namespace pgsteer::config
