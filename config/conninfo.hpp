// A libpq connection string as an ordered list of keywords and values, parsed by libpq itself.
// Used by config/urls.cpp and config/print.cpp; pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/values.hpp"

namespace pgsteer::config {

class conninfo {
 public:
  /// URL or keyword/value form, as PQconninfoParse takes it. Complaints never echo a value.
  [[nodiscard]] static parsed<conninfo> parse(const std::string& text);

  /// Empty where the keyword is not given.
  [[nodiscard]] std::string get(std::string_view keyword) const;
  void set(std::string_view keyword, std::string value);
  void set_if_missing(std::string_view keyword, std::string value);
  void remove(std::string_view keyword);

  /// Canonical keyword/value form.
  [[nodiscard]] std::string text() const;
  /// The same with the value of every secret keyword replaced by ***.
  [[nodiscard]] std::string redacted() const;

  /// Whether libpq knows the keyword at all, and all that it knows.
  [[nodiscard]] static const std::vector<std::string>& keywords();

 private:
  struct option {
    std::string keyword;
    std::string value;
  };
  [[nodiscard]] std::string written(bool with_secrets) const;
  std::vector<option> options_;
};

/// The elements of a comma-separated list such as libpq's `host`, empty ones included.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

}  // namespace pgsteer::config
