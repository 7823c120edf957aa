#include "config/own_parameters.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

constexpr int most_weight = 1000;
constexpr std::array roles{claimed_role::automatic, claimed_role::primary, claimed_role::replica};
constexpr std::size_t longest_zone = 63;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_url(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

// Cuts `name=value` out of a URL's query or of the keyword form. Values have no need of quotes.
std::optional<std::string> take(std::string& text, std::string_view name) {
  const bool url = is_url(text);
  const auto begins = [&](std::size_t at) {
    if (at == 0) return !url;
    return url ? text[at - 1] == '?' || text[at - 1] == '&' : is_blank(text[at - 1]);
  };
  const auto key = std::string(name) + "=";
  auto at = text.find(key);
  while (at != std::string::npos && !begins(at))
    at = text.find(key, at + 1);
  if (at == std::string::npos) return std::nullopt;
  auto end = at;
  while (end < text.size() && !(url ? text[end] == '&' : is_blank(text[end])))
    ++end;
  auto value = text.substr(at + key.size(), end - at - key.size());
  const bool is_last = end == text.size();
  if (is_last && at > 0) --at;  // with the separator before it
  text.erase(at, is_last ? std::string::npos : end + 1 - at);
  return value;
}

std::optional<complaint> take_place(std::string& text, server_url& out) {
  if (const auto role = take(text, "pgsteer_role")) {
    const auto is_it = [&](claimed_role each) { return to_text(each) == *role; };
    const auto at = std::find_if(roles.begin(), roles.end(), is_it);
    if (at == roles.end()) {
      return complaint{"has a pgsteer_role that cannot be", "write auto, primary or replica"};
    }
    out.role = *at;
  }
  if (const auto expand = take(text, "pgsteer_expand")) {
    if (*expand != "dns" && *expand != "off") {
      return complaint{"has a pgsteer_expand that cannot be", "write dns or off"};
    }
    out.expands = *expand == "dns";
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(claimed_role role) {
  switch (role) {
    case claimed_role::primary:
      return "primary";
    case claimed_role::replica:
      return "replica";
    case claimed_role::automatic:
      break;
  }
  return "auto";
}

parsed<std::string> take_own_parameters(std::string text, server_url& out) {
  if (const auto weight = take(text, "pgsteer_weight")) {
    const auto number = parse_number(*weight, 1, most_weight);
    if (!number) {
      return complaint{"has a pgsteer_weight that cannot be",
                       fmt::format("write a whole number from 1 to {}", most_weight)};
    }
    out.weight = static_cast<int>(*number);
  }
  if (const auto zone = take(text, "pgsteer_zone")) {
    if (zone->empty() || zone->size() > longest_zone) {
      return complaint{"has a pgsteer_zone that is empty or too long", "write a short name without blanks"};
    }
    out.zone = *zone;
  }
  if (auto wrong = take_place(text, out)) return *wrong;
  return {boost::system::in_place_value, std::move(text)};
}

}  // namespace pgsteer::config
