#include "config/problem.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <numeric>

#include <fmt/format.h>

namespace pgsteer::config {
namespace {

constexpr std::size_t longest_shown = 60;
constexpr std::size_t longest_compared = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool may_hold_a_secret(std::string_view text) {
  const std::string folded = lower(text);
  return folded.find("://") != std::string::npos || folded.find("pass") != std::string::npos ||
         folded.find('@') != std::string::npos;
}

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

std::string to_text(const problems& found) {
  std::string out =
      fmt::format("pgsteer: {} in the configuration\n",
                  found.size() == 1 ? std::string("1 problem") : fmt::format("{} problems", found.size()));
  for (const auto& each : found) {
    out += fmt::format("  {}: {}\n", each.where, each.what);
    if (!each.suggestion.empty()) out += fmt::format("      hint: {}\n", each.suggestion);
  }
  return out;
}

std::string shown(std::string_view value) {
  if (may_hold_a_secret(value)) return "\"***\"";
  std::string out = "\"";
  for (const char c : value.substr(0, longest_shown))
    out += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  if (value.size() > longest_shown) out += "...";
  return out + "\"";
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > longest_compared) return {};
  const std::string wanted = lower(word);
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  const std::size_t limit = letters < 4 ? 1 : std::max<std::size_t>(2, letters / 3);
  std::size_t best = limit + 1;
  std::string found;
  for (const auto& candidate : candidates) {
    const std::size_t far = distance(wanted, lower(candidate));
    if (far >= best) continue;
    best = far;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? std::string() : fmt::format("did you mean \"{}\"?", found);
}

}  // namespace pgsteer::config
