// What a Query or Parse text is, as far as routing and pooling care. A value made by
// routing::classifier, shared by its cache, the prepared statements and the units that use it.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/asked_settings.hpp"

namespace pgsteer::routing {

// What the text does to the transaction, when it is about transactions at all.
enum class transaction_verb : std::uint8_t {
  none,
  begin,            // BEGIN / START TRANSACTION, access mode and isolation in the flags below
  commit,           // COMMIT, END (not AND CHAIN); PREPARE TRANSACTION, whose kind is write
  rollback,         // ROLLBACK, ABORT (not AND CHAIN)
  chain,            // COMMIT or ROLLBACK AND CHAIN: the block goes on
  savepoint,        // SAVEPOINT, RELEASE, ROLLBACK TO
  set_transaction,  // SET TRANSACTION ..., SET transaction_read_only = ... and the like
  mixed,            // several statements in one Query message, transaction control among them
};

enum class access_mode : std::uint8_t { unspecified, read_only, read_write };
enum class isolation : std::uint8_t {
  unspecified,
  read_uncommitted,
  read_committed,
  repeatable_read,
  serializable
};

// What the text may leave behind in its backend's session. The data path asks the server for the
// truth after such a unit; these say only when to ask. In doubt, a bit is set.
struct session_effects {
  bool may_set : 1 = false;  // SET, RESET, DISCARD, set_config(), DO, CALL, unknown functions
  bool may_pin : 1 =
      false;  // temporary table, LISTEN, WITH HOLD, advisory lock, PREPARE, LOAD, unknown functions
  bool deallocates_all : 1 = false;        // DEALLOCATE ALL, DISCARD ALL, DISCARD PLANS has no such effect
  bool sets_local : 1 = false;             // SET LOCAL, to the end of its transaction
  bool leaves_empty : 1 = false;           // SET LOCAL a.b: the backend knows the name from then on, as empty
  bool resets : 1 = false;                 // RESET, SET TO DEFAULT, DISCARD ALL: startup values come back
  bool loads_library : 1 = false;          // LOAD: cannot be undone
  bool calls_c : 1 = false;                // a volatile function in C that nobody knows: it may remember
  bool uses_session_sequence : 1 = false;  // currval(), lastval()
  bool reads_custom : 1 = false;     // current_setting(), SHOW a.b: it may see whether a name was ever set
  bool lists_prepared : 1 = false;   // pg_prepared_statements: its own, by their own names
  bool calls_nextval : 1 = false;    // nextval() or setval() by name: currval/lastval may follow
  bool seeds_random : 1 = false;     // setseed(), SET seed: random() of this backend; cannot be undone
  bool names_settings : 1 = false;   // set_config() of a name made as it runs: nobody can ask for it
  bool changes_catalog : 1 = false;  // DDL: catalog facts are stale once it commits
  bool meets_unknown : 1 = false;    // a relation that the catalog does not have: nobody knows what it runs
  bool ends_backends : 1 = false;    // pg_terminate_backend()
  bool changes_users : 1 = false;    // CREATE, ALTER or DROP ROLE: passwords and whom they let in
  bool changes_plans : 1 = false;    // how texts are parsed, as far as anybody knows: see plan_effects.hpp
  bool changes_reading : 1 = false;  // ... and what literals mean
  unsigned unused : 12 = 0;          // so that all of it is one number
  session_effects& operator|=(const session_effects& o) {
    using bits = std::uint32_t;
    *this = std::bit_cast<session_effects>(
        static_cast<bits>(std::bit_cast<bits>(*this) | std::bit_cast<bits>(o)));
    return *this;
  }
};

// What a text does with a statement that PREPARE, or the protocol's Parse, has made.
enum class statement_use : std::uint8_t {
  none,
  prepares,     // exactly one PREPARE
  executes,     // exactly one EXECUTE, whose arguments are reads
  embeds,       // EXPLAIN or CREATE TABLE AS of one
  deallocates,  // exactly one DEALLOCATE of a name
  several,      // of names that are not told
};

[[nodiscard]] constexpr bool executes_another(statement_use use) {
  return use == statement_use::executes || use == statement_use::embeds;
}

// What a statement is, where a caller must treat it specially.
enum class statement_kind : std::uint8_t {
  empty,        // no statement at all: EmptyQueryResponse
  read,         // proven read: may run on a replica
  write,        // anything not proven to be a read
  transaction,  // transaction control alone (see verb)
  set,          // exactly one SET / RESET (not SET TRANSACTION); `name` is the parameter (RESET ALL: "all",
                // SET SESSION CHARACTERISTICS: "session_characteristics" with access, level, deferrable)
  set_local,    // exactly one SET LOCAL, or `locals`
  show,         // exactly one SHOW; `name` is the parameter
  deallocate,   // exactly one DEALLOCATE name (`name` empty: ALL)
  declare_cursor_read,  // DECLARE without HOLD whose query is a read: replica only inside a read-only block
  cursor_use,           // FETCH, MOVE, CLOSE of a cursor: on the backend that has it
  explain_route,        // EXPLAIN ROUTE, which the proxy answers; `value` is the statement
};

// The bodies of the database's functions that a text calls, at any depth: they find their names when they
// run, temporary objects among them. Bounded; what is not known is named by a word that stands for all names.
struct called_bodies {
  std::string text;
  void add(std::string_view body);
  void add_unknown() { add("pg_temp"); }
  called_bodies& operator|=(const called_bodies& o) {
    if (!o.text.empty()) add(o.text);
    return *this;
  }
};

// Where somebody wants a statement to go: its comment, the configuration, its session.
enum class route_wish : std::uint8_t { automatic, primary, replica };

// Where the owner of a classifier keeps what it knows of a statement; place 0: nowhere.
struct statement_mark {
  std::uint32_t place = 0;
  std::uint32_t generation = 0;
};

// A text that a statement holds, or that comes with its Bind.
struct given_text {
  std::string text;
  int parameter = 0;  // its number, from 1 on; 0: `text`
};

struct local_setting {
  given_text name, value;
};

struct classification {
  statement_kind kind = statement_kind::write;
  transaction_verb verb = transaction_verb::none;
  access_mode access = access_mode::unspecified;
  isolation level = isolation::unspecified;
  bool deferrable = false;
  bool is_dml = false;       // write, or DDL, that any server refuses in a read-only transaction with 25006
  bool is_liftable = false;  // no read only for want of knowledge, or for what is local to each server: a
                             // wish for a replica counts
  bool is_wish_of_comment = false;
  bool needs_catalog = false;  // a read as far as names tell: what they stand for is not known yet
  bool is_query = false;       // SELECT, VALUES or TABLE that makes, changes and locks nothing by itself
  statement_mark mark;
  route_wish wish = route_wish::automatic;  // of the text's comments, or of a pattern of the configuration
  session_effects effects;
  called_bodies bodies;
  bool lacks_setting = false;  // for_settings() says so
  asked_settings asks;         // a read only where the session has set them: see for_settings()
  std::string wish_reason;
  std::string name;                   // see kind
  std::string value;                  // of `SET name = constant`, as text; empty where it is not one constant
  std::vector<local_setting> locals;  // set_local by set_config(), and nothing else: see local_settings.hpp
  statement_use use = statement_use::none;
  std::string used;  // the name of the statement that it uses
  // prepares: what EXECUTE of it is. executes and embeds: all but what is executed. Null: unknown, or looked
  // through by as_executed().
  std::shared_ptr<const classification> part;
  std::string reason;  // why it is not a read ("calls unknown function foo()"), or "read"
};

using classification_ref = std::shared_ptr<const classification>;

}  // namespace pgsteer::routing
