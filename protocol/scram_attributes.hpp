// Reads the comma-separated attributes of a SCRAM message (RFC 5802 section 5.1), strictly as PostgreSQL
// does. Used by scram_server; the first error sticks and every later read is empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/error_report.hpp"

namespace pgsteer::protocol {

// "malformed SCRAM message" with the given detail.
[[nodiscard]] error_report malformed_scram(std::string detail);

// A byte of the client's as PostgreSQL shows it in details: 'x' or 0x1f.
[[nodiscard]] std::string quote_scram_char(char c);

class scram_attributes {
 public:
  // `text` holds no NUL and outlives the reader.
  explicit scram_attributes(std::string_view text) : text_(text), rest_(text) {}

  // The next byte, NUL at the end.
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void skip() { rest_.remove_prefix(rest_.empty() ? 0 : 1); }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t offset() const { return text_.size() - rest_.size(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  // The value of the attribute that must come next.
  [[nodiscard]] std::string_view take(char name);

  // Whatever attribute comes next.
  struct attribute {
    char name = '\0';
    std::string_view value;
  };
  [[nodiscard]] attribute take_any();

  void fail(error_report error);
  [[nodiscard]] const std::optional<error_report>& error() const { return error_; }

 private:
  [[nodiscard]] std::string_view take_value(char name);

  std::string_view text_;
  std::string_view rest_;
  std::optional<error_report> error_;
};

}  // namespace pgsteer::protocol
