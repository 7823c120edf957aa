// Words in texts that are not parsed, or not yet: ASCII letters are folded, as PostgreSQL folds them. Used by
// the parts of a session that look for something in a statement.
// https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pgsteer::proxy {

[[nodiscard]] constexpr char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

[[nodiscard]] inline bool is_same_letter(char one, char other) {
  return fold(one) == fold(other);
}

[[nodiscard]] constexpr bool is_in_name(char c) {
  return (fold(c) >= 'a' && fold(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Whether `part` stands anywhere in it, within a word too.
[[nodiscard]] inline bool holds(std::string_view sql, std::string_view part) {
  return std::search(sql.begin(), sql.end(), part.begin(), part.end(), is_same_letter) != sql.end();
}

// One name, dots and all.
[[nodiscard]] inline std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out.push_back(c);
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace pgsteer::proxy
