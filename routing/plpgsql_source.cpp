#include "routing/plpgsql_source.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "routing/builtin_functions.hpp"
#include "routing/settings_statements.hpp"

namespace pgsteer::routing {
namespace {

struct word {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;      // of a name or key word, in lower case where it is not quoted
  bool is_name = false;  // or key word
};

bool is_name_start(unsigned char c) {
  return std::isalpha(c) != 0 || c == '_' || c >= 0x80;
}

bool is_name_part(unsigned char c) {
  return is_name_start(c) || std::isdigit(c) != 0 || c == '$';
}

// Names, literals and single other characters; comments and blanks are between them.
// https://www.postgresql.org/docs/15/sql-syntax-lexical.html
class word_reader {
 public:
  explicit word_reader(std::string_view source) : source_(source) {}

  std::vector<word> read() {
    std::vector<word> all;
    while (skip_blanks())
      all.push_back(next());
    return all;
  }

 private:
  [[nodiscard]] char at(std::size_t place) const { return place < source_.size() ? source_[place] : '\0'; }
  [[nodiscard]] bool has(std::string_view text) const { return source_.substr(here_).starts_with(text); }

  bool skip_blanks() {
    while (here_ < source_.size()) {
      if (has("--")) {
        here_ = std::min(source_.find('\n', here_), source_.size());
      } else if (has("/*")) {
        skip_comment();
      } else if (std::isspace(static_cast<unsigned char>(source_[here_])) != 0) {
        ++here_;
      } else {
        return true;
      }
    }
    return false;
  }

  void skip_comment() {
    int depth = 0;
    do {
      const int step = has("/*") ? 1 : has("*/") ? -1 : 0;
      depth += step;
      here_ += step == 0 ? 1 : 2;
    } while (depth > 0 && here_ < source_.size());
  }

  word next() {
    word made;
    made.begin = here_;
    const char c = at(here_);
    const bool is_escaped = (c == 'e' || c == 'E') && at(here_ + 1) == '\'';
    if (c == '\'' || is_escaped) {
      here_ += is_escaped ? 1 : 0;
      skip_quoted('\'', is_escaped);
    } else if (c == '"') {
      skip_quoted('"', false);
      made.text = source_.substr(made.begin + 1, here_ - made.begin - 2);
      made.is_name = true;
    } else if (c == '$' && skip_dollar_quoted()) {
    } else if (is_name_start(static_cast<unsigned char>(c))) {
      while (is_name_part(static_cast<unsigned char>(at(here_))))
        ++here_;
      made.text = lower_case(source_.substr(made.begin, here_ - made.begin));
      made.is_name = true;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (std::isalnum(static_cast<unsigned char>(at(here_))) != 0)
        ++here_;
    } else {
      made.text = c;
      ++here_;
    }
    here_ = std::min(here_, source_.size());
    made.end = here_;
    return made;
  }

  void skip_quoted(char quote, bool is_escaped) {
    for (++here_; here_ < source_.size(); ++here_) {
      if (is_escaped && source_[here_] == '\\') {
        ++here_;
      } else if (source_[here_] == quote && at(here_ + 1) == quote) {
        ++here_;
      } else if (source_[here_] == quote) {
        ++here_;
        return;
      }
    }
  }

  bool skip_dollar_quoted() {
    std::size_t end = here_ + 1;
    while (is_name_part(static_cast<unsigned char>(at(end))) && at(end) != '$')
      ++end;
    if (at(end) != '$' || std::isdigit(static_cast<unsigned char>(at(here_ + 1))) != 0) return false;
    const auto tag = source_.substr(here_, end + 1 - here_);
    const auto close = source_.find(tag, end + 1);
    here_ = close == std::string_view::npos ? source_.size() : close + tag.size();
    return true;
  }

  std::string_view source_;
  std::size_t here_ = 0;
};

template <std::size_t Size>
bool is_one_of(std::string_view text, const std::array<std::string_view, Size>& all) {
  return std::ranges::find(all, text) != all.end();
}

// The words of a body, and what is to stand for some of them.
class editor {
 public:
  explicit editor(std::string_view source) : source_(source), words_(word_reader(source).read()) {}

  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] std::string_view text(std::size_t at) const {
    return at < words_.size() ? std::string_view(words_[at].text) : std::string_view{};
  }
  [[nodiscard]] bool is(std::size_t at, std::string_view word) const { return text(at) == word; }
  [[nodiscard]] bool is_name(std::size_t at) const { return at < words_.size() && words_[at].is_name; }

  // Of words [from, to), as written.
  [[nodiscard]] std::string_view written(std::size_t from, std::size_t to) const {
    if (from >= to) return {};
    return source_.substr(words_[from].begin, words_[to - 1].end - words_[from].begin);
  }

  [[nodiscard]] bool begins_statement(std::size_t at) const {
    constexpr std::array<std::string_view, 6> before{";", "begin", "then", "else", "loop", ">"};
    return at == 0 || is_one_of(text(at - 1), before);
  }

  // The first of these words from `at` on, outside brackets.
  [[nodiscard]] std::size_t find(std::size_t at, std::initializer_list<std::string_view> wanted) const {
    for (int depth = 0; at < words_.size(); ++at) {
      const auto here = text(at);
      if (depth == 0 && std::ranges::find(wanted, here) != wanted.end()) return at;
      depth += here == "(" || here == "[" ? 1 : here == ")" || here == "]" ? -1 : 0;
    }
    return at;
  }

  // Behind the bracket that closes the one at `at`.
  [[nodiscard]] std::size_t behind_brackets(std::size_t at) const {
    const auto close = find(at + 1, {")"});
    return std::min(close + 1, words_.size());
  }

  void replace(std::size_t from, std::size_t to, std::string with) {
    edits_.push_back({words_[from].begin, words_[to - 1].end, std::move(with)});
  }

  [[nodiscard]] std::string result() const {
    auto edits = edits_;
    std::ranges::sort(edits, {}, &edit::begin);
    std::string made;
    std::size_t at = 0;
    for (const auto& each : edits) {
      made += source_.substr(at, each.begin - at);
      made += each.with;
      at = each.end;
    }
    made += source_.substr(at);
    return made;
  }

 private:
  struct edit {
    std::size_t begin;
    std::size_t end;
    std::string with;
  };

  std::string_view source_;
  std::vector<word> words_;
  std::vector<edit> edits_;
};

// https://www.postgresql.org/docs/15/plpgsql-cursors.html
class cursor_remover {
 public:
  explicit cursor_remover(std::string_view source) : source_(source), body_(source) {}

  plpgsql_source remove() {
    find_cursors();
    for (std::size_t at = 0; at < body_.size();)
      at = std::max(at + 1, rewrite(at));
    const bool is_followed = !is_strange_ && std::ranges::includes(closed_, opened_);
    if (!is_followed) return {std::string(source_), {}, {}};
    return {body_.result(), std::move(queries_), std::move(rows_)};
  }

 private:
  // `c CURSOR (n int) FOR SELECT ...;` and `c refcursor;`
  void find_cursors() {
    for (std::size_t at = 0; at + 1 < body_.size(); ++at) {
      if (!body_.is_name(at)) continue;
      auto next = at + 1;
      if (body_.is(next, "no")) ++next;
      if (body_.is(next, "scroll")) ++next;
      const bool is_bound = body_.is(next, "cursor");
      const bool is_free = body_.is(at + 1, "refcursor") && body_.is(at + 2, ";");
      if (!is_bound && !is_free) continue;
      names_.emplace(body_.text(at));
      declared_.insert(at);
    }
  }

  [[nodiscard]] bool is_cursor(std::size_t at) const {
    return body_.is_name(at) && names_.contains(std::string(body_.text(at)));
  }

  // Where to go on.
  std::size_t rewrite(std::size_t at) {
    if (body_.is(at, "for")) return rewrite_loop(at);
    if (is_cursor(at)) {
      is_strange_ = is_strange_ || !declared_.contains(at);
      return at + 1;
    }
    if (!body_.begins_statement(at)) return at;
    if (body_.is(at, "open") && is_cursor(at + 1)) return rewrite_open(at);
    if (body_.is(at, "close") && is_cursor(at + 1) && body_.is(at + 2, ";")) {
      closed_.emplace(body_.text(at + 1));
      body_.replace(at, at + 2, "NULL");
      return at + 2;
    }
    if (body_.is(at, "fetch") || body_.is(at, "move")) return rewrite_fetch(at);
    return at;
  }

  std::size_t rewrite_loop(std::size_t at) {
    const auto in = body_.find(at, {"in", ";", "loop"});
    if (!body_.is(in, "in") || !is_cursor(in + 1)) return at;
    const bool has_arguments = body_.is(in + 2, "(");
    const auto end = has_arguments ? body_.behind_brackets(in + 2) : in + 2;
    if (!body_.is(end, "loop")) return at;
    if (has_arguments) keep_arguments(in + 2, end);
    if (in == at + 2) rows_.emplace_back(body_.text(at + 1));
    body_.replace(in + 1, end, "SELECT NULL");
    return end;
  }

  void keep_arguments(std::size_t from, std::size_t to) {
    queries_.push_back(fmt::format("SELECT pg_catalog.concat{}", body_.written(from, to)));
  }

  std::size_t rewrite_open(std::size_t at) {
    const auto end = body_.find(at, {";"});
    opened_.emplace(body_.text(at + 1));
    auto next = at + 2;
    if (next == end) {
      body_.replace(at, end, "NULL");
    } else if (body_.is(next, "(") && body_.behind_brackets(next) == end) {
      keep_arguments(next, end);
      body_.replace(at, end, "NULL");
    } else {
      if (body_.is(next, "no")) ++next;
      if (body_.is(next, "scroll")) ++next;
      is_strange_ = is_strange_ || !body_.is(next, "for") || next + 1 >= end;
      if (is_strange_) return at + 1;
      const auto query = body_.written(next + 1, end);
      const bool is_made = body_.is(next + 1, "execute");
      body_.replace(at, end, is_made ? std::string(query) : fmt::format("PERFORM * FROM ({}\n) AS c", query));
    }
    return end;
  }

  // `FETCH LAST FROM c INTO a, b;`
  std::size_t rewrite_fetch(std::size_t at) {
    constexpr std::array<std::string_view, 12> directions{"next",     "prior",    "first",   "last",
                                                          "absolute", "relative", "forward", "backward",
                                                          "all",      "from",     "in",      "-"};
    auto next = at + 1;
    while (next < body_.size() && (is_one_of(body_.text(next), directions) || body_.text(next).empty()))
      ++next;
    if (!is_cursor(next)) return at;
    const bool is_move = body_.is(at, "move");
    const auto end = body_.find(next, {";"});
    if (is_move ? end != next + 1 : !body_.is(next + 1, "into")) return at;
    body_.replace(at, next + 1, is_move ? "NULL" : "SELECT NULL");
    return next + 1;
  }

  std::string_view source_;
  editor body_;
  std::set<std::string> names_;
  std::set<std::size_t> declared_;  // the words that declare them
  std::set<std::string> opened_;
  std::set<std::string> closed_;
  std::vector<std::string> queries_;
  std::vector<std::string> rows_;
  bool is_strange_ = false;
};

// `#variable_conflict use_column` and the like.
std::string_view without_options(std::string_view source) {
  for (;;) {
    const auto begin = source.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos || source[begin] != '#') return source;
    source.remove_prefix(std::min(source.find('\n', begin), source.size()));
  }
}

// `RETURN NEXT;` returns the row of the output parameters, which libpg_query does not know of.
std::string with_values_to_return(std::string_view source) {
  editor body(source);
  for (std::size_t at = 0; at + 2 < body.size(); ++at) {
    const bool is_bare = body.is(at, "return") && body.is(at + 1, "next") && body.is(at + 2, ";");
    if (is_bare && body.begins_statement(at)) body.replace(at + 1, at + 2, "NEXT NULL");
  }
  return body.result();
}

}  // namespace

plpgsql_source without_cursors(std::string_view source) {
  auto made = cursor_remover(without_options(source)).remove();
  made.text = with_values_to_return(made.text);
  return made;
}

plpgsql_source with_record(plpgsql_source source, std::string_view variable) {
  editor body(source.text);
  std::vector<std::string> types;
  for (std::size_t at = 1; at + 1 < body.size(); ++at) {
    const bool is_declared = body.is_name(at) && body.is(at, variable) && body.is_name(at + 1) &&
                             (body.is(at - 1, "declare") || body.is(at - 1, ";"));
    if (!is_declared) continue;
    const auto type = body.is(at + 1, "constant") ? at + 2 : at + 1;
    const auto end = body.find(type, {";", ":", "=", "default", "not", "collate"});
    if (end == type || end >= body.size()) continue;
    if (!body.is(type, "record")) types.emplace_back(body.written(type, end));
    body.replace(type, end, std::string(record_type));
  }
  source.text = body.result();
  for (const auto& each : types)
    source.queries.push_back(fmt::format("SELECT NULL::{}", type_declared(each)));
  return source;
}

std::string_view type_declared(std::string_view declaration) {
  const auto percent = declaration.rfind('%');
  if (percent == std::string_view::npos) return declaration;
  const bool is_row = declaration.find_first_of("Rr", percent) != std::string_view::npos;
  return declaration.substr(0, is_row ? percent : std::min(declaration.rfind('.', percent), percent));
}

std::optional<std::string> wrong_on_standby(std::string_view text) {
  const auto is_blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = 0; at < text.size();) {
    if (!is_name_start(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    auto end = at;
    while (end < text.size() && is_name_part(static_cast<unsigned char>(text[end])))
      ++end;
    const auto name = lower_case(text.substr(at, end - at));
    at = end;
    if (name == "last_value" || name == "log_cnt" || name == "is_called")
      return fmt::format("column {} may be a sequence's, which a replica has at another value", name);
    while (end < text.size() && is_blank(text[end]))
      ++end;
    if (end >= text.size() || text[end] != '(') continue;
    const auto* known = find_builtin_function(name);
    const bool is_wrong = known != nullptr && known->safety != function_safety::safe && name != "age" &&
                          name != "current_setting" && (known->effects & fx_unknown) != fx_unknown;
    if (is_wrong) return fmt::format("calls {}(): {}", name, known->reason);
  }
  return std::nullopt;
}

}  // namespace pgsteer::routing
