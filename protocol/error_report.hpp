// The fields of an ErrorResponse or NoticeResponse, owned (to send) or viewed (as received).
// Made by the login machines and by the proxy; written by message_writer; read from backends.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "protocol/sqlstate.hpp"

namespace pgsteer::protocol {

// Empty means absent. `severity` is the one that is never translated (field V, or S from old servers).
template <typename Text>
struct error_fields {
  Text severity{};
  Text sqlstate{};
  Text message{};
  Text detail{};
  Text hint{};
  Text severity_localized{};  // field S; written as `severity` where empty
  Text position{};
  Text internal_position{};
  Text internal_query{};
  Text where{};
  Text schema_name{};
  Text table_name{};
  Text column_name{};
  Text data_type_name{};
  Text constraint_name{};
  Text file{};
  Text line{};
  Text routine{};

  bool operator==(const error_fields&) const = default;
};

using error_report = error_fields<std::string>;
using error_view = error_fields<std::string_view>;

// One field: its code on the wire and where it lives.
template <typename Text>
struct error_field {
  char code;
  Text error_fields<Text>::*member;
};

// Every field in the order PostgreSQL sends them; S and V come first and are handled apart.
template <typename Text>
inline constexpr std::array<error_field<Text>, 16> error_field_table = {{
    {'C', &error_fields<Text>::sqlstate},
    {'M', &error_fields<Text>::message},
    {'D', &error_fields<Text>::detail},
    {'H', &error_fields<Text>::hint},
    {'P', &error_fields<Text>::position},
    {'p', &error_fields<Text>::internal_position},
    {'q', &error_fields<Text>::internal_query},
    {'W', &error_fields<Text>::where},
    {'s', &error_fields<Text>::schema_name},
    {'t', &error_fields<Text>::table_name},
    {'c', &error_fields<Text>::column_name},
    {'d', &error_fields<Text>::data_type_name},
    {'n', &error_fields<Text>::constraint_name},
    {'F', &error_fields<Text>::file},
    {'L', &error_fields<Text>::line},
    {'R', &error_fields<Text>::routine},
}};

// A FATAL error: the session ends after it.
[[nodiscard]] error_report fatal_error(std::string_view sqlstate, std::string message,
                                       std::string detail = {}, std::string hint = {});

// An ERROR: the statement ends, the session goes on.
[[nodiscard]] error_report statement_error(std::string_view sqlstate, std::string message,
                                           std::string detail = {}, std::string hint = {});

// Reads the body of an ErrorResponse or NoticeResponse (without type and length). Whatever is cut,
// unknown or missing is skipped: a hostile server gets empty fields, never an overrun.
// The views live as long as the body does.
[[nodiscard]] error_view parse_error_fields(std::string_view body);

// A copy that outlives the batch.
[[nodiscard]] error_report to_report(const error_view& view);

// FATAL or PANIC: the server closes the connection after it.
[[nodiscard]] bool is_fatal(const error_view& view);

}  // namespace pgsteer::protocol
