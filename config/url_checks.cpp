#include "config/url_checks.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "config/files.hpp"
#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

std::optional<complaint> check_choice(const conninfo& info, std::string_view keyword,
                                      const std::vector<std::string>& choices) {
  const std::string value = info.get(keyword);
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return std::nullopt;
  const std::string near = did_you_mean(value, choices);
  return complaint{fmt::format("{}={} is not valid", keyword, shown(value)),
                   near.empty() ? fmt::format("write one of {}", fmt::join(choices, ", ")) : near};
}

std::optional<complaint> check_places(const conninfo& info) {
  const auto ports = split_list(info.get("port"));
  const auto hosts = places(info).size();
  if (ports.size() > 1 && ports.size() != hosts) {
    return complaint{fmt::format("has {} ports for {} hosts", ports.size(), hosts),
                     "give one port, or one for each host"};
  }
  const auto addresses = split_list(info.get("hostaddr")).size();
  if (!info.get("hostaddr").empty() && !info.get("host").empty() &&
      addresses != split_list(info.get("host")).size()) {
    return complaint{"has not as many hostaddr as host", "give one hostaddr for each host"};
  }
  for (const auto& port : ports) {
    if (!port.empty() && !parse_number(port, 1, 65535)) {
      return complaint{fmt::format("port {} is not a number from 1 to 65535", shown(port)), ""};
    }
  }
  return std::nullopt;
}

std::optional<complaint> check_files(const conninfo& info) {
  for (const auto* keyword : {"sslrootcert", "sslcert", "sslkey", "sslcrl"}) {
    const std::string path = info.get(keyword);
    if (path.empty() || path == "system") continue;
    if (const auto error = check_readable(path)) {
      return complaint{fmt::format("{} {} cannot be read: {}", keyword, shown(path), error.message()),
                       "check the path and who may read it"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> places(const conninfo& info) {
  const auto hosts = split_list(info.get("host").empty() ? info.get("hostaddr") : info.get("host"));
  const auto ports = split_list(info.get("port"));
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string& port = ports.size() == 1 ? ports[0] : ports[std::min(i, ports.size() - 1)];
    out.emplace_back(hosts[i], port.empty() ? std::string(default_server_port) : port);
  }
  return out;
}

std::optional<complaint> check_server(const conninfo& info) {
  if (auto wrong = check_places(info)) return wrong;
  if (auto wrong = check_choice(info, "sslmode",
                                {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})) {
    return wrong;
  }
  if (auto wrong = check_choice(info, "target_session_attrs",
                                {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"})) {
    return wrong;
  }
  if (!info.get("replication").empty()) {
    return complaint{"asks for a replication connection",
                     "leave \"replication\" out: clients ask for it themselves"};
  }
  return check_files(info);
}

}  // namespace pgsteer::config
