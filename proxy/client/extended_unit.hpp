// The extended protocol between a client's statement names and a backend's: judges a batch of
// Parse, Bind, Describe, Execute, Close, Sync and Flush, then writes it for one backend with the
// names that backend knows, and with Parse messages for what it lacks. Scratch of a worker.
// https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/gather.hpp"
#include "protocol/ledger.hpp"
#include "proxy/client/statements.hpp"
#include "routing/classifier.hpp"

namespace pgsteer::proxy {

// A portal that is bound to a DEALLOCATE or DISCARD ALL and not executed yet.
struct ending_portal {
  std::string name;
  statement_ref statement;
};

// The prepared statements a client believes to have. An idle client without any owns next to nothing.
struct client_statements {
  using name_map = std::unordered_map<std::string, statement_ref, name_hash, std::equal_to<>>;
  statement_ref unnamed;
  std::unique_ptr<name_map> named;
  std::unique_ptr<std::vector<ending_portal>> ending;  // null: none

  [[nodiscard]] const statement_ref* find(std::string_view name) const;
  void set(std::string_view name, statement_ref s);  // null: forget the name
  // Forgets all names but the unnamed one and those that `kept` says.
  template <class Kept>
  void forget_named(Kept kept) {
    if (!named) return;
    std::erase_if(*named, [&](const auto& one) { return !kept(one.first); });
    if (named->empty()) named.reset();
  }
  [[nodiscard]] std::optional<std::string> name_of(std::uint64_t id) const;
  void bind_portal(std::string_view name, statement_ref ending);  // null: to anything else
  [[nodiscard]] statement_ref ended_by(std::string_view portal) const;
  void clear();
};

class sql_statements;
struct fresh_statement;

// What a change of names was, so that an error in the batch takes it back.
struct statement_change {
  enum class kind : std::uint8_t { client_name, backend_added, backend_closed, backend_unnamed, described };
  kind what = kind::client_name;
  std::string name;      // client_name
  statement_ref before;  // client_name: what the name meant; others: the statement
};

// A statement made before the catalog changed that this backend cannot run as it was made.
struct disproved_statement {
  std::uint64_t id = 0;
  std::string name;   // on the server
  std::string error;  // the whole ErrorResponse that its client is to get
};

// One backend's side of the conversation: what it owes and what it has prepared.
struct backend_wire {
  protocol::ledger owed;
  backend_statements prepared;
  std::uint64_t unnamed = 0;              // id of the statement in its unnamed slot; 0: none or unknown
  bool names_uncertain = false;           // a DEALLOCATE ALL was sent and not answered: Close before Parse
  bool may_copy = false;                  // the server may read COPY data by now, which other messages end
  std::vector<statement_change> changes;  // of the unit in flight
  std::vector<std::string> close_after;   // names lent to the server: see take_back_lent()
  std::vector<statement_ref> doubtful;    // prepared by settings that may be none of theirs
  statement_ref proving;                  // see extended_unit::write_proof(); null: none
  std::vector<disproved_statement> disproved;  // for the unit that waits or is in flight

  // Takes back the changes from the 1-based `first` on, newest first; `failed` is that of the message that
  // the server refused (0: of none), the others are of messages that it has skipped.
  void revert(std::uint32_t first, std::uint32_t failed, client_statements& names);
  // The server has said of the statement of this change what it takes ('t') or gives ('T', 'n').
  void learn(std::uint32_t change, char type, std::string_view body);
  // The statement that was to be proven is refused, or is another by now.
  void disprove(std::string error);
  [[nodiscard]] bool is_disproved(std::uint64_t id) const;
  // The transaction that has prepared these is over.
  void forget_doubtful() {
    if (!doubtful.empty()) close_doubtful();
  }
  void close_doubtful();
  // DEALLOCATE ALL was answered: what was prepared before it is gone, on the server and of the client's.
  void forget_all(client_statements& names);
};

class extended_unit {
 public:
  struct judge_context {
    const client_statements& names;
    statement_registry& registry;
    routing::classifier& classifier;
    routing::parse_context parse;
    std::uint32_t group;
    std::uint32_t plan_key;
    const sql_statements* by_sql = nullptr;  // made by PREPARE; null: none
    const std::vector<fresh_statement>* fresh = nullptr;
    bool has_temporary = false;            // see statements_in_reach
    routing::session_effects before = {};  // of the transaction's units so far
  };
  struct verdict {
    const routing::classification* what = nullptr;  // of all statements joined; valid until the next judge()
    bool only_prepares = true;                      // nothing is bound, executed or closed
    bool has_execute = false;
  };
  // `bytes` are whole frames; the last may be cut.
  verdict judge(std::string_view bytes, const judge_context& context);

  // What the batch judged last is: of one of its statements, or joined from several.
  [[nodiscard]] const routing::classification* what() const { return what_; }
  [[nodiscard]] bool is_joined() const { return what_ == &joined_; }
  // Null: it is joined, or nobody knows whose it is.
  [[nodiscard]] routing::classification_ref shared_what() const {
    const auto at = std::find_if(held_.begin() + 1, held_.end(),
                                 [this](const auto& s) { return s->what.get() == what_; });
    if (at != held_.end()) return (*at)->what;
    return query_.get() == what_ ? query_ : nullptr;
  }

  // Whether the batch judged last leaves a portal for later ones: the unnamed one ends with the next Bind or
  // Query.
  [[nodiscard]] bool leaves_portal() const { return leaves_portal_; }

  // Whether the batch judged last binds, executes and closes nothing.
  [[nodiscard]] bool only_prepares() const {
    return std::ranges::all_of(items_,
                               [](const item& i) { return i.type == 'P' || i.type == 'D' || i.type == 'H'; });
  }

  // Whether it binds or describes what nobody has prepared.
  [[nodiscard]] bool meets_unknown_name() const { return meets_unknown_name_; }

  // Whether `test` holds for the text of a statement that the batch judged last uses.
  template <class Test>
  [[nodiscard]] bool has_text(Test test) const {
    return std::any_of(held_.begin() + 1, held_.end(), [&](const auto& s) { return test(s->text()); });
  }

  // Tells `visit` each name in the batch judged last that the server is told as it is: it means no statement
  // of the protocol's, as far as is known, or a Parse gives it a second time. `bytes` must be the same bytes.
  template <class Visit>
  void each_name_of_server(std::string_view bytes, Visit visit) const {
    for (const auto& i : items_) {
      const bool is_unknown = !i.known && i.statement == none;
      if (i.name_size > 0 && (is_unknown || (i.type == 'P' && i.known)))
        visit(bytes.substr(i.offset + i.name_at, i.name_size));
    }
  }

  // What PREPARE has made and a Close in the batch judged last has ended is behind it the name of nothing.
  // `bytes` must be the same bytes.
  void forget_closed(std::string_view bytes, std::unique_ptr<sql_statements>& own,
                     std::unique_ptr<sql_statements>& on_backend) const;

  // Tells `visit` each Bind in the batch judged last and its statement; null: unknown. `bytes` must be the
  // same bytes.
  template <class Visit>
  void each_bind(std::string_view bytes, Visit visit) const {
    for (const auto& i : items_) {
      if (i.type == 'B') visit(bytes.substr(i.offset, i.size), statement_of(i).get());
    }
  }

  struct write_context {
    client_statements& names;
    backend_wire& wire;
    bool transaction_failed;
    std::size_t max_prepared;
    bool by_client_names = false;  // they are in force: see show_own_statements()
    bool is_stalled = false;       // the rest of the batch is late: the server's clocks must run
    bool reads_otherwise = false;  // the transaction may have changed what literals mean
    bool learns = true;            // what statements give is the same for all sessions
  };
  // Whether it uses a statement that was made before the catalog last changed.
  [[nodiscard]] bool meets_older() const { return meets_older_; }
  // Prepares one of these, where this backend has it not yet, so that its answer tells whether it still is
  // what its client knows. False: none is left to prove.
  [[nodiscard]] bool write_proof(const write_context& context, protocol::gather& out);

  // Writes the frames judged last. `bytes` must be the same bytes (they may have moved).
  void write(std::string_view bytes, const write_context& context, protocol::gather& out);
  // Ends what was lent to the server: behind a Sync, or in front of the next unit where the last one ended in
  // a Query, which the server may have skipped as far as anybody knew.
  static void take_back_lent(backend_wire& wire, protocol::gather& out);
  // The same as show_own_statements() in the middle of a batch, where a Sync of ours would end the client's
  // transaction.
  static void show_own(const write_context& context, protocol::gather& out);

 private:
  using place = std::uint32_t;  // in held_
  static constexpr place none = 0;

  struct item {
    char type = 0;
    char sub = 0;                              // 'S' or 'P' of Describe and Close
    bool known = false;                        // the name, at this place of the batch
    bool is_described = false;                 // Bind, with a Describe of a portal right behind it
    bool is_executed = false;                  // Bind, with an Execute right behind it or behind that
    bool ends = false;                         // Bind, of a DEALLOCATE or DISCARD ALL
    place statement = none;                    // what it means, or what Parse makes
    std::uint32_t name_at = 0, name_size = 0;  // of the statement's name, from the frame's start
    std::size_t offset = 0, size = 0;          // as far as it is here
    std::size_t whole = 0;                     // the last one may be large and still arriving
    std::size_t behind = 0;                    // bytes of the Describe and Execute
  };
  // What a name means: given or taken away earlier in the same batch, or what was found for it last.
  struct binding {
    std::string_view name;
    place statement = none;
  };

  [[nodiscard]] bool join_bind(std::string_view frame, verdict& v);
  void judge_frame(item& i, std::string_view frame, const judge_context& context, verdict& v);
  void judge_parse(item& i, std::string_view frame, const judge_context& context);
  void judge_named(item& i, std::string_view frame, const judge_context& context);
  [[nodiscard]] place hold(const statement_ref& s);
  void give(std::string_view name, place statement);
  void bind_portal(const item& i, std::string_view frame);
  void execute_portal(std::string_view frame, const client_statements& names);
  void end(place statement);
  void forget_names();
  [[nodiscard]] place resolve(std::string_view name, const client_statements& names);
  [[nodiscard]] place search(std::string_view name, const client_statements& names);
  void use(place statement, const judge_context& context);
  void use(const routing::classification& c, const judge_context& context);
  void use_executing(const routing::classification& c, const judge_context& context);
  [[nodiscard]] bool is_made_by_sql(std::string_view name, const judge_context& context) const;
  [[nodiscard]] bool use_made_by_sql(char type, std::string_view name, const judge_context& context);
  void use(const routing::classification& c);
  void use_own(routing::classification c);
  void use_unknown(std::string_view reason);

  [[nodiscard]] const statement_ref& statement_of(const item& i) const { return held_[i.statement]; }
  void lend_executed(const item& i, const write_context& context, protocol::gather& out);
  static void lend(std::string_view name, const write_context& context, protocol::gather& out);
  void write_shown(const item& i, std::string_view bytes, const write_context& context,
                   protocol::gather& out);
  void write_item(const item& i, std::string_view bytes, const write_context& context, protocol::gather& out);
  void write_parse(const item& i, std::string_view frame, const write_context& context,
                   protocol::gather& out);
  void write_duplicate(const item& i, std::string_view frame, const write_context& context,
                       protocol::gather& out);
  static void write_unneeded(const protocol::ledger_entry& entry, const write_context& context,
                             protocol::gather& out);
  static void note_portal(const item& i, const statement_ref& s, std::string_view frame,
                          const write_context& context);
  std::uint32_t end_executed(const statement_ref& s, const write_context& context, protocol::gather& out);
  static std::uint32_t lend_ended(const std::string& name, const write_context& context,
                                  protocol::gather& out);
  void write_query(std::string_view frame, const write_context& context, protocol::gather& out) const;
  [[nodiscard]] bool may_read_data(const item& i) const;
  void write_close(const item& i, std::string_view frame, const write_context& context,
                   protocol::gather& out);
  void write_bind(const item& i, std::string_view bytes, const write_context& context, protocol::gather& out);
  [[nodiscard]] std::uint32_t forget_prepared(backend_wire& wire);
  void write_describe(const item& i, std::string_view frame, const write_context& context,
                      protocol::gather& out);
  static void put_renamed(const item& i, std::string_view frames, std::string_view name,
                          protocol::gather& out);
  void ensure_prepared(const statement_ref& s, const write_context& context, protocol::gather& out);
  void prepare(const statement_ref& s, const write_context& context, protocol::gather& out);
  void prove(const statement_ref& s, const write_context& context, protocol::gather& out);
  [[nodiscard]] bool needs_proof(const item& i, backend_wire& wire) const;
  [[nodiscard]] bool is_query(const item& i) const;
  static void ask_result(const statement_ref& s, backend_wire& wire, protocol::gather& out);
  void ensure_unnamed(const statement_ref& s, const write_context& context, protocol::gather& out);
  static bool names_unnamed(const item& i) { return i.name_at > 0 && i.name_size == 0; }
  static void ensure_no_unnamed(const write_context& context, protocol::gather& out);
  void make_room(const write_context& context, protocol::gather& out) const;

  std::vector<item> items_;
  std::vector<statement_ref> held_{nullptr};  // the statements of the items; the first one is none
  std::vector<binding> bindings_;
  std::vector<binding> ending_;        // portals, bound to a DEALLOCATE
  std::optional<binding> resolved_;    // last
  place used_ = none;                  // last
  bool forgets_names_ = false;         // behind a DEALLOCATE ALL
  routing::classification_ref query_;  // of the Query that ends the batch
  routing::session_effects changes_;   // of the batch so far: see plan_effects.hpp
  routing::classification joined_;
  const routing::classification* what_ = nullptr;
  const routing::classification* executing_ = nullptr;  // the last one looked through
  bool leaves_portal_ = false;
  bool meets_unknown_name_ = false;
  bool meets_older_ = false;
  std::uint32_t group_ = 0;
  std::uint64_t uses_before_ = 0;
  std::uint64_t prepared_ = 0;  // the statement found on the backend last, by its id
  place never_lent_ = none;     // the one looked at last
};

}  // namespace pgsteer::proxy
