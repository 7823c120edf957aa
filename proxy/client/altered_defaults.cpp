#include "proxy/client/altered_defaults.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "proxy/client/sql_words.hpp"

namespace pgsteer::proxy {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), is_same_letter);
}

// Where the word stands by itself, from there on; npos: nowhere.
std::size_t find_word(std::string_view sql, std::string_view word, std::size_t from = 0) {
  for (auto at = sql.begin() + static_cast<std::ptrdiff_t>(std::min(from, sql.size()));; ++at) {
    at = std::search(at, sql.end(), word.begin(), word.end(), is_same_letter);
    if (at == sql.end()) return std::string_view::npos;
    const auto end = at + static_cast<std::ptrdiff_t>(word.size());
    const bool is_whole =
        (at == sql.begin() || !is_in_name(at[-1])) && (end == sql.end() || !is_in_name(*end));
    if (is_whole) return static_cast<std::size_t>(at - sql.begin());
  }
}

bool has_word(std::string_view sql, std::string_view word) {
  return find_word(sql, word) != std::string_view::npos;
}

constexpr std::array<std::string_view, 2> role_words{"role", "user"};
constexpr std::array<std::string_view, 1> database_words{"database"};

// Whether one of these words stands behind the verb.
bool is_said_of(std::string_view sql, std::string_view verb, std::span<const std::string_view> objects) {
  for (auto at = find_word(sql, verb); at != std::string_view::npos; at = find_word(sql, verb, at + 1)) {
    auto rest = sql.substr(at + verb.size());
    while (!rest.empty() && is_blank(rest.front()))
      rest.remove_prefix(1);
    const auto names = [rest](auto word) { return begins_with(rest, word) && find_word(rest, word) == 0; };
    if (std::ranges::any_of(objects, names)) return true;
  }
  return false;
}

}  // namespace

bool may_alter_defaults(std::string_view sql) {
  if (is_said_of(sql, "drop", role_words)) return true;
  if (!has_word(sql, "set") && !has_word(sql, "reset")) return false;
  return is_said_of(sql, "alter", role_words) || is_said_of(sql, "alter", database_words);
}

bool is_tag_of_alteration(std::string_view tag) {
  constexpr std::array<std::string_view, 5> tags{"ALTER ROLE", "ALTER DATABASE", "DROP ROLE", "DO", "CALL"};
  return std::ranges::find(tags, tag) != tags.end();
}

bool may_concern(std::string_view sql, std::string_view role, std::string_view database, bool is_own) {
  constexpr std::array<std::string_view, 4> own{"current_user", "session_user", "current_role",
                                                "current_database"};
  // Names that are written with escapes, or put together as it runs.
  constexpr std::array<std::string_view, 4> untold{"\"\"", "u&\"", "execute", "||"};
  const auto stands = [sql](std::string_view part) { return holds(sql, part); };
  if (stands(role) || stands(database) || has_word(sql, "all") || std::ranges::any_of(untold, stands))
    return true;
  return is_own && std::ranges::any_of(own, stands);
}

std::string_view defaults_question() {
  // What a superuser alone may set, others cannot carry. Custom settings are not listed.
  return "SELECT pg_catalog.lower(name), reset_val FROM pg_catalog.pg_settings"
         " WHERE context OPERATOR(pg_catalog.=) 'user' OR (context OPERATOR(pg_catalog.=) 'superuser'"
         " AND pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on')"
         " UNION ALL SELECT pg_catalog.lower(n), pg_catalog.current_setting(n, true)"
         " FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS c,"
         " pg_catalog.split_part(c, '=', 1) AS n"
         " WHERE n OPERATOR(pg_catalog.~~) '%.%' AND pg_catalog.current_setting(n, true) IS NOT NULL"
         " AND (setdatabase OPERATOR(pg_catalog.=) 0 OR setdatabase OPERATOR(pg_catalog.=)"
         " (SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) "
         "pg_catalog.current_database()))"
         " AND (setrole OPERATOR(pg_catalog.=) 0 OR setrole OPERATOR(pg_catalog.=)"
         " (SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) SESSION_USER))";
}

protocol::settings_map changed_defaults(const protocol::settings_map& before,
                                        const protocol::settings_map& now) {
  protocol::settings_map changed;
  for (const auto& [name, value] : before) {
    const auto at = now.find(name);
    if (at == now.end() || at->second != value) changed.emplace(name, value);
  }
  return changed;
}

}  // namespace pgsteer::proxy
