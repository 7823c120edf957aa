// The reply ledger of one backend: what was sent and what must come back, in order. Owned by a
// backend; fed by whoever sends to it, asked for every frame that arrives. A reply that is not due
// is a mismatch: the connection cannot be trusted any more.
// https://www.postgresql.org/docs/15/protocol-flow.html
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pgsteer::protocol {

enum class expected : std::uint8_t {
  parse,
  bind,
  close,
  describe_statement,
  describe_portal,
  execute,
  sync,
  query,
  function_call,
  synthetic,  // nothing comes: the proxy answers itself when its turn is reached
};

enum class owner : std::uint8_t { client, proxy };

// What to do with a frame that arrived.
enum class verdict : std::uint8_t {
  pass,      // for the client
  drop,      // answer to something the proxy sent for itself
  mismatch,  // not due
};

struct ledger_entry {
  expected what = expected::sync;
  owner whose = owner::client;
  char synthetic_type = 0;  // with synthetic: the message type to make
  std::uint32_t change : 31 =
      0;                      // statement change (1-based, see prepared_statements) that this message makes
  bool has_data : 1 = false;  // of a COPY, whole and sent right behind it
};

struct reply {
  verdict what = verdict::pass;
  expected entry = expected::sync;
  owner whose = owner::client;
  bool entry_done = false;   // the message it answers is answered whole
  std::uint32_t change = 0;  // of the entry; with an error: where that has answered the extended protocol
};

class ledger {
 public:
  void expect(ledger_entry e) {
    if (skipping_ && e.what != expected::sync) return note_failed(e.change);
    skipping_ = false;
    add(e);
  }
  // A Bind of the client's, with what comes right behind it; the change is that of its Execute.
  void expect_bound(bool is_described, bool is_executed, std::uint32_t change = 0) {
    if (skipping_) return note_failed(change);
    add({expected::bind});
    if (is_described) add({expected::describe_portal});
    if (is_executed) add({expected::execute, owner::client, 0, change});
  }

  // A frame of this type arrived (not NoticeResponse, ParameterStatus or NotificationResponse, which
  // may come at any time). After ErrorResponse in the extended protocol the entries up to the next
  // Sync are forgotten; `failed_from()` tells the first change that did not happen.
  [[nodiscard]] reply on_reply(char type);

  // How many bytes at the start of these are whole messages that are due, the client's, and of no interest to
  // anybody else: passed on they are taken as answered. No errors, no ReadyForQuery, nothing that begins a
  // COPY; CommandComplete only where nobody minds tags.
  [[nodiscard]] std::size_t pass_plain(std::string_view bytes, bool minds_tags);

  // A synthetic entry at the head: its type, taken off; 0 where the head waits for the server.
  [[nodiscard]] char take_synthetic();

  [[nodiscard]] bool is_empty() const { return head_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - head_; }
  // The server reads CopyData, CopyDone and CopyFail and nothing else.
  [[nodiscard]] bool is_copy_in() const { return copy_in_; }
  // The client has sent CopyDone or CopyFail: a Sync counts again from here on.
  void end_copy_in() {
    if (!copy_in_ && !is_empty()) entries_[end_ - 1].has_data = true;  // before the server has asked for it
    copy_in_ = false;
  }
  [[nodiscard]] bool is_head_query() const { return !is_empty() && entries_[head_].what == expected::query; }
  // The oldest unanswered entry is the proxy's own.
  [[nodiscard]] bool is_head_ours() const { return !is_empty() && entries_[head_].whose == owner::proxy; }
  // Something of the client's is unanswered.
  [[nodiscard]] bool owes_client() const {
    return std::any_of(entries_.data() + head_, entries_.data() + end_,
                       [](const ledger_entry& e) { return e.whose == owner::client; });
  }
  // Lowest change of what is unanswered; 0: none.
  [[nodiscard]] std::uint32_t first_change() const;
  // Lowest change forgotten by an error since this was last asked; 0: none.
  [[nodiscard]] std::uint32_t take_failed_change();
  // How many queries of the proxy's own were forgotten with them.
  [[nodiscard]] std::uint32_t take_skipped_queries();

  // An error was answered and its Sync is not sent yet: the server skips all messages up to it.
  [[nodiscard]] bool is_skipping() const { return skipping_; }

  void clear();

 private:
  void add(ledger_entry e) {
    if (end_ == entries_.size()) make_room();
    entries_[end_++] = e;
  }
  void make_room();
  reply finish(const ledger_entry& e);
  reply skip_to_sync(const ledger_entry& e);
  void begin_copy_in(const ledger_entry& e);
  void note_failed(std::uint32_t change);

  std::vector<ledger_entry> entries_;  // those due: from head_ to end_; behind it is room
  std::size_t head_ = 0;
  std::size_t end_ = 0;
  std::uint32_t failed_change_ = 0;
  std::uint32_t skipped_queries_ = 0;
  bool copy_in_ = false;
  bool skipping_ = false;
};

}  // namespace pgsteer::protocol
