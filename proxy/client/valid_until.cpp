#include "proxy/client/valid_until.hpp"

#include <array>
#include <charconv>

namespace pgsteer::proxy {
namespace {

// Takes a number and one of the separators behind it, which may be the end.
bool take(std::string_view& from, int& into, char separator) {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), into);
  if (error != std::errc()) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  if (separator == '\0') return true;
  if (from.empty() || from.front() != separator) return false;
  from.remove_prefix(1);
  return true;
}

}  // namespace

// 2027-01-31 12:00:00+00, with a fraction that does not matter.
std::optional<std::chrono::system_clock::time_point> read_valid_until(std::string_view text) {
  using std::chrono::system_clock;
  if (text.empty() || text == "infinity") return std::nullopt;
  std::array<int, 6> n{};
  const bool is_read = take(text, n[0], '-') && take(text, n[1], '-') && take(text, n[2], ' ') &&
                       take(text, n[3], ':') && take(text, n[4], ':') && take(text, n[5], '\0');
  const std::chrono::year_month_day day{std::chrono::year(n[0]),
                                        std::chrono::month(static_cast<unsigned>(n[1])),
                                        std::chrono::day(static_cast<unsigned>(n[2]))};
  constexpr int last_year = 2261;  // of the clock
  if (is_read && n[0] > last_year) return std::nullopt;
  if (!is_read || !day.ok() || text.find("BC") != std::string_view::npos)
    return system_clock::time_point::min();
  return std::chrono::sys_days(day) + std::chrono::hours(n[3]) + std::chrono::minutes(n[4]) +
         std::chrono::seconds(n[5]);
}

}  // namespace pgsteer::proxy
