#include "routing/lsn.hpp"

#include <charconv>

#include <fmt/format.h>

namespace pgsteer::routing {
namespace {

constexpr std::uint64_t short_header_bytes = 24;  // XLogPageHeaderData
constexpr std::uint64_t long_header_bytes = 40;   // XLogLongPageHeaderData, on a segment's first page

std::optional<std::uint32_t> parse_half(std::string_view text) {
  std::uint32_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc{} || at != end || text.size() > 8) return std::nullopt;
  return value;
}

}  // namespace

std::optional<lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return lsn{*high} << 32 | *low;
}

std::string format_lsn(lsn at) {
  return fmt::format("{:X}/{:X}", at >> 32, at & 0xFFFFFFFF);
}

lsn normalise_insert_lsn(lsn insert, wal_layout layout) {
  if (layout.page_bytes == 0 || layout.segment_bytes == 0) return insert;
  const auto in_page = insert % layout.page_bytes;
  const bool is_first_page = (insert - in_page) % layout.segment_bytes == 0;
  return in_page == (is_first_page ? long_header_bytes : short_header_bytes) ? insert - in_page : insert;
}

}  // namespace pgsteer::routing
