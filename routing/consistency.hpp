// WAL positions and what a session may demand of a replica: pure values for the data path.
// https://www.postgresql.org/docs/15/datatype-pg-lsn.html
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "routing/lsn.hpp"

namespace pgsteer::routing {

// "16MB", "1GB": wal_segment_size as SHOW prints it, in bytes; 0 where it is no such size.
[[nodiscard]] std::uint64_t parse_wal_segment_size(std::string_view text);

// "200ms", as SHOW prints it; nothing where it is not so many milliseconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text);

// The insert position of a primary may stay ahead of all that is ever flushed: what an open, idle
// transaction has written is not, and no standby sees it. When nothing was inserted for longer than
// the WAL writer takes to flush an asynchronous commit (three times wal_writer_delay), every commit up
// to the insert position is flushed, and the flush position will do as a floor.
class quiet_primary {
 public:
  // Of a sample (any steady clock): the floor it gives. It was taken somewhere between the two moments: what
  // was sent in front of it may have run for long.
  [[nodiscard]] lsn floor_of(int server, lsn insert, lsn flush,
                             std::optional<std::chrono::milliseconds> writer_delay,
                             std::chrono::milliseconds sent, std::chrono::milliseconds received);

 private:
  int server_ = 0;
  lsn insert_ = 0;
  std::chrono::milliseconds since_{};
};

// Where a timeline begins: what its predecessor has beyond that is no part of it.
struct timeline_switch {
  std::uint32_t timeline = 0;
  lsn at = 0;
  bool operator==(const timeline_switch&) const = default;
};

// Whether a position of one timeline is part of the history of another, later one.
enum class position_fate : std::uint8_t { kept, lost, unknown };
[[nodiscard]] position_fate fate_of(lsn at, std::uint32_t of, std::uint32_t current,
                                    std::span<const timeline_switch> known);

// What a session demands before a replica may answer it.
struct freshness {
  lsn floor = 0;                 // a replica must have replayed this far
  bool is_sampled = true;        // false: something newer was seen, and its position is not known yet
  int last_replica = 0;          // id of the server that answered last; 0: none, or the primary since
  std::uint64_t last_start = 0;  // ... and which of its starts it was: it may come back older than it was
  std::uint32_t timeline = 0;    // of the floor; 0: unknown

  // May a replica with this id, in this start, known to have replayed so far, answer?  A session never goes
  // back in time: another replica than the last has to be sampled first, and the same one after a restart.
  [[nodiscard]] bool accepts(int replica, lsn replayed, std::uint64_t start = 0) const {
    if (!is_sampled) return false;
    if (last_replica != 0 && (replica != last_replica || start != last_start)) return false;
    return floor == 0 || replayed >= floor;
  }
  // Whether waiting for it to replay more would do.
  [[nodiscard]] bool may_come_to_accept(int replica, std::uint64_t start = 0) const {
    return accepts(replica, floor, start);
  }

  // Something newer was written or seen on the primary, whose position is not known yet.
  void see_primary() {
    is_sampled = false;
    last_replica = 0;
    last_start = 0;
  }
  // What another has written or seen, of the same timeline.
  void raise(lsn to, std::uint32_t on) {
    if (to > floor) floor = to;
    if (timeline == 0) timeline = on;
  }
};

// Brings what a session demands to the timeline that is in force. What it has seen of an older one is part
// of this one, or lost with a primary that failed (then, and where nobody can tell, the primary is to be
// asked anew).
[[nodiscard]] position_fate settle_timeline(freshness& demand, std::uint32_t current,
                                            std::span<const timeline_switch> known);

// What sessions that wrote and have left had seen. A program that closes its connection and opens another
// must find there what it wrote through the first: a new session begins where those that left have been.
class departures {
 public:
  // A session that expected this of replicas left at `at` (any steady clock).
  void leave(const freshness& f, std::chrono::milliseconds at);
  // A sample that was sent to the primary at `sent` gave this floor.
  void sampled(lsn floor, std::uint32_t timeline, std::chrono::milliseconds sent);
  // What a session expects whose first statement comes now.
  [[nodiscard]] const freshness& arrive() const { return all_; }
  // Another timeline is in force since `at`.
  [[nodiscard]] position_fate settle(std::uint32_t current, std::span<const timeline_switch> known,
                                     std::chrono::milliseconds at);

 private:
  freshness all_;
  std::chrono::milliseconds at_{};  // the last one left whose position was not known
};

// Whether a session reads soon after it writes. Then the write asks how far the primary has come, and its
// read may find a replica that is known to be as far; of who only writes, no write asks.
class read_forecast {
 public:
  void wrote() {
    reads_follow_ = reads_follow_ && !has_unread_;
    has_unread_ = true;
  }
  void has_read() {
    reads_follow_ = reads_follow_ || has_unread_;
    has_unread_ = false;
  }
  [[nodiscard]] bool expects_read() const { return reads_follow_; }

 private:
  bool has_unread_ : 1 = false;  // the last that it did was a write
  bool reads_follow_ : 1 = false;
};

// The newest sample that any session's unit has brought. It serves every session whose last sight of the
// primary, counted in the order in which a proxy hears of them, came before the sample was sent.
class shared_sample {
 public:
  // Sent when so many sights, and so many writes among them, had been heard of.
  void learn(std::uint64_t sights, std::uint64_t writes, lsn floor, std::uint32_t timeline);
  // Whether it covers a sight with this number, on the timeline in force.
  [[nodiscard]] bool covers(std::uint64_t sight, std::uint32_t in_force) const {
    return sights_ != 0 && sight <= sights_ && timeline_ == in_force;
  }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  // What a session that it covers demands from now on.
  void raise(freshness& demand) const;

 private:
  std::uint64_t sights_ = 0, writes_ = 0;
  lsn floor_ = 0;
  std::uint32_t timeline_ = 0;
};

}  // namespace pgsteer::routing
