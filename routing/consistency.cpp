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
                            std::chrono::milliseconds sent, std::chrono::milliseconds received) {
  if (server != server_ || insert != insert_) {
    server_ = server;
    insert_ = insert;
    since_ = received;
    return insert;
  }
  const bool is_quiet = writer_delay && sent - since_ > 4 * *writer_delay;
  return is_quiet && flush < insert ? flush : insert;
}

position_fate fate_of(lsn at, std::uint32_t of, std::uint32_t current,
                      std::span<const timeline_switch> known) {
  if (of == current || of == 0 || current == 0) return position_fate::kept;
  if (of > current) return position_fate::unknown;
  std::uint32_t count = 0;
  for (const auto& each : known) {
    if (each.timeline <= of || each.timeline > current) continue;
    if (at > each.at) return position_fate::lost;
    ++count;
  }
  return count == current - of ? position_fate::kept : position_fate::unknown;
}

position_fate settle_timeline(freshness& demand, std::uint32_t current,
                              std::span<const timeline_switch> known) {
  if (demand.timeline == current || current == 0) return position_fate::kept;
  const auto fate =
      demand.floor == 0 ? position_fate::kept : fate_of(demand.floor, demand.timeline, current, known);
  demand.timeline = current;
  if (fate == position_fate::kept) return fate;
  demand.floor = 0;
  demand.see_primary();
  return fate;
}

void departures::leave(const freshness& f, std::chrono::milliseconds at) {
  if (!f.is_sampled) {
    all_.is_sampled = false;
    at_ = at;
  }
  all_.raise(f.floor, f.timeline);
}

// Of two things in one millisecond nobody knows which was first.
void departures::sampled(lsn floor, std::uint32_t timeline, std::chrono::milliseconds sent) {
  if (all_.is_sampled || sent <= at_) return;
  all_ = {.floor = floor, .timeline = timeline};
}

// Answers of two connections may come in another order than they were asked for.
void shared_sample::learn(std::uint64_t sights, std::uint64_t writes, lsn floor, std::uint32_t timeline) {
  if (sights < sights_ && timeline == timeline_) return;
  sights_ = sights;
  writes_ = writes;
  floor_ = floor;
  timeline_ = timeline;
}

void shared_sample::raise(freshness& demand) const {
  demand.floor = std::max(demand.floor, floor_);
  demand.timeline = timeline_;
  demand.is_sampled = true;
}

position_fate departures::settle(std::uint32_t current, std::span<const timeline_switch> known,
                                 std::chrono::milliseconds at) {
  const auto fate = settle_timeline(all_, current, known);
  if (fate != position_fate::kept) at_ = at;
  return fate;
}

}  // namespace pgsteer::routing
