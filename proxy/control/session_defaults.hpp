// What sessions of a server begin with, of the settings that answers depend on. A replica may be configured
// otherwise than the primary: its connections are opened with the primary's values.
// Asked by the monitors, compared when a connection to a replica is opened.
// https://www.postgresql.org/docs/15/runtime-config-client.html
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgsteer::proxy {

// Gives them as one text: "name=value", a line each.
[[nodiscard]] std::string session_defaults_query();

// Two servers that said this are of the same version and build.
[[nodiscard]] bool is_same_build(std::string_view one, std::string_view other);

// libpq's `options` that make a session of the replica begin as on the primary, and nothing else; empty where
// it does. `reported` is what the primary has reported to this very user, by ParameterStatus.
[[nodiscard]] std::string options_for_replica(
    std::string_view of_primary, std::string_view of_replica,
    const std::map<std::string, std::string, std::less<>>& reported);

// "-c name=value", as libpq takes it in `options`.
[[nodiscard]] std::string libpq_option(std::string_view name, std::string_view value);

}  // namespace pgsteer::proxy
