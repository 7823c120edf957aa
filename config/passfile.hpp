// libpq's files beside the URL: the password file and the service file.
// Called by config/urls.cpp when a URL holds no password, or names a service.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::config {

// What a line of the password file is matched with.
struct password_wanted {
  std::string host;
  std::string port;
  std::string database;
  std::string user;
};

/// First matching line of a password file's text
/// (https://www.postgresql.org/docs/15/libpq-pgpass.html).
[[nodiscard]] std::optional<std::string> find_password(std::string_view text, const password_wanted& wanted);

/// Reads the file; nothing where there is none, or where others may read it (libpq ignores it then too).
[[nodiscard]] std::optional<std::string> password_from_file(const std::string& path,
                                                            const password_wanted& wanted);

/// The keywords of one service (https://www.postgresql.org/docs/15/libpq-pgservice.html).
[[nodiscard]] std::optional<std::map<std::string, std::string>> find_service(std::string_view text,
                                                                             std::string_view name);

}  // namespace pgsteer::config
