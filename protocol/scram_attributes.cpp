#include "protocol/scram_attributes.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace pgsteer::protocol {

error_report malformed_scram(std::string detail) {
  return fatal_error(sqlstate::protocol_violation, "malformed SCRAM message", std::move(detail));
}

std::string quote_scram_char(char c) {
  if (c >= 0x21 && c <= 0x7e) return fmt::format("'{}'", c);
  return fmt::format("0x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
}

void scram_attributes::fail(error_report error) {
  if (!error_) error_ = std::move(error);
  rest_ = {};
}

std::string_view scram_attributes::take_value(char name) {
  skip();
  if (peek() != '=') {
    fail(malformed_scram(fmt::format("Expected character \"=\" for attribute \"{}\".", name)));
    return {};
  }
  skip();
  const auto end = rest_.find(',');
  const auto value = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return value;
}

std::string_view scram_attributes::take(char name) {
  if (error_) return {};
  if (peek() != name) {
    fail(malformed_scram(
        fmt::format("Expected attribute \"{}\" but found \"{}\".", name, quote_scram_char(peek()))));
    return {};
  }
  return take_value(name);
}

scram_attributes::attribute scram_attributes::take_any() {
  if (error_) return {};
  const char name = peek();
  if (name == '\0') {
    fail(malformed_scram("Attribute expected, but found end of string."));
    return {};
  }
  const bool is_letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
  if (!is_letter) {
    fail(malformed_scram(
        fmt::format("Attribute expected, but found invalid character \"{}\".", quote_scram_char(name))));
    return {};
  }
  const auto value = take_value(name);
  return {name, value};
}

}  // namespace pgsteer::protocol
