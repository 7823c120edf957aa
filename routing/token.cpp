#include "routing/token.hpp"

#include <charconv>

#include <fmt/format.h>

namespace pgsteer::routing {
namespace {

constexpr std::string_view mark = "pgsteer-";
constexpr std::size_t timeline_digits = 8;

// Up to the next '-', which `text` loses with it.
std::string_view take_part(std::string_view& text) {
  const auto end = text.find('-');
  if (end == std::string_view::npos) return {};
  const auto part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

template <typename Integer>
bool read_number(std::string_view text, int base, Integer& out) {
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out, base);
  return error == std::errc{} && at == end;
}

}  // namespace

std::optional<session_token> parse_token(std::string_view text) {
  if (!text.starts_with(mark)) return std::nullopt;
  text.remove_prefix(mark.size());
  session_token token;
  if (!read_number(take_part(text), 10, token.system)) return std::nullopt;
  const auto timeline = take_part(text);
  if (timeline.size() != timeline_digits || !read_number(timeline, 16, token.timeline)) return std::nullopt;
  const auto at = parse_lsn(text);
  if (!at || token.timeline == 0) return std::nullopt;
  token.at = *at;
  return token;
}

std::string token_query(std::uint64_t system, bool is_local) {
  return fmt::format(
      "SELECT pg_catalog.set_config('pgsteer.token', pg_catalog.concat('{}{}-',"
      " pg_catalog.substr(pg_catalog.pg_walfile_name(at), 1, {}), '-', at), {})"
      " FROM (SELECT pg_catalog.pg_current_wal_insert_lsn() AS at OFFSET 0) AS now",
      mark, system, timeline_digits, is_local);
}

}  // namespace pgsteer::routing
