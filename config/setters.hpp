// One pair of functions for each kind of value, instantiated per member of settings.
// Included by config/schema.cpp alone.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/problem.hpp"
#include "config/schema.hpp"
#include "config/settings.hpp"
#include "config/surroundings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

using texts = std::span<const std::string>;
using refusal = std::optional<complaint>;

template <typename T, std::size_t N>
using choices = std::array<std::pair<std::string_view, T>, N>;

template <auto Member, long Least, long Most>
refusal set_number(settings& to, texts from, const surroundings&) {
  const auto value = parse_number(from[0], Least, Most);
  if (!value) return value.error();
  to.*Member = static_cast<int>(*value);
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_number(const settings& from) {
  return {std::to_string(from.*Member)};
}

constexpr long second = 1000;  // in milliseconds, as bounds are
constexpr long minute = 60 * second;
constexpr long hour = 60 * minute;
constexpr long day = 24 * hour;

// Bounds in milliseconds; `Never` permits 0, which then means "never".
template <auto Member, long Least, long Most, bool Never = false>
refusal set_duration(settings& to, texts from, const surroundings&) {
  const auto value = parse_duration(from[0]);
  if (!value) return value.error();
  const bool is_never = Never && value->count() == 0;
  if (!is_never && (value->count() < Least || value->count() > Most)) {
    return complaint{fmt::format("{} is out of range", shown(from[0])),
                     fmt::format("from {} to {} is possible{}", to_text(std::chrono::milliseconds{Least}),
                                 to_text(std::chrono::milliseconds{Most}), Never ? ", or 0 for never" : "")};
  }
  to.*Member = *value;
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_duration(const settings& from) {
  return {to_text(from.*Member)};
}

// Bounds in bytes.
template <auto Member, std::int64_t Least, std::int64_t Most>
refusal set_memory(settings& to, texts from, const surroundings&) {
  const auto value = parse_memory(from[0]);
  if (!value) return value.error();
  if (*value < Least || *value > Most) {
    return complaint{fmt::format("{} is out of range", shown(from[0])),
                     fmt::format("from {} to {} is possible", memory_text(Least), memory_text(Most))};
  }
  to.*Member = *value;
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_memory(const settings& from) {
  return {memory_text(from.*Member)};
}

// A time limit of clients, off by default.
template <auto Member>
constexpr setting time_limit(std::string_view name, std::string_view doc) {
  constexpr long least = 50;
  constexpr long most = 365L * 24 * 60 * 60 * 1000;
  return {.name = name,
          .kind = "DURATION",
          .doc = doc,
          .set = set_duration<Member, least, most, true>,
          .get = get_duration<Member>};
}

template <auto Member>
refusal set_fraction(settings& to, texts from, const surroundings&) {
  const auto value = parse_fraction(from[0]);
  if (!value) return value.error();
  to.*Member = *value;
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_fraction(const settings& from) {
  return {fmt::format("{}", from.*Member)};
}

template <auto Member>
refusal set_switch(settings& to, texts from, const surroundings&) {
  const auto value = parse_switch(from[0]);
  if (!value) return value.error();
  to.*Member = *value;
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_switch(const settings& from) {
  return {from.*Member ? "true" : "false"};
}

template <auto Member>
refusal set_text(settings& to, texts from, const surroundings&) {
  to.*Member = from[0];
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_text(const settings& from) {
  return {from.*Member};
}

template <auto Member, const auto& Choices>
refusal set_choice(settings& to, texts from, const surroundings&) {
  const auto word = trimmed(from[0]);
  std::vector<std::string> words;
  for (const auto& [name, value] : Choices) {
    words.emplace_back(name);
    if (name != word) continue;
    to.*Member = value;
    return std::nullopt;
  }
  const std::string near = did_you_mean(word, words);
  return complaint{word.empty() ? std::string("is empty") : fmt::format("{} is not a choice", shown(word)),
                   near.empty() ? fmt::format("write one of {}", fmt::join(words, ", ")) : near};
}

template <auto Member, const auto& Choices>
std::vector<std::string> get_choice(const settings& from) {
  const auto found = std::ranges::find(Choices, from.*Member, [](const auto& each) { return each.second; });
  return {std::string(found->first)};
}

}  // namespace pgsteer::config
