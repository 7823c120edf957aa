// What is wrong with the configuration, in words an operator can act on; never a secret.
// Made by every source and check in config/, printed by main before exit status 2.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgsteer::config {

struct problem {
  std::string where;  // "pgsteer.yaml:12", "PGSTEER_POOL_SIZE", "--pool-size"
  std::string what;
  std::string suggestion;  // empty where there is none to give
  bool operator==(const problem&) const = default;
};

using problems = std::vector<problem>;

/// All problems as one text, one after the other, ending in a newline.
[[nodiscard]] std::string to_text(const problems& found);

/// `value` in double quotes for a message: shortened, unprintable bytes masked, and masked
/// altogether where it looks as if it carried a password.
[[nodiscard]] std::string shown(std::string_view value);

/// The candidate a misspelt word most likely meant; empty where none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// `did you mean "..."?` for the nearest candidate, or empty.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace pgsteer::config
