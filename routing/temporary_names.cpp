#include "routing/temporary_names.hpp"

#include <algorithm>
#include <array>

#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_name = 63;      // NAMEDATALEN - 1
constexpr std::size_t longest_parsed = 4096;  // on this stack

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
  constexpr std::array<std::string_view, 14> whole{
      "regclass",        "regproc",      "regprocedure", "regoper",          "regoperator",
      "regtype",         "regcollation", "regconfig",    "regdictionary",    "format_type",
      "current_schemas", "pg_temp",      "ts_stat",      "pg_my_temp_schema"};
  constexpr std::array<std::string_view, 6> beginnings{"to_reg",      "pg_get_",     "pg_temp_",
                                                       "pg_describe", "pg_identify", "pg_is_other_temp"};
  constexpr std::array<std::string_view, 4> ends{"_is_visible", "_privilege", "_to_xml", "current_schema"};
  return std::ranges::find(whole, word) != whole.end() ||
         std::ranges::any_of(beginnings, [&](auto s) { return word.starts_with(s); }) ||
         std::ranges::any_of(ends, [&](auto s) { return word.ends_with(s); });
}

bool reads_name(const json::value& type) {
  const auto* node = type.if_object();
  const auto name = node == nullptr ? std::nullopt : name_field(*node, "names");
  return name && name->name.starts_with("reg") && asks_about_names(name->name);
}

}  // namespace

// A name of other characters can be written in too many ways to look for it.
void temporary_names::add(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, is_ascii_word);
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), lower);
  if (!is_plain || names_.size() >= most || asks_about_names(folded)) return add_all();
  names_.insert(std::move(folded));
}

bool temporary_names::may_be_in(std::string_view text) const {
  return is_everything_ || has_word_in(text);
}

bool temporary_names::has_word_in(std::string_view text) const {
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

bool temporary_names::may_be_meant(std::string_view sql, sql_parser& parser) const {
  if (is_everything_) return true;
  if (!has_word_in(sql)) return false;
  if (sql.size() > longest_parsed || sql.find('\0') != std::string_view::npos) return true;
  return parser.parse(sql) != parse_failure::none || is_meant(parser.tree());
}

bool temporary_names::is_meant(const json::value& tree) const {
  if (const auto* text = tree.if_string()) return has_word_in(view(*text));
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [this](const auto& item) { return is_meant(item); });
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  return std::ranges::any_of(*object, [this](const auto& field) {
    return is_meant({field.key().data(), field.key().size()}, field.value());
  });
}

// A relation is named by FROM alone: columns and aliases only speak of what stands there. A constant that is
// given a type is no name, unless that type reads it as one: regclass and its like.
bool temporary_names::is_meant(std::string_view key, const json::value& value) const {
  if (key == "ColumnRef" || key == "alias") return false;
  const auto* node = value.if_object();
  if (node == nullptr) return is_meant(value);
  if (key == "ResTarget") {
    const auto* target = node->if_contains("val");
    return target != nullptr && is_meant(*target);
  }
  const auto* argument = key == "TypeCast" ? node->if_contains("arg") : nullptr;
  if (argument != nullptr && as_node(*argument, "A_Const") != nullptr) {
    const auto* type = node->if_contains("typeName");
    return type != nullptr && is_meant(*type) && (is_meant(*argument) || !reads_name(*type));
  }
  return is_meant(value);
}

}  // namespace pgsteer::routing
