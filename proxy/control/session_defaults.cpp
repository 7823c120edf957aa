#include "proxy/control/session_defaults.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocol/parameter_names.hpp"

namespace pgsteer::proxy {
namespace {

// What any user may set. What costs plans and time is each server's own matter, but for a limit of time.
constexpr std::array<std::string_view, 21> names{"array_nulls",
                                                 "backslash_quote",
                                                 "bytea_output",
                                                 "DateStyle",
                                                 "default_text_search_config",
                                                 "escape_string_warning",
                                                 "extra_float_digits",
                                                 "gin_fuzzy_search_limit",
                                                 "IntervalStyle",
                                                 "lc_monetary",
                                                 "lc_numeric",
                                                 "lc_time",
                                                 "quote_all_identifiers",
                                                 "row_security",
                                                 "search_path",
                                                 "standard_conforming_strings",
                                                 "statement_timeout",
                                                 "TimeZone",
                                                 "transform_null_equals",
                                                 "xmlbinary",
                                                 "xmloption"};

template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      visit(line.substr(0, equals), line.substr(equals + 1));
  }
}

}  // namespace

std::string session_defaults_query() {
  return fmt::format(
      "SELECT pg_catalog.string_agg(name OPERATOR(pg_catalog.||) '=' OPERATOR(pg_catalog.||) setting, E'\\n')"
      " FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) ANY ('{{{}}}')",
      fmt::join(names, ","));
}

std::string libpq_option(std::string_view name, std::string_view value) {
  std::string out = fmt::format("-c {}=", name);
  for (const char c : value) {
    if (c == ' ' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string options_for_replica(std::string_view of_primary, std::string_view of_replica,
                                const std::map<std::string, std::string, std::less<>>& reported) {
  std::map<std::string_view, std::string_view> there;
  each_line(of_replica, [&](auto name, auto value) { there.emplace(name, value); });
  std::string options;
  each_line(of_primary, [&](auto name, auto value) {
    const auto found = there.find(name);
    if (found == there.end() || found->second == value) return;
    const auto own = reported.find(name);
    options += (options.empty() ? "" : " ") + libpq_option(name, own != reported.end() ? own->second : value);
  });
  return options;
}

}  // namespace pgsteer::proxy
