#include <algorithm>
#include <array>
#include <string>

#include "routing/classifier.hpp"

namespace pgsteer::routing {
namespace {

// As PostgreSQL cleans encoding names (clean_encoding_name): letters and digits in lower case.
std::string clean_name(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_other = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_upper) clean += static_cast<char>(c - 'A' + 'a');
    if (is_other) clean += c;
  }
  return clean;
}

// pg_encname_tbl of PostgreSQL: every encoding whose multibyte characters stay above 0x7f, and its
// aliases. What is not here is not trusted.
constexpr std::array<std::string_view, 64> safe_names{
    "abc",         "alt",         "euccn",       "eucjis2004",  "eucjp",       "euckr",       "euctw",
    "iso88591",    "iso885910",   "iso885913",   "iso885914",   "iso885915",   "iso885916",   "iso88592",
    "iso88593",    "iso88594",    "iso88595",    "iso88596",    "iso88597",    "iso88598",    "iso88599",
    "koi8",        "koi8r",       "koi8u",       "latin1",      "latin10",     "latin2",      "latin3",
    "latin4",      "latin5",      "latin6",      "latin7",      "latin8",      "latin9",      "muleinternal",
    "sqlascii",    "tcvn",        "tcvn5712",    "unicode",     "utf8",        "vscii",       "win",
    "win1250",     "win1251",     "win1252",     "win1253",     "win1254",     "win1255",     "win1256",
    "win1257",     "win1258",     "win866",      "win874",      "windows1250", "windows1251", "windows1252",
    "windows1253", "windows1254", "windows1255", "windows1256", "windows1257", "windows1258", "windows866",
    "windows874"};

}  // namespace

bool is_ascii_safe_encoding(std::string_view client_encoding) {
  if (client_encoding == "UTF8") return true;
  const auto name = clean_name(client_encoding);
  return !name.empty() && std::find(safe_names.begin(), safe_names.end(), name) != safe_names.end();
}

}  // namespace pgsteer::routing
