#include "routing/shape.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace pgsteer::routing {
namespace {

// What a byte begins, as PostgreSQL's scanner sees it (src/backend/parser/scan.l).
enum class byte_class : std::uint8_t {
  refused,  // backslash, zero and other control bytes, vertical tab
  blank,
  word,  // letters, underscore, bytes above 0x7f
  digit,
  quote,
  name_quote,
  dollar,
  point,
  open,
  close,
  comma,
  other,
};

constexpr byte_class classify_byte(unsigned char c) {
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') return byte_class::blank;
  if (c < 0x20 || c == '\\' || c == 0x7f) return byte_class::refused;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) return byte_class::word;
  if (c >= '0' && c <= '9') return byte_class::digit;
  switch (c) {
    case '\'':
      return byte_class::quote;
    case '"':
      return byte_class::name_quote;
    case '$':
      return byte_class::dollar;
    case '.':
      return byte_class::point;
    case '(':
      return byte_class::open;
    case ')':
      return byte_class::close;
    case ',':
      return byte_class::comma;
    default:
      return byte_class::other;
  }
}

constexpr auto byte_classes = [] {
  std::array<byte_class, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c)
    classes.at(c) = classify_byte(static_cast<unsigned char>(c));
  return classes;
}();

byte_class class_of(char c) {
  return byte_classes[static_cast<unsigned char>(c)];
}

constexpr auto word_bytes = [] {
  std::array<bool, 256> goes_on{};
  for (std::size_t c = 0; c < goes_on.size(); ++c) {
    const auto is = byte_classes.at(c);
    goes_on.at(c) = is == byte_class::word || is == byte_class::digit || is == byte_class::dollar;
  }
  return goes_on;
}();

bool goes_on_word(char c) {
  return word_bytes[static_cast<unsigned char>(c)];
}

class shaper {
 public:
  shaper(std::string_view sql, std::span<char> buffer)
      : at_(sql.data()), end_(sql.data() + sql.size()), begin_(buffer.data()), out_(buffer.data()) {}

  std::optional<text_shape> run() {
    while (at_ != end_) {
      if (!take_token()) return std::nullopt;
    }
    return text_shape{{begin_, static_cast<std::size_t>(out_ - begin_)}, has_literals_};
  }

 private:
  enum class last_token : std::uint8_t { none, word_in, word, string, other };

  bool take_token() {
    switch (class_of(*at_)) {
      case byte_class::blank:
        return take_blank();
      case byte_class::word:
        return take_word();
      case byte_class::digit:
        return take_number();
      case byte_class::quote:
        return take_string();
      case byte_class::name_quote:
        return take_quoted_name();
      case byte_class::dollar:
        return take_parameter();
      case byte_class::point:
        return take_point();
      case byte_class::open:
        return take_open();
      case byte_class::close:
        return take_close();
      case byte_class::comma:
        return take_comma();
      case byte_class::other:
        return take_other();
      case byte_class::refused:
        return false;
    }
    return false;
  }

  [[nodiscard]] bool is_at(char c, std::ptrdiff_t ahead = 0) const {
    return end_ - at_ > ahead && at_[ahead] == c;
  }

  void put(char c) {
    put_blank();
    *out_++ = c;
  }

  void put_blank() {
    if (!is_blank_due_) return;
    is_blank_due_ = false;
    if (out_ != begin_) *out_++ = ' ';
  }

  void put(const char* from, const char* to) {
    put_blank();
    std::memcpy(out_, from, static_cast<std::size_t>(to - from));
    out_ += to - from;
  }

  bool take_blank() {
    is_blank_due_ = true;
    ++at_;
    return true;
  }

  // Most bytes of a text stand in words: they are copied as they are read. Writing a char may change any
  // member, as far as the compiler knows; it cannot change what stands in a register.
  bool take_word() {
    put_blank();
    const char* const from = at_;
    const char* at = from;
    const char* const end = end_;
    char* out = out_;
    do
      *out++ = *at++;
    while (at != end && goes_on_word(*at));
    at_ = at;
    out_ = out;
    // E'', B'', X'', N'', U&'' and U&"": strings of other rules.
    if (is_at('\'') || is_at('"')) return false;
    const auto length = at_ - from;
    if (length == 1 && (*from == 'u' || *from == 'U') && is_at('&')) return false;
    const bool is_in = length == 2 && (from[0] | 0x20) == 'i' && (from[1] | 0x20) == 'n';
    last_ = is_in ? last_token::word_in : last_token::word;
    end_list();
    return true;
  }

  void skip_digits() {
    const char* at = at_;
    while (at != end_ && *at >= '0' && *at <= '9')
      ++at;
    at_ = at;
  }

  bool take_number() {
    skip_digits();
    if (is_at('.')) {
      ++at_;
      if (is_at('.')) return false;
      skip_digits();
    }
    if (is_at('e') || is_at('E')) {
      ++at_;
      if (is_at('+') || is_at('-')) ++at_;
      if (at_ == end_ || class_of(*at_) != byte_class::digit) return false;
      skip_digits();
    }
    if (at_ != end_ && (goes_on_word(*at_) || *at_ == '.' || *at_ == '\'' || *at_ == '"')) return false;
    put_literal('0');
    last_ = last_token::other;
    return true;
  }

  bool take_string() {
    if (last_ == last_token::string) return false;  // strings on two lines are one string
    for (++at_;; ++at_) {
      at_ = find_quote_or_backslash();
      if (at_ == nullptr || *at_ == '\\') return false;
      if (!is_at('\'', 1)) break;
      ++at_;
    }
    ++at_;
    if (at_ != end_ && (goes_on_word(*at_) || *at_ == '"')) return false;
    put_literal('\'');
    last_ = last_token::string;
    return true;
  }

  [[nodiscard]] const char* find_quote_or_backslash() const {
    for (const char* at = at_; at != end_; ++at) {
      if (*at == '\'' || *at == '\\' || *at == '\0') return *at == '\0' ? nullptr : at;
    }
    return nullptr;
  }

  bool take_quoted_name() {
    const char* from = at_;
    for (++at_;; ++at_) {
      if (at_ == end_ || *at_ == '\\' || *at_ == '\0') return false;
      if (*at_ != '"') continue;
      if (!is_at('"', 1)) break;
      ++at_;
    }
    ++at_;
    if (at_ != end_ && (goes_on_word(*at_) || *at_ == '\'')) return false;
    put(from, at_);
    last_ = last_token::other;
    end_list();
    return true;
  }

  bool take_parameter() {
    const char* from = at_++;
    if (at_ == end_ || class_of(*at_) != byte_class::digit) return false;  // a dollar quote
    while (at_ != end_ && class_of(*at_) == byte_class::digit)
      ++at_;
    if (at_ != end_ && (goes_on_word(*at_) || *at_ == '\'' || *at_ == '"')) return false;
    put(from, at_);
    last_ = last_token::other;
    end_list();
    return true;
  }

  // `.5` after a word would become another word.
  bool take_point() {
    const bool is_number = end_ - at_ > 1 && class_of(at_[1]) == byte_class::digit;
    if (is_number || is_at('.', 1)) return false;
    return take_other();
  }

  bool take_open() {
    const bool opens_list = last_ == last_token::word_in;
    put(*at_++);
    last_ = last_token::other;
    list_ = opens_list ? list_state::open : list_state::none;
    return true;
  }

  bool take_close() {
    put(*at_++);
    last_ = last_token::other;
    end_list();
    return true;
  }

  // Held back in a list: whether it is written depends on the literal after it.
  bool take_comma() {
    if (list_ != list_state::literal) return take_other();
    comma_begin_ = out_;
    put(*at_++);
    last_ = last_token::other;
    list_ = list_state::comma;
    return true;
  }

  bool take_other() {
    const char c = *at_;
    if ((c == '-' && is_at('-', 1)) || (c == '/' && is_at('*', 1))) return false;  // a comment
    put(c);
    ++at_;
    last_ = last_token::other;
    end_list();
    return true;
  }

  void put_literal(char kind) {
    has_literals_ = true;
    if (list_ == list_state::comma && kind == list_literal_) {  // `0, 0` is `0`
      out_ = comma_begin_;
      is_blank_due_ = false;
      list_ = list_state::literal;
      return;
    }
    put(kind);
    if (kind == '\'') *out_++ = kind;
    const bool begins = list_ == list_state::open || list_ == list_state::comma;
    list_ = begins ? list_state::literal : list_state::none;
    list_literal_ = kind;
  }

  void end_list() { list_ = list_state::none; }

  enum class list_state : std::uint8_t { none, open, literal, comma };

  const char* at_;
  const char* end_;
  char* begin_;
  char* out_;  // never beyond what was read: no token grows
  char* comma_begin_ = nullptr;
  bool is_blank_due_ = false;
  bool has_literals_ = false;
  last_token last_ = last_token::none;
  list_state list_ = list_state::none;
  char list_literal_ = 0;
};

}  // namespace

std::optional<text_shape> shape_of(std::string_view sql, std::span<char> buffer) {
  if (sql.size() > buffer.size()) return std::nullopt;
  return shaper(sql, buffer).run();
}

}  // namespace pgsteer::routing
