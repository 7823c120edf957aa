#include "protocol/parameter_names.hpp"

#include <algorithm>
#include <array>

namespace pgsteer::protocol {

namespace {

constexpr std::array<reported_parameter, 15> parameters = {{
    {"application_name", 14, true},
    {"client_encoding", 14, true},
    {"DateStyle", 14, true},
    {"default_transaction_read_only", 14, true},
    {"in_hot_standby", 14, false},
    {"integer_datetimes", 14, false},
    {"IntervalStyle", 14, true},
    {"is_superuser", 14, false},
    {"scram_iterations", 16, true},
    {"search_path", 18, true},
    {"server_encoding", 14, false},
    {"server_version", 14, false},
    {"session_authorization", 14, true},
    {"standard_conforming_strings", 14, true},
    {"TimeZone", 14, true},
}};

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::span<const reported_parameter> reported_parameters() {
  return parameters;
}

const reported_parameter* find_reported_parameter(std::string_view name) {
  const auto* found = std::find_if(parameters.begin(), parameters.end(),
                                   [name](const auto& p) { return is_same_name(p.name, name); });
  return found == parameters.end() ? nullptr : found;
}

bool is_reported(std::string_view name) {
  return find_reported_parameter(name) != nullptr;
}

std::optional<std::string_view> canonical_parameter_name(std::string_view name) {
  const auto* found = find_reported_parameter(name);
  if (found == nullptr) return std::nullopt;
  return found->name;
}

}  // namespace pgsteer::protocol
