#include "proxy/control/server_report.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace pgsteer::proxy {

// A standby's timeline is that of the WAL it asked for: it does so only where its own history leads
// there (rescanLatestTimeLine), so all it has replayed is part of that timeline's history. Roles
// without pg_read_all_stats see no received_tli; the control file says the same, later. A primary's
// is in the name of its WAL file; pg_control_checkpoint() lags until the checkpoint after a promotion.
const char* const identity_query = R"(
SELECT r.in_recovery,
  pg_catalog.pg_last_wal_replay_lsn(),
  CASE WHEN r.in_recovery THEN (1000 * pg_catalog.date_part('epoch',
    pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))::bigint END,
  CASE WHEN NOT r.in_recovery
    THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) END,
  (SELECT pg_catalog.max(received_tli) FROM pg_catalog.pg_stat_wal_receiver),
  (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
  (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
  (SELECT system_identifier FROM pg_catalog.pg_control_system()),
  pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_block_size')),
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),
  CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_insert_lsn() END,
  pg_catalog.pg_postmaster_start_time(),
  CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_flush_lsn() END
FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery OFFSET 0) AS r)";

const char* const restricted_identity_query = R"(
SELECT r.in_recovery,
  pg_catalog.pg_last_wal_replay_lsn(),
  CASE WHEN r.in_recovery THEN (1000 * pg_catalog.date_part('epoch',
    pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))::bigint END,
  CASE WHEN NOT r.in_recovery
    THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) END,
  (SELECT pg_catalog.max(received_tli) FROM pg_catalog.pg_stat_wal_receiver),
  NULL, NULL, NULL,
  pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_block_size')),
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),
  CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_insert_lsn() END,
  pg_catalog.pg_postmaster_start_time(),
  CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_flush_lsn() END
FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery OFFSET 0) AS r)";

const char* const primary_probe_query =
    "SELECT r.in_recovery, CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_insert_lsn() END,"
    " CASE WHEN NOT r.in_recovery THEN pg_catalog.pg_current_wal_flush_lsn() END"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery OFFSET 0) AS r";

const char* const standby_probe_query =
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_wal_replay_lsn(),"
    " (1000 * pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))::bigint, NULL,"
    " (SELECT pg_catalog.max(received_tli) FROM pg_catalog.pg_stat_wal_receiver),"
    " (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),"
    " (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())";

const char* const restricted_standby_probe_query =
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_wal_replay_lsn(),"
    " (1000 * pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))::bigint, NULL,"
    " (SELECT pg_catalog.max(received_tli) FROM pg_catalog.pg_stat_wal_receiver)";

const char* const sample_query =
    "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_insert_lsn() END";

namespace {

enum column : std::size_t {
  in_recovery,
  replayed,
  replay_age,
  primary_timeline,  // hexadecimal
  received_timeline,
  recovery_timeline,
  checkpoint_timeline,
  system_identifier,
  version,
  page_bytes,
  segment_bytes,
  written,
  started_at,
  flushed,
};

std::string_view field(const answer_row& row, std::size_t i) {
  return i < row.size() ? std::string_view{row[i]} : std::string_view{};
}

template <class Integer>
Integer number(std::string_view text, Integer otherwise, int base = 10) {
  Integer value{};
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc{} && at == end && !text.empty() ? value : otherwise;
}

std::uint32_t timeline_of(const answer_row& row) {
  const auto of_primary = number<std::uint32_t>(field(row, primary_timeline), 0, 16);
  if (of_primary != 0) return of_primary;
  return std::max({number<std::uint32_t>(field(row, received_timeline), 0),
                   number<std::uint32_t>(field(row, recovery_timeline), 0),
                   number<std::uint32_t>(field(row, checkpoint_timeline), 0)});
}

std::uint64_t lsn_of(std::string_view text, routing::wal_layout layout) {
  const auto lsn = routing::parse_lsn(text);
  return lsn ? routing::normalise_insert_lsn(*lsn, layout) : 0;
}

}  // namespace

void read_primary_probe(const answer_row& row, server_report& known) {
  known.in_recovery = field(row, in_recovery) == "t";
  known.written_lsn = lsn_of(field(row, 1), known.wal);
  known.flushed_lsn = lsn_of(field(row, 2), known.wal);
}

void read_probe(const answer_row& row, server_report& known) {
  known.in_recovery = field(row, in_recovery) == "t";
  known.replayed_lsn = known.in_recovery ? routing::parse_lsn(field(row, replayed)).value_or(0) : 0;
  const auto age = number<std::chrono::milliseconds::rep>(field(row, replay_age), -1);
  known.replay_age = std::chrono::milliseconds{
      field(row, replay_age).empty() ? -1 : std::max<std::chrono::milliseconds::rep>(age, 0)};
  known.timeline = std::max(known.timeline, timeline_of(row));
}

server_report read_identity(const answer_row& row) {
  server_report r;
  read_probe(row, r);
  r.system_identifier = number<std::uint64_t>(field(row, system_identifier), 0);
  r.version = number<std::int32_t>(field(row, version), 0);
  r.wal.page_bytes = number<std::uint64_t>(field(row, page_bytes), r.wal.page_bytes);
  r.wal.segment_bytes = number<std::uint64_t>(field(row, segment_bytes), r.wal.segment_bytes);
  r.written_lsn = lsn_of(field(row, written), r.wal);
  r.started_at = field(row, started_at);
  r.flushed_lsn = lsn_of(field(row, flushed), r.wal);
  if (!r.in_recovery) r.promoted_at = routing::parse_lsn(field(row, replayed)).value_or(0);
  return r;
}

std::uint64_t read_sample(const answer_row& row, routing::wal_layout layout) {
  return lsn_of(field(row, 0), layout);
}

}  // namespace pgsteer::proxy
