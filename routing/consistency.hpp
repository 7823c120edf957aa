// WAL positions and what a session may demand of a replica: pure values for the data path.
// https://www.postgresql.org/docs/15/datatype-pg-lsn.html
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgsteer::routing {

using lsn = std::uint64_t;

// "16/B374D848", as PostgreSQL writes a pg_lsn.
[[nodiscard]] std::optional<lsn> parse_lsn(std::string_view text);

// "16MB", "1GB": wal_segment_size as SHOW prints it, in bytes; 0 where it is no such size.
[[nodiscard]] std::uint64_t parse_wal_segment_size(std::string_view text);

// An insert position of an idle server may stand just behind the header of a page that has no record
// yet; a standby's replayed position never does. It is moved back to where the last record ended.
[[nodiscard]] lsn normalise_insert_lsn(lsn insert, std::uint64_t segment_size);

// What a session demands before a replica may answer it.
struct freshness {
  lsn floor = 0;             // a replica must have replayed this far
  bool is_sampled = true;    // false: something newer was seen, and its position is not known yet
  int last_replica = 0;      // id of the server that answered last; 0: none, or the primary since

  // May a replica with this id, known to have replayed so far, answer?  A session never goes back in
  // time: another replica than the last has to be sampled first.
  [[nodiscard]] bool accepts(int replica, lsn replayed) const {
    if (!is_sampled) return false;
    if (last_replica != 0 && replica != last_replica) return false;
    return floor == 0 || replayed >= floor;
  }
};

}  // namespace pgsteer::routing
