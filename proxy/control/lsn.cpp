#include "proxy/control/lsn.hpp"

#include <charconv>

#include <fmt/format.h>

namespace pgsteer::proxy {
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

std::optional<std::uint64_t> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return std::uint64_t{*high} << 32 | *low;
}

std::string format_lsn(std::uint64_t lsn) {
  return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xFFFFFFFF);
}

std::uint64_t normalise_insert_lsn(std::uint64_t lsn, wal_layout layout) {
  if (layout.page_bytes == 0 || layout.segment_bytes == 0) return lsn;
  const auto in_page = lsn % layout.page_bytes;
  const bool is_first_page = (lsn - in_page) % layout.segment_bytes == 0;
  return in_page == (is_first_page ? long_header_bytes : short_header_bytes) ? lsn - in_page : lsn;
}

}  // namespace pgsteer::proxy
