// One logged-in server connection: its bytes, its reply ledger, what it has prepared and which
// settings are in force on it. Belongs to a pool; leased to one session at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "protocol/error_report.hpp"
#include "protocol/gather.hpp"
#include "protocol/settings_state.hpp"
#include "proxy/backend/connector.hpp"
#include "proxy/client/extended_unit.hpp"
#include "proxy/client/sql_statements.hpp"
#include "proxy/io/reactor.hpp"
#include "proxy/io/stream.hpp"

namespace pgsteer::proxy {

class pool;
class session;
using custom_names = std::set<std::string, std::less<>>;

// A query the proxy asks on its own account, between a client's units.
enum class own_query : std::uint8_t {
  settings_prefix,    // SETs written in front of the client's unit; nobody waits for them
  refusal,            // fails, so that the client's block fails with a setting it may not have
  prepare,            // a PREPARE of the session, in front of its unit
  wal_sample,         // the WAL position behind a read, written after the client's unit
  settings,           // SETs that may fail: the unit waits
  proof,              // behind a statement that may have changed with the catalog: the unit waits
  begin_block,        // BEGIN for a read-only block that moves here
  defaults,           // what a new session begins with
  end_block,          // COMMIT of the block on the replica that it leaves
  state_probe,        // which settings and which state has this session
  whole_state_probe,  // ... and which temporary objects, one by one
  rollback,           // the client left an open block
  discard,            // DISCARD ALL before the connection goes back
};

// A PREPARE of the session that this server has refused, and in what words.
struct unprepared_statement {
  std::string name;
  std::string error;  // the whole ErrorResponse
};

class backend final : public event_handler {
 public:
  backend(connected c, pool& home, std::uint64_t id);
  ~backend();
  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;

  void on_events(std::uint32_t events) override;

  // Sends what can be sent and keeps the rest; false: the connection is broken.
  [[nodiscard]] bool send(protocol::gather& batch);
  [[nodiscard]] bool flush();
  [[nodiscard]] bool has_unsent() const { return sent_ < unsent_.size(); }
  [[nodiscard]] std::size_t unsent() const { return unsent_.size() - sent_; }
  // A simple Query of the proxy's own; its answer is told to the session with `purpose`.
  void put_own_query(own_query purpose, std::string_view sql, protocol::gather& batch);
  // Before a session asks for currval() or lastval(): what others have drawn here is none of its own.
  void claim_sequences(std::uint64_t serial, protocol::gather& batch);
  // The server has skipped that many, behind an error in a batch that they were sent behind.
  void forget_own(std::uint32_t skipped);

  // That these custom settings were named here: PostgreSQL cannot forget them.
  void note_custom(const custom_names& names);
  // Nothing is owed, and nothing has come that nobody asked for: what is left in `carry` was meant for
  // the session that leaves, and must never meet the next one.
  [[nodiscard]] bool is_idle_in_step() const {
    return wire.owed.is_empty() && !has_unsent() && status == 'I' && carry.empty();
  }

  // Of one that is given up: behind its last answer may have come why its server ended it.
  void hear_rest();

  pool& home;
  const std::uint64_t id;
  stream io;
  backend_wire wire;
  protocol::settings_ref settings;
  std::int32_t pid = 0;
  std::string cancel_key;
  sockaddr_storage peer{};
  socklen_t peer_size = 0;
  clock::time_point opened;
  std::uint32_t defaults_number = 0;  // of its group, when it was asked for
  std::uint64_t start = 0;            // of its server, when it was opened: see server::starts()
  connection_place place;             // where it leads
  std::uint64_t pin_number = 0;       // of its server, when that was last seen to lead there too
  clock::time_point idle_since;
  clock::time_point lease_since;
  clock::time_point transaction_since;  // of the one that is open or was last

  std::unique_ptr<sql_statements> by_sql;        // made here by PREPARE, by whomever; null: none
  std::deque<std::string> preparing;             // of own queries in flight: the names
  std::vector<unprepared_statement> unprepared;  // before the unit in flight

  std::unique_ptr<custom_names> custom;  // names of custom settings that exist here; null: none
  custom_names may_name_settings;        // values that a function may just have taken for such names

  session* user = nullptr;
  bool was_used = false;            // by any client: it may have loaded libraries
  bool may_have_temporary = false;  // or have had: see temp_buffers
  char status = 'I';                // of the last ReadyForQuery
  bool is_doomed = false;           // out of step or dying: nothing it says counts any more
  bool is_spoilt = false;           // in step, but closed instead of reused
  bool hung_up = false;             // the server has closed its side: read until the end
  std::string restored;             // of the unit in flight: the setting that it resets, or "all"
  std::int32_t last_writer =
      0;                   // what the client was told as its process id whose unit, no read, ran here last
  std::string last_words;  // why a server that stops ended this connection
  bool was_terminated = false;  // by an administrator, or because the server stops: it says the same
  int cancels_in_flight = 0;
  clock::time_point cancelled_at;   // by query_timeout
  double shorter = 0;               // by this share are its lifetime and idle timeout
  clock::time_point checked;        // when it was last asked whether it lives
  bool is_checking = false;         // ... and has not answered
  std::uint64_t last_resident = 0;  // the same, also when that session has left
  std::uint64_t resident = 0;       // serial of the session that was given this one's process id at its login
  std::uint64_t sequence_user = 0;  // serial of the session that last may have drawn from a sequence here

  // Relay state.
  std::string carry;            // a frame that has not arrived whole
  std::size_t pass_left = 0;    // bytes of a large frame still to come
  bool pass_to_client = false;  // and whether they are the client's
  std::string retained;         // the unit in flight, while it could still run elsewhere
  std::string held;             // its answer so far, held back for the same reason

  // Own queries in flight, oldest first, and what the head has answered.
  std::deque<own_query> own;
  std::vector<std::vector<std::string>> own_rows;
  bool own_failed = false;
  protocol::error_report own_error;
  std::string own_error_frame;  // of a PREPARE

 private:
  void hear_last_words(std::string_view frame);
  void on_idle_input();

  reactor& loop_;  // outlives the pool, which may be gone when this dies
  pgconn_ptr connection_;
  bool says_goodbye_;
  std::string unsent_;
  std::size_t sent_ = 0;
};

}  // namespace pgsteer::proxy
