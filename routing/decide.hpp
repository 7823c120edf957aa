// From the classes of a unit and the session's state to a server role, with the reason.
// Pure values; called by the data path once a unit and by `pgsteer route`.
#pragma once

#include <string_view>

#include "routing/classification.hpp"
#include "routing/overrides.hpp"

namespace pgsteer::routing {

enum class target : std::uint8_t {
  primary,
  replica,
  stay,          // the backend the session holds already
  move_primary,  // a block on a replica must go on on the primary: BEGIN there, run this there
};

enum class block : std::uint8_t { none, on_primary, on_replica };

// What routing must know of a session. Kept by the data path, or by session_model for `route`.
struct session_view {
  block open = block::none;             // an explicit transaction block, and where it runs
  bool failed = false;                  // ReadyForQuery 'E'
  bool block_is_read_committed = true;  // isolation of the open block
  bool splits = false;                  // pgsteer.transactions: a block may begin on a replica, and leave it
  bool block_is_split = false;          // so did the open one, which was not declared read-only
  bool block_may_move = true;           // on a replica: nothing in it keeps it there
  bool default_read_only = false;       // default_transaction_read_only
  isolation default_isolation = isolation::read_committed;
  session_wish wish;             // pgsteer.route, or what the configuration says of its user or database
  std::string_view pin;          // reason the session is pinned to a primary backend, or empty
  bool reads_may_leave = false;  // pinned by what this unit, if it is a read, has nothing to do with
};

struct decision {
  target where = target::primary;
  std::string_view reason;  // static, or owned by the classification or the view
};

// One unit whose statements have all been joined into `unit`.
[[nodiscard]] decision decide(const classification& unit, const session_view& session);

// SET LOCAL of it changes which objects a name means, or who asks.
[[nodiscard]] bool changes_names(std::string_view parameter);

// Of a BEGIN that goes to a replica: its block was not declared read-only and leaves it at its first
// non-read.
[[nodiscard]] bool begins_split_block(const classification& unit, const session_view& session);

// Joins the class of a further statement of the same unit (extended protocol: several Bind/Execute
// up to one Sync) into `unit`: one that is not a read makes the unit a write.
void join(classification& unit, const classification& next);

// The same for a further statement of one Query message, where a BEGIN and what follows it are one
// text (verb mixed). Joined units that may stay in a block on a replica keep a kind that says so:
// transaction with verb mixed (reads, cursors, SET LOCAL with COMMIT, ROLLBACK, savepoints), or cursor_use
// (reads, cursors, SET LOCAL).
void join_text(classification& unit, const classification& next);

// `unit` uses one statement, which is `target`: EXECUTE is as what it executes; EXPLAIN or CREATE TABLE AS of
// it leaves what both leave.
[[nodiscard]] classification as_executed(const classification& unit, const classification& target);

}  // namespace pgsteer::routing
