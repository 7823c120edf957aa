#include "routing/normal_form.hpp"

#include <array>
#include <optional>

extern "C" {
#include <pg_query.h>
}

namespace pgsteer::routing {
namespace {

struct normalised {
  explicit normalised(const char* sql) : value(pg_query_normalize(sql)) {}
  ~normalised() { pg_query_free_normalize_result(value); }
  normalised(const normalised&) = delete;
  normalised& operator=(const normalised&) = delete;
  PgQueryNormalizeResult value;
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Of what the parser's library has normalised: utility statements keep their literals there, and the rest of
// a text is cut at the first.
class compactor {
 public:
  explicit compactor(std::string_view text) : rest_(text) {}

  std::string run() {
    while (!rest_.empty() && !is_cut_)
      take();
    return std::move(out_);
  }

 private:
  [[nodiscard]] char next() const { return rest_.size() > 1 ? rest_[1] : '\0'; }

  void take() {
    const char c = rest_[0];
    if (is_blank(c)) return skip(1);
    if (c == '-' && next() == '-') return skip(std::min(rest_.size(), rest_.find('\n')));
    if (c == '/' && next() == '*') return skip_comment();
    if (c == '"') return take_quoted();
    if (c == '$' && is_digit(next())) return take_parameter();
    if (c == '\'' || c == '$') return cut();
    put(c);
    rest_.remove_prefix(1);
  }

  void skip(std::size_t bytes) {
    rest_.remove_prefix(bytes);
    is_apart_ = true;
  }

  void skip_comment() {
    std::size_t depth = 0;
    std::size_t at = 0;
    do {
      const auto pair = rest_.substr(at, 2);
      if (pair.size() < 2) return skip(rest_.size());
      if (pair == "/*") ++depth;
      if (pair == "*/") --depth;
      at += pair == "/*" || pair == "*/" ? 2 : 1;
    } while (depth > 0);
    skip(at);
  }

  void take_quoted() {
    const auto end = rest_.find('"', 1);
    const auto size = end == std::string_view::npos ? rest_.size() : end + 1;
    for (const char c : rest_.substr(0, size))
      put(c);
    rest_.remove_prefix(size);
  }

  void take_parameter() {
    std::size_t digits = 1;
    while (digits < rest_.size() && is_digit(rest_[digits]))
      ++digits;
    rest_.remove_prefix(digits);
    if (out_.ends_with("?,")) {  // one more of a list
      out_.pop_back();
      is_apart_ = false;
      return;
    }
    put('?');
  }

  void put(char c) {
    const bool is_first = out_.empty();
    if (is_apart_ && !is_first) out_.push_back(' ');
    if (c == ',' && out_.ends_with(' ')) out_.pop_back();
    is_apart_ = false;
    out_.push_back(c);
  }

  void cut() {
    is_cut_ = true;
    for (int dots = 0; dots < 3; ++dots)
      put('.');
  }

  std::string_view rest_;
  std::string out_;
  bool is_apart_ = false;
  bool is_cut_ = false;
};

}  // namespace

std::string normal_form(std::string_view sql) {
  const std::string terminated(sql);
  const normalised result(terminated.c_str());
  if (result.value.error != nullptr || result.value.normalized_query == nullptr) return {};
  return compactor(result.value.normalized_query).run();
}

// The last `*` is tried again further on where what follows it does not match.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

}  // namespace pgsteer::routing
