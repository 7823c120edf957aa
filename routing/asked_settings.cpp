#include "routing/asked_settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "routing/classification.hpp"
#include "routing/settings_statements.hpp"

namespace pgsteer::routing {
namespace {

constexpr std::size_t most_text = 2000;

bool is_known(std::string_view setting, const std::function<bool(std::string_view)>& has_set) {
  if (setting == server_version || setting == "server_version_num") return has_set(server_version);
  return is_same_everywhere(setting) || (is_carried(setting) && has_set(setting));
}

void refuse(classification& is, std::string_view name) {
  is.kind = statement_kind::write;
  if (is.verb != transaction_verb::none) is.verb = transaction_verb::mixed;
  is.is_liftable = true;
  is.lacks_setting = true;
  is.reason =
      name == server_version
          ? std::string("asks for the version: servers may differ")
          : fmt::format("calls current_setting() of {}, which this session has not set: servers may differ",
                        name.empty() ? "many settings" : name);
}

}  // namespace

// What costs plans and time is each server's own matter, but for limits of time.
std::span<const std::string_view> defaults_of_primary() {
  static constexpr std::array<std::string_view, 29> names{"array_nulls",
                                                          "backslash_quote",
                                                          "bytea_output",
                                                          "client_min_messages",
                                                          "datestyle",
                                                          "default_table_access_method",
                                                          "default_tablespace",
                                                          "default_text_search_config",
                                                          "default_toast_compression",
                                                          "default_transaction_deferrable",
                                                          "default_transaction_isolation",
                                                          "escape_string_warning",
                                                          "extra_float_digits",
                                                          "gin_fuzzy_search_limit",
                                                          "idle_in_transaction_session_timeout",
                                                          "intervalstyle",
                                                          "lc_monetary",
                                                          "lc_numeric",
                                                          "lc_time",
                                                          "lock_timeout",
                                                          "quote_all_identifiers",
                                                          "row_security",
                                                          "search_path",
                                                          "standard_conforming_strings",
                                                          "statement_timeout",
                                                          "timezone",
                                                          "transform_null_equals",
                                                          "xmlbinary",
                                                          "xmloption"};
  return names;
}

bool is_same_everywhere(std::string_view setting) {
  constexpr std::array<std::string_view, 16> others{"application_name",
                                                    "block_size",
                                                    "client_encoding",
                                                    "data_checksums",
                                                    "integer_datetimes",
                                                    "lc_collate",
                                                    "lc_ctype",
                                                    "max_function_args",
                                                    "max_identifier_length",
                                                    "max_index_keys",
                                                    "segment_size",
                                                    "server_encoding",
                                                    "transaction_deferrable",
                                                    "transaction_isolation",
                                                    "wal_block_size",
                                                    "wal_segment_size"};
  const auto defaults = defaults_of_primary();
  return std::ranges::find(others, setting) != others.end() ||
         std::ranges::find(defaults, setting) != defaults.end();
}

void asked_settings::add(std::string_view name) {
  const auto line = lower_case(name) + '\n';
  const bool is_there = names.starts_with(line) || names.find('\n' + line) != std::string::npos;
  if (is_there || names == "\n") return;
  const bool fits = names.size() + line.size() <= most_text && line.find('\n') + 1 == line.size();
  names = fits ? names + line : "\n";
}

asked_settings& asked_settings::operator|=(const asked_settings& o) {
  for (std::string_view rest = o.names; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
    add(rest.substr(0, rest.find('\n')));
  return *this;
}

bool is_carried(std::string_view setting) {
  constexpr std::array<std::string_view, 5> others{"in_hot_standby", "is_superuser", "role", "seed",
                                                   "session_authorization"};
  return !setting.empty() && !setting.starts_with("transaction_") && !setting.starts_with("pgsteer.") &&
         std::ranges::find(others, setting) == others.end();
}

std::optional<classification> for_settings(const classification& is,
                                           const std::function<bool(std::string_view)>& has_set) {
  if (is.kind == statement_kind::show && is_known(is.name, has_set)) {
    std::optional<classification> shown(is);
    shown->kind = statement_kind::read;
    shown->reason = "SHOW of what is the same on every server";
    return shown;
  }
  for (std::string_view rest = is.asks.names; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    const auto name = rest.substr(0, rest.find('\n'));
    if (is_known(name, has_set)) continue;
    std::optional<classification> refused(is);
    refuse(*refused, name);
    return refused;
  }
  return std::nullopt;
}

}  // namespace pgsteer::routing
