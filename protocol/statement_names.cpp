#include "protocol/statement_names.hpp"

#include <charconv>

namespace pgsteer::protocol {

namespace {

constexpr std::string_view prefix = "pgsteer_";

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void set_length(std::string& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size() - 1);
  unsigned shift = 32;
  for (std::size_t at = 1; at <= 4; ++at)
    frame[at] = static_cast<char>(size >> (shift -= 8));
}

}  // namespace

std::string statement_name_on_server(std::uint64_t number) {
  return std::string(prefix) + std::to_string(number);
}

bool is_statement_name_on_server(std::string_view name) {
  return name.starts_with(prefix);
}

std::optional<std::string> with_client_names(std::string_view error_response, const client_name& name_of) {
  std::optional<std::string> made;
  std::size_t done = 0;
  for (auto at = error_response.find(prefix); at != std::string_view::npos;
       at = error_response.find(prefix, at + 1)) {
    std::uint64_t number = 0;
    const char* digits = error_response.data() + at + prefix.size();
    const auto [end, error] = std::from_chars(digits, error_response.data() + error_response.size(), number);
    const auto next = static_cast<std::size_t>(end - error_response.data());
    const bool goes_on = next < error_response.size() && is_of_a_name(error_response[next]);
    if (error != std::errc{} || goes_on || at == 0 || is_of_a_name(error_response[at - 1])) continue;
    const auto name = name_of(number);
    if (!name) continue;
    if (!made) made.emplace();
    *made += error_response.substr(done, at - done);
    *made += *name;
    done = next;
  }
  if (!made) return made;
  *made += error_response.substr(done);
  set_length(*made);
  return made;
}

}  // namespace pgsteer::protocol
