#include "routing/temporary_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "routing/catalog_rows.hpp"
#include "routing/name_questions.hpp"
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

std::optional<std::uint32_t> number_of(std::string_view word) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) return std::nullopt;
  return number;
}

// Whether `test` holds for a word of the text, folded and cut as an identifier is.
template <class Test>
bool any_word(std::string_view text, Test test) {
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
    if (test(word)) return true;
  }
  return false;
}

// Not a number: an identifier may be that of any object.
bool is_name(const json::value& constant) {
  const auto* node = as_node(constant, "A_Const");
  const auto* text = node == nullptr ? nullptr : object_field(*node, "sval");
  const auto name = text == nullptr ? std::string_view{} : text_field(*text, "sval");
  return !name.empty() && !number_of(name);
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

void temporary_names::add_object(std::string_view name, std::string_view id) {
  if (name.empty()) return add_all();
  add(name);
  if (const auto number = number_of(id)) {
    ids_.insert(*number);
  } else {
    is_mixed_ = true;
  }
}

bool temporary_names::may_be_in(std::string_view text) const {
  return is_everything_ || has_word_in(text);
}

bool temporary_names::has_word_in(std::string_view text) const {
  return any_word(text,
                  [this](std::string_view word) { return names_.contains(word) || asks_about_names(word); });
}

bool temporary_names::has_name_in(std::string_view text) const {
  return any_word(text, [this](std::string_view word) {
    if (names_.contains(word)) return true;
    const auto id = number_of(word);
    return id && ids_.contains(*id);
  });
}

bool temporary_names::has_name_like(std::string_view beginning) const {
  std::string folded(beginning);
  std::ranges::transform(folded, folded.begin(), lower);
  const auto next = names_.lower_bound(folded);
  return next != names_.end() && next->starts_with(folded);
}

bool temporary_names::may_be_meant(std::string_view sql, sql_parser& parser) const {
  if (is_everything_) return true;
  if (!has_word_in(sql)) return false;
  if (sql.size() > longest_parsed || sql.find('\0') != std::string_view::npos) return true;
  if (parser.parse(sql) != parse_failure::none) return true;
  return are_apart() ? is_reached(parser.tree()) : is_meant(parser.tree());
}

bool temporary_names::is_reached(const json::value& tree) const {
  if (names_one(tree)) return true;
  const auto question = worst_question(tree);
  if (question == name_question::none) return false;
  if (question == name_question::of_all || is_in_constant(tree)) return true;
  return question == name_question::of_columns &&
         !reads_bound_catalog_rows(tree, [this](std::string_view name) { return has_name_like(name); });
}

// As a relation, a type or a function: not as a column, an alias or in a constant.
bool temporary_names::names_one(const json::value& tree) const {
  if (const auto* text = tree.if_string()) return has_name_in(view(*text));
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [this](const auto& item) { return names_one(item); });
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  return std::ranges::any_of(*object, [this](const auto& field) {
    const std::string_view key(field.key().data(), field.key().size());
    if (key == "ColumnRef" || key == "alias" || key == "A_Const") return false;
    if (key != "ResTarget" || !field.value().is_object()) return names_one(field.value());
    const auto* target = field.value().get_object().if_contains("val");
    return target != nullptr && names_one(*target);
  });
}

bool temporary_names::is_in_constant(const json::value& tree) const {
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [this](const auto& item) { return is_in_constant(item); });
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  if (const auto* constant = as_node(tree, "A_Const")) {
    if (const auto* text = object_field(*constant, "sval")) return has_name_in(text_field(*text, "sval"));
    if (const auto* text = object_field(*constant, "fval")) return has_name_in(text_field(*text, "fval"));
    const auto* number = object_field(*constant, "ival");
    const auto* value = number == nullptr ? nullptr : number->if_contains("ival");
    return value != nullptr && value->is_int64() &&
           ids_.contains(static_cast<std::uint32_t>(value->get_int64()));
  }
  if (const auto* choice = as_node(tree, "CaseExpr")) return is_in_choice(*choice);
  return std::ranges::any_of(*object, [this](const auto& field) { return is_in_constant(field.value()); });
}

// `CASE c.relkind WHEN 'r' THEN`: what a column is compared with is no name that anybody looks up.
bool temporary_names::is_in_choice(const json::object& choice) const {
  const auto* compared = choice.if_contains("arg");
  const auto* cases = list_field(choice, "args");
  const bool is_column = compared != nullptr && as_node(*compared, "ColumnRef") != nullptr;
  const auto is_in = [&](const json::value& part) {
    const auto* one = is_column ? as_node(part, "CaseWhen") : nullptr;
    const auto* result = one == nullptr ? nullptr : one->if_contains("result");
    const auto* value = one == nullptr ? nullptr : one->if_contains("expr");
    if (result == nullptr || value == nullptr || as_node(*value, "A_Const") == nullptr)
      return is_in_constant(part);
    return is_in_constant(*result);
  };
  const auto* otherwise = choice.if_contains("defresult");
  return (cases != nullptr && std::ranges::any_of(*cases, is_in)) ||
         (otherwise != nullptr && is_in_constant(*otherwise)) ||
         (compared != nullptr && is_in_constant(*compared));
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
    return type != nullptr && is_meant(*type) &&
           (is_meant(*argument) || !reads_name(*type) || !is_name(*argument));
  }
  return is_meant(value);
}

}  // namespace pgsteer::routing
