// WAL positions as numbers: their text form, and the insert position brought to what replay reports.
// Pure. Used by the data path, the monitors, the admin port, and whoever shows a position to people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::routing {

using lsn = std::uint64_t;

// "16/B374D848", as PostgreSQL writes pg_lsn. Nothing on any other text.
[[nodiscard]] std::optional<lsn> parse_lsn(std::string_view text);
[[nodiscard]] std::string format_lsn(lsn at);

struct wal_layout {
  std::uint64_t page_bytes = 8192;              // wal_block_size
  std::uint64_t segment_bytes = 16'777'216ULL;  // wal_segment_size
};

// pg_current_wal_insert_lsn() points past the header of a page on which no record begins or goes on
// yet, while the last record, and so its replay, ended where that page starts. Rounded down to there:
// otherwise no replica ever reaches the position of an idle primary. Exact, never below a record's end:
// a record that reaches into a page ends at least 8 bytes behind its header.
[[nodiscard]] lsn normalise_insert_lsn(lsn insert, wal_layout layout);

}  // namespace pgsteer::routing
