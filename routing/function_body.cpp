#include "routing/function_body.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "routing/classifier.hpp"
#include "routing/kept_parameters.hpp"
#include "routing/plpgsql_source.hpp"
#include "routing/settings_statements.hpp"
#include "routing/sql_parser.hpp"
#include "routing/statements.hpp"
#include "routing/text_template.hpp"
#include "routing/tree.hpp"

extern "C" {
#include <pg_query.h>
}

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

constexpr std::size_t max_body_depth = 512;

struct plpgsql_result {
  explicit plpgsql_result(const char* text) : value(pg_query_parse_plpgsql(text)) {}
  ~plpgsql_result() { pg_query_free_plpgsql_parse_result(value); }
  plpgsql_result(const plpgsql_result&) = delete;
  plpgsql_result& operator=(const plpgsql_result&) = delete;
  PgQueryPlpgsqlParseResult value;
};

void judge_one(const json::value& statement, std::string_view sql, const facts& known, findings& found) {
  const auto* node = statement.if_object();
  if (node != nullptr && node->contains("SelectStmt")) return walker(known, found).walk(statement);
  const auto judged = judge_statement(statement, sql, known);
  found.effects |= judged.is.effects;
  found.bodies |= judged.is.bodies;
  if (judged.is.kind != statement_kind::read) found.refuse(judged.is.reason);
}

void judge_sql(std::string_view sql, const facts& known, findings& found) {
  sql_parser parser;
  const bool fits = sql.size() <= max_parsed_text && sql.find('\0') == std::string_view::npos;
  if (!fits || parser.parse(sql) != parse_failure::none)
    return found.doubt_code("a part that cannot be parsed");
  const auto* root = parser.tree().if_object();
  const auto* statements = root == nullptr ? nullptr : list_field(*root, "stmts");
  if (statements == nullptr) return found.doubt_code("a part that cannot be parsed");
  for (const auto& item : *statements) {
    const auto* raw = item.if_object();
    const auto* statement = raw == nullptr ? nullptr : raw->if_contains("stmt");
    if (statement == nullptr) return found.doubt_code("a part that cannot be parsed");
    judge_one(*statement, sql, known, found);
  }
}

bool begins_with_word(std::string_view text, std::string_view word) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos || text.size() - from < word.size()) return false;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const char c = text[from + at];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[at]) return false;
  }
  const auto end = from + word.size();
  return end == text.size() || text[end] == ' ' || text[end] == '\n' || text[end] == '\t' ||
         text[end] == '(' || text[end] == '\'';
}

// Where the value of `target := value` begins, behind a target that may have subscripts.
std::optional<std::size_t> end_of_target(std::string_view text) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = text.find(c, at + 1);
      if (at == std::string_view::npos) return std::nullopt;
    } else if (c == '[' || c == '(') {
      ++depth;
    } else if (c == ']' || c == ')') {
      --depth;
    } else if (depth == 0 && (c == '=' || (c == ':' && text.substr(at).starts_with(":=")))) {
      return at;
    }
  }
  return std::nullopt;
}

// The text that EXECUTE is given.
std::optional<text_template> parse_template(std::string_view text, const kept_parameters& parameters,
                                            const facts& known) {
  sql_parser parser;
  if (parser.parse(fmt::format("SELECT {}", text)) != parse_failure::none) return std::nullopt;
  const auto* root = parser.tree().if_object();
  const auto* statements = root == nullptr ? nullptr : list_field(*root, "stmts");
  if (statements == nullptr || statements->size() != 1) return std::nullopt;
  const auto* raw = statements->front().if_object();
  const auto* statement = raw == nullptr ? nullptr : raw->if_contains("stmt");
  const auto* select = statement == nullptr ? nullptr : as_node(*statement, "SelectStmt");
  const auto* targets = select == nullptr ? nullptr : list_field(*select, "targetList");
  if (targets == nullptr || targets->size() != 1) return std::nullopt;
  const auto* target = as_node(targets->front(), "ResTarget");
  const auto* value = target == nullptr ? nullptr : target->if_contains("val");
  if (value == nullptr) return std::nullopt;
  return template_of(
      *value, [&](std::string_view name) { return parameters.find(name); }, known);
}

// A type that the body does not name: what parameters are of is judged with the function.
std::string parameter_type(std::string_view source) {
  std::string name = "type_of_parameter";
  while (source.find(name) != std::string_view::npos)
    name += '_';
  return name;
}

// Walks what libpg_query says of a PL/pgSQL function: its statements, the texts of its expressions and
// queries, the types of its variables. Statements that are not named here are no reads.
class body_walker {
 public:
  body_walker(kept_parameters parameters, std::string parameter_type, const facts& known, findings& found)
      : parameters_(std::move(parameters)),
        parameter_type_(std::move(parameter_type)),
        known_(known),
        found_(found) {}

  void walk(const json::value& value, std::string_view field) {
    if (const auto* list = value.if_array()) {
      for (const auto& item : *list)
        walk(item, field);
      return;
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [key, inner] : *object) {
      const std::string_view name(key.data(), key.size());
      if (name == "PLpgSQL_expr") {
        expression(inner, field);
      } else if (name == "PLpgSQL_type") {
        type(inner);
      } else {
        if (name.starts_with("PLpgSQL_stmt_")) statement(name.substr(13));
        walk(inner, role_of(name, field));
      }
    }
  }

 private:
  static std::string_view role_of(std::string_view name, std::string_view node) {
    if (name == "expr" && node == "PLpgSQL_stmt_assign") return "assignment";
    if (name == "query" && node.starts_with("PLpgSQL_stmt_dyn")) return "dynquery";
    return name;
  }

  void statement(std::string_view kind) {
    constexpr std::array<std::string_view, 24> reads{
        "block",   "assign",      "if",           "case",   "loop",  "while",  "fori",       "fors",
        "forc",    "foreach_a",   "exit",         "return", "raise", "assert", "execsql",    "perform",
        "getdiag", "return_next", "return_query", "open",   "fetch", "close",  "dynexecute", "dynfors"};
    if (std::find(reads.begin(), reads.end(), kind) != reads.end()) return;
    found_.refuse(fmt::format("its body is not only queries ({})", kind));
    found_.effects.may_set = found_.effects.may_pin = true;
  }

  void expression(const json::value& fields, std::string_view field) {
    const auto* node = fields.if_object();
    if (node == nullptr || !node->contains("query")) return found_.doubt_code("an expression without text");
    const auto text = text_field(*node, "query");
    constexpr std::array<std::string_view, 4> queries{"sqlstmt", "query", "argquery", "cursor_explicit_expr"};
    const bool is_query = std::find(queries.begin(), queries.end(), field) != queries.end();
    if (is_query || (field != "dynquery" && begins_with_word(text, "select")))
      return judge_sql(text, known_, found_);
    if (field == "assignment") return assignment(text);
    judge_sql(fmt::format("SELECT {}", text), known_, found_);
    if (field == "dynquery") execute(text);
  }

  void execute(std::string_view text) {
    const auto made = parse_template(text, parameters_, known_);
    if (!made) {
      found_.makes_texts = true;
      return found_.doubt_code("EXECUTE of a text made as it runs");
    }
    if (!needs_no_values(*made)) return found_.executed.push_back(*made);
    judge_sql(fill(*made, [](std::size_t) { return std::string_view{}; }), known_, found_);
  }

  void assignment(std::string_view text) {
    const auto target = end_of_target(text);
    if (!target) return judge_sql(fmt::format("SELECT {}", text), known_, found_);
    const auto value = text.substr(*target + (text[*target] == ':' ? 2 : 1));
    judge_sql(fmt::format("SELECT {}", value), known_, found_);
    if (text.substr(0, *target).find('[') != std::string_view::npos)
      judge_sql(fmt::format("SELECT {}", text.substr(0, *target)), known_, found_);
  }

  void type(const json::value& fields) {
    const auto* node = fields.if_object();
    const auto name = node == nullptr ? std::string_view{} : text_field(*node, "typname");
    if (name.empty() || name == "UNKNOWN" || lower_case(name) == "record" || name == parameter_type_) return;
    judge_sql(fmt::format("SELECT NULL::{}", type_declared(name)), known_, found_);
  }

  const kept_parameters parameters_;
  const std::string parameter_type_;
  const facts& known_;
  findings& found_;
};

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

// libpg_query knows no parameters: they become the variables of a block around the body.
std::string as_statement(const plpgsql_body& body, std::string_view end,
                         const std::set<std::string, std::less<>>& records) {
  const auto type = parameter_type(body.source);
  std::string text = "CREATE FUNCTION f() RETURNS ";
  text += body.is_trigger        ? "trigger"
          : body.returns_set     ? "SETOF int"
          : body.returns_nothing ? "void"
                                 : "int";
  std::string inner = "DECLARE ";
  const auto declare = [&](std::string_view name) {
    if (!records.contains(name)) inner += fmt::format("{} {}; ", quoted(name), type);
  };
  for (const auto& name : records)
    inner += fmt::format("{} {}; ", quoted(name), record_type);
  for (std::size_t at = 0; at < body.parameters; ++at)
    declare(fmt::format("${}", at + 1));
  for (const auto name : body.names) {
    if (!name.empty()) declare(name);
  }
  inner += fmt::format("BEGIN {}{} END", body.source, end);
  std::string tag = "$body$";
  for (int number = 0; inner.find(tag) != std::string::npos; ++number)
    tag = fmt::format("$body{}$", number);
  return fmt::format("{} AS {}{}{} LANGUAGE plpgsql", text, tag, inner, tag);
}

// What is wrong with it where it cannot be read.
std::optional<std::string> judge_plpgsql(const plpgsql_body& body, std::string_view end,
                                         const std::set<std::string, std::less<>>& records,
                                         const facts& known, findings& found) {
  const auto statement = as_statement(body, end, records);
  const plpgsql_result result(statement.c_str());
  if (result.value.error != nullptr) return result.value.error->message;
  if (result.value.plpgsql_funcs == nullptr) return "";
  json::parse_options options;
  options.max_depth = max_body_depth;
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  const auto tree = json::parse(result.value.plpgsql_funcs, error, {}, options);
  const auto* functions = error ? nullptr : tree.if_array();
  if (functions == nullptr || functions->size() != 1) return "";
  body_walker(kept_parameters(tree, body), parameter_type(body.source), known, found).walk(tree, {});
  return std::nullopt;
}

bool judge_as_written(const plpgsql_body& body, const facts& known, findings& found) {
  return !judge_plpgsql(body, "\n;", {}, known, found) || !judge_plpgsql(body, "\n", {}, known, found);
}

// `"row.total" is not a known variable`: libpg_query does not know that its type has fields.
std::string row_named_by(std::string_view complaint) {
  if (!complaint.starts_with('"') || !complaint.ends_with("\" is not a known variable")) return {};
  const auto dot = complaint.find('.');
  return dot == std::string_view::npos ? std::string{} : std::string(complaint.substr(1, dot - 1));
}

// Each row that it does not know costs one more look.
bool judge_rewritten(const plpgsql_body& body, const facts& known, findings& found) {
  constexpr std::size_t most_rows = 8;
  auto source = without_cursors(body.source);
  std::set<std::string, std::less<>> records(source.rows.begin(), source.rows.end());
  for (std::size_t look = 0; look <= most_rows; ++look) {
    auto other = body;
    other.source = source.text;
    const auto complaint = judge_plpgsql(other, "\n;", records, known, found);
    if (!complaint || !judge_plpgsql(other, "\n", records, known, found)) {
      for (const auto& query : source.queries)
        judge_sql(query, known, found);
      return true;
    }
    const auto row = row_named_by(*complaint);
    if (row.empty() || !records.insert(row).second) return false;
    source = with_record(std::move(source), row);
  }
  return false;
}

}  // namespace

findings judge_sql_body(std::string_view source, const facts& known) {
  findings found;
  judge_sql(source, known, found);
  return found;
}

findings judge_plpgsql_body(const plpgsql_body& body, const facts& known) {
  findings found;
  const bool fits = body.source.size() <= max_parsed_text && body.source.find('\0') == std::string_view::npos;
  const bool is_judged =
      fits && (judge_as_written(body, known, found) || judge_rewritten(body, known, found));
  if (!is_judged) found.doubt_code("a body that cannot be parsed");
  if (is_judged && found.executed.empty() && !found.makes_texts) return found;
  if (const auto why = wrong_on_standby(body.source)) found.refuse(*why);
  return found;
}

}  // namespace pgsteer::routing
