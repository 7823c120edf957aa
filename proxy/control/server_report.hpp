// What a server says of itself over a control connection: the questions and the reading of their
// answers. Pure. Used by the monitors and by the topology judge.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "routing/lsn.hpp"

namespace pgsteer::proxy {

// Columns an old, foreign or restricted server does not give are zero.
struct server_report {
  bool in_recovery = false;
  std::uint64_t replayed_lsn = 0;  // a standby's; 0: unknown
  std::uint32_t timeline = 0;      // 0: unknown
  std::uint64_t system_identifier = 0;
  std::int32_t version = 0;       // server_version_num
  std::string started_at;         // the postmaster's start, to tell incarnations and servers apart
  std::uint64_t written_lsn = 0;  // a primary's normalised insert position
  std::uint64_t flushed_lsn = 0;  // ... and how far its WAL is on disk: no replica can have more
  std::uint64_t promoted_at = 0;  // a primary that was promoted since it started: where its timeline begins
  routing::wal_layout wal;
  // A standby's: the age of the last commit it has replayed, by the clocks of both servers; below 0: unknown.
  std::chrono::milliseconds replay_age{-1};
  std::chrono::steady_clock::time_point asked{};  // when the question was sent, as the monitor says
};

using answer_row = std::vector<std::string>;  // null is empty

// Everything; asked once a connection and when a standby has been promoted.
extern const char* const identity_query;
// The same for a role that may not execute the pg_control_* functions.
extern const char* const restricted_identity_query;
[[nodiscard]] server_report read_identity(const answer_row& row);

// A probe of a server that was no standby: it cannot become one while the connection lasts.
extern const char* const primary_probe_query;
void read_primary_probe(const answer_row& row, server_report& known);
// A probe of a standby: its position, and the timeline it follows.
extern const char* const standby_probe_query;
extern const char* const restricted_standby_probe_query;
// Brings `known` up to date.
void read_probe(const answer_row& row, server_report& known);

// Null on a standby, never an error.
extern const char* const sample_query;
// The normalised insert position; 0 where there is none.
[[nodiscard]] std::uint64_t read_sample(const answer_row& row, routing::wal_layout layout);

}  // namespace pgsteer::proxy
