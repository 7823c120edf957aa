// How the text of a single value becomes a value: durations, numbers, switches, fractions.
// Called by the setters of config/schema.cpp; pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace pgsteer::config {

// Why a value was refused. `item` says which element of a list it speaks of.
struct complaint {
  std::string what;
  std::string suggestion;
  std::size_t item = 0;
  bool operator==(const complaint&) const = default;
};

template <typename T>
using parsed = boost::system::result<T, complaint>;

/// PostgreSQL's units (ms, s, min, h, d); a number without one is refused, except 0.
[[nodiscard]] parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string to_text(std::chrono::milliseconds value);

/// PostgreSQL's units of memory (B, kB, MB, GB); a number without one is refused, except 0.
[[nodiscard]] parsed<std::int64_t> parse_memory(std::string_view text);
[[nodiscard]] std::string memory_text(std::int64_t bytes);

[[nodiscard]] parsed<std::int64_t> parse_number(std::string_view text, std::int64_t least, std::int64_t most);
[[nodiscard]] parsed<double> parse_fraction(std::string_view text);

/// PostgreSQL's spellings: on, off, true, false, yes, no, 1, 0.
[[nodiscard]] parsed<bool> parse_switch(std::string_view text);

/// Without white space at either end.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace pgsteer::config
