#include "proxy/control/session_defaults.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "routing/asked_settings.hpp"

namespace pgsteer::proxy {
namespace {

// No setting's name: the line that tells servers of different builds apart.
constexpr std::string_view build = "version()";

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
      " OPERATOR(pg_catalog.||) E'\\n{}=' OPERATOR(pg_catalog.||) pg_catalog.version()"
      " FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) OPERATOR(pg_catalog.=) ANY ('{{{}}}')",
      build, fmt::join(routing::defaults_of_primary(), ","));
}

bool is_same_build(std::string_view one, std::string_view other) {
  const auto build_of = [](std::string_view defaults) {
    std::string_view of;
    each_line(defaults, [&](auto name, auto value) { of = name == build ? value : of; });
    return of;
  };
  return !build_of(one).empty() && build_of(one) == build_of(other);
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
    if (found == there.end() || found->second == value || name == build) return;
    const auto own = reported.find(name);
    options += (options.empty() ? "" : " ") + libpq_option(name, own != reported.end() ? own->second : value);
  });
  return options;
}

}  // namespace pgsteer::proxy
