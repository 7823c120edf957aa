#include "routing/consistency.hpp"

#include <algorithm>
#include <charconv>

namespace pgsteer::routing {

std::uint64_t parse_wal_segment_size(std::string_view text) {
  std::uint64_t n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc{}) return 0;
  const std::string_view unit(r.ptr, static_cast<std::size_t>(text.data() + text.size() - r.ptr));
  if (unit == "MB") return n << 20;
  if (unit == "GB") return n << 30;
  return 0;
}

std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text) {
  long n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  const bool is_whole = r.ec == std::errc{} && std::string_view(r.ptr, text.data() + text.size()) == "ms";
  return is_whole && n > 0 ? std::optional(std::chrono::milliseconds(n)) : std::nullopt;
}

lsn quiet_primary::floor_of(int server, lsn insert, lsn flush,
                            std::optional<std::chrono::milliseconds> writer_delay,
                            std::chrono::milliseconds at) {
  if (server != server_ || insert != insert_) {
    server_ = server;
    insert_ = insert;
    since_ = at;
    return insert;
  }
  const bool is_quiet = writer_delay && at - since_ > 4 * *writer_delay;
  return is_quiet && flush < insert ? flush : insert;
}

void departures::leave(const freshness& f, std::chrono::milliseconds at) {
  if (!f.is_sampled) {
    is_sampled_ = false;
    at_ = at;
  }
  floor_ = std::max(floor_, f.floor);
}

// Of two things in one millisecond nobody knows which was first.
void departures::sampled(lsn floor, std::chrono::milliseconds sent) {
  if (is_sampled_ || sent <= at_) return;
  floor_ = floor;
  is_sampled_ = true;
}

}  // namespace pgsteer::routing
