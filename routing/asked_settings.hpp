// The settings that a text asks for by name, current_setting('app.tenant') or SHOW: servers may differ in
// them, but not in what the session has set itself and takes with it to every server.
// https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADMIN-SET
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgsteer::routing {

struct classification;

// Bounded: too many are as one that nobody has set.
struct asked_settings {
  std::string names;                // in lower case, a line each
  void add(std::string_view name);  // in any case
  asked_settings& operator|=(const asked_settings& o);
  [[nodiscard]] bool is_empty() const { return names.empty(); }
};

// What sessions begin with as on the primary, on a replica as well: of the settings that any user may set,
// those that answers depend on. In lower case.
[[nodiscard]] std::span<const std::string_view> defaults_of_primary();

// What pgsteer gives every connection of a session alike, or what a standby cannot have otherwise. Outside a
// block a transaction is what the session's defaults say; in one it is on one server.
// https://www.postgresql.org/docs/15/runtime-config-preset.html
[[nodiscard]] bool is_same_everywhere(std::string_view setting);

// Its value is the same wherever the session has set it: nothing of a server, a transaction or the proxy.
[[nodiscard]] bool is_carried(std::string_view setting);

// version() asks for it as well.
constexpr std::string_view server_version = "server_version";

// What a text is for a session that has set some settings (by their lower-case names; `server_version` where
// all servers are of one build): a read that asks for others is one for the primary; SHOW of one that it has
// set is a read. Nothing: it is what it is.
[[nodiscard]] std::optional<classification> for_settings(
    const classification& is, const std::function<bool(std::string_view name)>& has_set);

}  // namespace pgsteer::routing
