#include "routing/temporary_names.hpp"

#include <algorithm>
#include <array>

namespace pgsteer::routing {
namespace {

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

bool is_word(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_ascii_word(char c) {
  return is_word(c) && static_cast<unsigned char>(c) < 0x80;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Functions and types whose answers depend on what names mean in the session: the words themselves, and
// their beginnings and ends.
// https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-SCHEMA
bool asks_about_names(std::string_view word) {
  constexpr std::array<std::string_view, 17> whole{
      "regclass",        "regproc",          "regprocedure",   "regoper",         "regoperator",
      "regtype",         "regcollation",     "regconfig",      "regdictionary",   "format_type",
      "obj_description", "col_description",  "current_schema", "current_schemas", "pg_temp",
      "ts_stat",         "pg_my_temp_schema"};
  constexpr std::array<std::string_view, 6> beginnings{"to_reg",      "pg_get_",     "pg_temp_",
                                                       "pg_describe", "pg_identify", "pg_is_other_temp"};
  constexpr std::array<std::string_view, 3> ends{"_is_visible", "_privilege", "_to_xml"};
  return std::ranges::find(whole, word) != whole.end() ||
         std::ranges::any_of(beginnings, [&](auto s) { return word.starts_with(s); }) ||
         std::ranges::any_of(ends, [&](auto s) { return word.ends_with(s); });
}

}  // namespace

// A name of other characters can be written in too many ways to look for it.
void temporary_names::add(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, is_ascii_word);
  if (!is_plain || names_.size() >= most) return add_all();
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), lower);
  names_.insert(std::move(folded));
}

bool temporary_names::may_be_in(std::string_view text) const {
  if (is_everything_) return true;
  std::string word;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      ++at;
      continue;
    }
    word.clear();
    const auto from = at;
    for (; at < text.size() && is_word(text[at]); ++at)
      word.push_back(lower(text[at]));
    // U&"..." spells names in code points.
    if (word == "u" && text.substr(at).starts_with('&')) return true;
    if (at - from > longest_name) word.resize(longest_name);
    if (names_.contains(word) || asks_about_names(word)) return true;
  }
  return false;
}

}  // namespace pgsteer::routing
