#include "routing/parse.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "routing/decide.hpp"
#include "routing/sql_parser.hpp"
#include "routing/statements.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

judged_text unjudged(std::string_view reason) {
  judged_text text;
  text.is.kind = statement_kind::write;
  text.is.reason = reason;
  text.is.effects.may_set = true;
  text.is.effects.may_pin = true;
  text.is.effects.changes_catalog = true;
  return text;
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// Why the text must not even be parsed, or empty. Settings that change what a byte means matter only
// to texts that hold such bytes.
std::string_view refusal(std::string_view sql, const parse_context& context) {
  if (sql.size() > max_parsed_text) return "text is too long to be judged";
  if (sql.find('\0') != std::string_view::npos) return "text holds a zero byte";
  if (!context.standard_conforming_strings && sql.find('\\') != std::string_view::npos) {
    return "standard_conforming_strings is off: a backslash may end or go on with a string";
  }
  if (!context.ascii_safe_encoding && !is_ascii(sql)) {
    return "client_encoding hides ASCII bytes in its characters";
  }
  return {};
}

judged_text judge_tree(const json::value& tree, std::string_view sql, const facts& known) {
  const auto* root = tree.if_object();
  const auto* statements = root == nullptr ? nullptr : list_field(*root, "stmts");
  if (statements == nullptr) return unjudged("parse tree cannot be read");
  judged_text text;
  text.is_parsed = true;
  text.depends_on_literals = statements->empty();
  text.is.kind = statement_kind::empty;
  text.is.reason = "empty";
  bool is_first = true;
  for (const auto& item : *statements) {
    const auto* raw = item.if_object();
    const auto* statement = raw == nullptr ? nullptr : raw->if_contains("stmt");
    if (statement == nullptr) return unjudged("parse tree cannot be read");
    auto judged = judge_statement(*statement, sql, known);
    text.depends_on_literals |= judged.depends_on_literals;
    if (is_first) {
      text.is = std::move(judged.is);
    } else {
      join_text(text.is, judged.is);
    }
    is_first = false;
  }
  return text;
}

}  // namespace

judged_text text_judge::judge(std::string_view sql, const parse_context& context, const facts& known) {
  if (const auto why = refusal(sql, context); !why.empty()) return unjudged(why);
  switch (parser_.parse(sql)) {
    case parse_failure::not_sql:
      return unjudged("text cannot be parsed");
    case parse_failure::too_deep:
      return unjudged("text is nested too deeply to be judged");
    case parse_failure::none:
      break;
  }
  return judge_tree(parser_.tree(), sql, known);
}

}  // namespace pgsteer::routing
