// What an element of `users` and one of `databases` have in common: parts set by name, limits among them.
// Included by config/users.cpp and config/databases.cpp alone.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/problem.hpp"
#include "config/records.hpp"
#include "config/settings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

using refusal = std::optional<complaint>;

template <typename Entry>
struct part {
  std::string_view name;
  refusal (*set)(Entry&, const std::string&);
};

inline refusal check_name(const std::string& value, std::string_view what) {
  constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1
  if (value.empty()) {
    return complaint{"has an empty name", fmt::format("write name=..., as the {} is called", what)};
  }
  if (value.size() <= longest_name) return std::nullopt;
  return complaint{fmt::format("has a name longer than a {}'s may be (63 bytes)", what), ""};
}

template <typename Entry, auto Member>
refusal set_limit(Entry& to, const std::string& value) {
  constexpr int most = 1000000;
  const auto number = parse_number(value, 1, most);
  if (!number) return number.error();
  to.limits.*Member = static_cast<int>(*number);
  return std::nullopt;
}

template <typename Entry>
refusal set_mode(Entry& to, const std::string& value) {
  if (value == "transaction") {
    to.limits.mode = pool_mode::transaction;
  } else if (value == "session") {
    to.limits.mode = pool_mode::session;
  } else {
    return complaint{fmt::format("pool_mode {} is not a choice", shown(value)),
                     "write transaction or session"};
  }
  return std::nullopt;
}

template <typename Entry>
inline constexpr part<Entry> pool_mode_part{"pool_mode", set_mode<Entry>};
template <typename Entry>
inline constexpr part<Entry> pool_size_part{"pool_size", set_limit<Entry, &own_limits::pool_size>};
template <typename Entry>
inline constexpr part<Entry> max_clients_part{"max_clients", set_limit<Entry, &own_limits::max_clients>};
template <typename Entry>
inline constexpr part<Entry> max_connections_part{"max_connections",
                                                  set_limit<Entry, &own_limits::max_connections>};

/// One element from its text; `kind` is what the elements are: "users".
template <typename Entry>
parsed<Entry> parse_entry(std::string_view text, std::span<const part<Entry>> parts, std::string_view kind) {
  const auto given = parse_record(text);
  if (!given) return given.error();
  Entry out;
  for (auto one = given->begin(); one != given->end(); ++one) {
    const auto what = std::ranges::find(parts, one->first, &part<Entry>::name);
    if (what == parts.end()) {
      std::vector<std::string> known;
      for (const auto& each : parts)
        known.emplace_back(each.name);
      const std::string near = did_you_mean(one->first, known);
      return complaint{fmt::format("holds a part that {} do not have", kind),
                       near.empty() ? fmt::format("the parts are {}", fmt::join(known, ", ")) : near};
    }
    const auto is_same = [&](const auto& other) { return other.first == one->first; };
    if (std::any_of(given->begin(), one, is_same)) {
      return complaint{fmt::format("has {} twice", what->name), "keep one of them"};
    }
    if (auto wrong = what->set(out, one->second)) return *std::move(wrong);
  }
  return out;
}

/// All elements of a list, each of which may hold several lines; no name twice. `kind` is what one is:
/// "user".
template <typename Entry>
parsed<std::vector<Entry>> parse_entries(std::span<const std::string> texts,
                                         parsed<Entry> (*parse)(std::string_view), std::string_view kind) {
  std::vector<Entry> out;
  for (std::size_t item = 0; item < texts.size(); ++item) {
    for (const auto& line : lines_of(texts[item])) {
      auto entry = parse(line);
      if (!entry) return complaint{entry.error().what, entry.error().suggestion, item};
      if (std::ranges::find(out, entry->name, &Entry::name) != out.end()) {
        return complaint{fmt::format("names the {} {} twice", kind, shown(entry->name)),
                         fmt::format("name each {} once", kind), item};
      }
      out.push_back(*std::move(entry));
    }
  }
  return out;
}

inline void append_limits(record& to, const own_limits& limits) {
  const auto append = [&to](const char* name, const std::optional<int>& value) {
    if (value) to.emplace_back(name, std::to_string(*value));
  };
  if (limits.mode)
    to.emplace_back("pool_mode", *limits.mode == pool_mode::session ? "session" : "transaction");
  append("pool_size", limits.pool_size);
  append("max_clients", limits.max_clients);
  append("max_connections", limits.max_connections);
}

}  // namespace pgsteer::config
