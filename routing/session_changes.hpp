// What a text that succeeds changes in its session, by name: temporary objects, locks, cursors,
// channels, prepared statements, settings, transaction control. Called by routing::session_model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/classification.hpp"
#include "routing/sql_parser.hpp"

namespace pgsteer::routing {

enum class change_kind : std::uint8_t {
  begin,
  commit,
  rollback,
  chain,
  savepoint,
  release,
  rollback_to,
  set_transaction,
  set,  // name, value (empty: no constant)
  set_local,
  reset,           // name, or "all"
  make_temporary,  // of unqualified name
  make_temporary_until_commit,
  inherit,        // table name from value
  make_relation,  // unqualified and not said to be temporary: search_path may say it
  drop,
  rename,  // name to value
  listen,
  unlisten,  // name empty: all
  hold_cursor,
  close_cursor,  // name empty: all
  lock,          // session-level advisory lock
  unlock,
  unlock_all,
  prepare,
  deallocate,  // name empty: all
  load,
  seed,
  discard_all,
  discard_temporary,
};

struct session_change {
  change_kind kind;
  std::string name;
  std::string value;
  access_mode access = access_mode::unspecified;  // of begin, chain and set_transaction
  isolation level = isolation::unspecified;
};

struct text_changes {
  bool is_parsed = false;            // the parser's tree is the text's
  std::vector<session_change> list;  // in the order of the text's statements
};

[[nodiscard]] text_changes session_changes(sql_parser& parser, std::string_view sql);

}  // namespace pgsteer::routing
