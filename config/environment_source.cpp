#include "config/environment_source.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace pgsteer::config {
namespace {

constexpr std::string_view prefix = "PGSTEER_";
constexpr std::string_view in_file = "_FILE";

const setting* setting_of(std::string_view variable) {
  const auto found =
      std::ranges::find_if(schema(), [&](const setting& each) { return each.variable() == variable; });
  return found == schema().end() ? nullptr : &*found;
}

named_setting named(std::string_view variable) {
  if (const auto* what = setting_of(variable)) return {what, false};
  if (!variable.ends_with(in_file)) return {};
  return {setting_of(variable.substr(0, variable.size() - in_file.size())), true};
}

std::vector<std::string> known_variables() {
  std::vector<std::string> known{config_variable};
  for (const auto& each : schema()) {
    known.push_back(each.variable());
    if (each.is_secret) known.push_back(each.variable() + std::string(in_file));
  }
  return known;
}

problem unknown(const std::string& variable) {
  const auto known = known_variables();
  if (setting_of(variable.substr(prefix.size())) != nullptr) {
    return {variable, "is not a variable of pgsteer",
            fmt::format("did you mean \"{}\"?", variable.substr(prefix.size()))};
  }
  const std::string near = did_you_mean(variable, known);
  return {variable, "is not a variable of pgsteer",
          near.empty() ? "see pgsteer --help for all of them" : near};
}

}  // namespace

// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
bool is_service_link(std::string_view variable, std::string_view value) {
  if (variable.ends_with("_SERVICE_HOST") || variable.ends_with("_SERVICE_PORT")) return true;
  if (variable.find("_SERVICE_PORT_") != std::string_view::npos) return true;
  const auto is_url = [](std::string_view text) {
    return text.starts_with("tcp://") || text.starts_with("udp://") || text.starts_with("sctp://");
  };
  if (variable.ends_with("_PORT")) return is_url(value);
  const auto port = variable.find("_PORT_");
  if (port == std::string_view::npos) return false;
  const auto rest = variable.substr(port);
  return rest.find("_TCP") != std::string_view::npos || rest.find("_UDP") != std::string_view::npos ||
         rest.find("_SCTP") != std::string_view::npos;
}

gathered gather_environment(const surroundings& around) {
  gathered out;
  for (const auto& [variable, value] : around.environment) {
    const auto [what, is_path] = named(variable);
    if (what == nullptr) {
      const bool is_ours = variable.starts_with(prefix) && variable != config_variable;
      if (is_ours && !is_service_link(variable, value)) out.wrong.push_back(unknown(variable));
      continue;
    }
    if (value.empty() && (is_path || what->empty == emptiness::as_unset)) continue;
    const auto text = is_path ? read_value(value, variable, out.wrong) : std::optional(value);
    if (text) out.values.push_back({what, origin::environment, variable, {{*text, variable}}});
  }
  check_given_once(out, out.wrong);
  return out;
}

}  // namespace pgsteer::config
