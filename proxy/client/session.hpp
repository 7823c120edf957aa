// One client: from accept to close. Reads units, asks routing where each goes, leases a backend,
// relays, and gives the backend back. Belongs to its worker. Its functions are in files by concern:
//   session.cpp        events, input, output, end
//   session_login.cpp, session_access.cpp  startup packet, TLS, who may log in and how, the login's answer
//   session_unit.cpp, session_judged.cpp  from bytes to a dispatched unit
//   session_relay.cpp  from a backend's bytes to the client
//   session_lease.cpp  getting and giving back backends; retries
//   session_fresh.cpp, session_snapshot.cpp  what a replica must have; a snapshot there that cannot move
//   session_loss.cpp, session_ghost.cpp  a server connection that is gone, and the block that was open there
//   session_wishes.cpp, session_token.cpp  settings of the proxy's own: pgsteer.route and its like
//   session_explain.cpp  EXPLAIN ROUTE, and what is counted by statement
//   session_prepared.cpp, session_sequence.cpp  what it has made by PREPARE; currval() and lastval()
//   session_state.cpp, session_defaults.cpp  what the session leaves behind in its backend, and began with
//   session_tunnel.cpp, session_console.cpp  a client that replicates, or talks to the console
//   session_time.cpp, session_list.cpp  a client that takes too long; the session in lists of clients
//   flow:  collecting -> waiting -> (preparing) -> in_flight <-> flowing -> (settling) -> collecting
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/settings_state.hpp"
#include "protocol/unit.hpp"
#include "proxy/admin/console.hpp"
#include "proxy/backend/backend.hpp"
#include "proxy/backend/pool.hpp"
#include "proxy/client/altered_defaults.hpp"
#include "proxy/client/extended_unit.hpp"
#include "proxy/client/group.hpp"
#include "proxy/client/local_settings.hpp"
#include "proxy/client/login_state.hpp"
#include "proxy/client/session_parts.hpp"
#include "proxy/client/time_limits.hpp"
#include "proxy/client/tunnel.hpp"
#include "proxy/client/user_lookup.hpp"
#include "proxy/io/reactor.hpp"
#include "proxy/io/stream.hpp"
#include "proxy/lists.hpp"
#include "proxy/metrics.hpp"
#include "routing/consistency.hpp"
#include "routing/decide.hpp"
#include "routing/temporary_names.hpp"

namespace pgsteer::proxy {

class worker;

class session final : public event_handler {
 public:
  using phase = session_phase;
  using flow = session_flow;

  session(worker& w, descriptor fd, bool is_unix);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void on_events(std::uint32_t events) override;

  // From a pool.
  void on_granted(backend& b);
  void on_acquire_failed(const protocol::error_report& why);
  void on_reroute();  // the pool it waits in lost its server
  // Of a read that waits for a replica to catch up.
  [[nodiscard]] bool may_stop_waiting(clock::time_point now) const;
  [[nodiscard]] clock::time_point waits_until() const { return fresh_until_; }
  void on_replica_ready();

  // From the leased backend.
  void on_backend_events(backend& b, std::uint32_t events);

  // What its login waits for: who auth_query says it is, or a connection of its own.
  void on_user_found(const user_answer& answer);
  // Its connection was ended, by an administrator alone or with the server.
  void await_verdict();
  void on_verdict(bool was_alone);
  // What it has sent of a unit has waited for the rest for a while.
  void on_stalled();
  void on_own_connection(const server_ref& host, connect_result result);

  // From its tunnel.
  [[nodiscard]] bool takes_tunnel_bytes() const;
  void on_tunnel_bytes(std::string_view bytes);
  void on_tunnel_writable();
  void on_tunnel_closed();

  // From the worker.
  [[nodiscard]] backend* on_cancel();  // the backend to be told, if the client's query runs on one
  [[nodiscard]] const tunnel* tunnelled() const { return tunnel_.get(); }
  void on_cancel_finished();
  void on_server_down(const server& s);
  void on_drain();
  void on_drain_timeout();
  void sweep(clock::time_point now);
  // Time limits of a client that has a backend: about twenty times a second.
  void check_time(clock::time_point now);

  [[nodiscard]] const std::string& secret() const { return secret_; }
  [[nodiscard]] const protocol::settings_ref& settings() const { return settings_; }
  [[nodiscard]] std::uint64_t last_backend() const { return last_backend_; }
  [[nodiscard]] std::uint64_t home() const { return home_; }
  [[nodiscard]] std::int32_t key() const { return key_; }
  [[nodiscard]] std::string_view pin() const { return pin_; }
  [[nodiscard]] phase current_phase() const { return phase_; }
  [[nodiscard]] waiter& wait() { return wait_; }
  [[nodiscard]] bool holds_backend() const { return backend_ != nullptr || held_ != nullptr; }
  // Of the unit that waits for a backend.
  [[nodiscard]] bool ends_backends() const { return ends_backends_; }
  [[nodiscard]] clock::time_point waiting_since() const { return wait_.begun; }
  [[nodiscard]] std::size_t waiting_bytes() const { return in_ == nullptr ? 0 : in_->size(); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> statement_timeout() const;  // the client's own
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  [[nodiscard]] std::chrono::milliseconds max_lag() const { return max_lag_; }

  // Whether what it is about to run could see that other clients have named custom settings there.
  [[nodiscard]] bool minds(const backend& b) const;
  // Whether both have custom settings, or neither: sessions that set them keep to their connections.
  [[nodiscard]] bool is_like(const backend& b) const {
    return (b.custom == nullptr) == (custom_settings_ == nullptr);
  }

  // What new sessions begin with has changed: of what this one has begun with, what they do not.
  [[nodiscard]] bool is_of(const client_group& g) const { return group_ == &g && phase_ == phase::ready; }
  void see_altered();
  void keep_defaults(const protocol::settings_map& older);

  // For lists of clients.
  [[nodiscard]] client_entry describe(clock::time_point now) const;
  [[nodiscard]] std::string_view state_text() const;
  [[nodiscard]] std::string_view application_name() const;
  [[nodiscard]] bool is_at_rest() const;  // logged in, idle, outside a transaction

 private:
  using unit_view = unit_on_its_way;

  // session.cpp
  void resume();
  void resume_soon();
  void read_input();
  void consume(std::string_view bytes);
  void drop_input(std::size_t size);
  [[nodiscard]] std::size_t process(std::string_view bytes);
  [[nodiscard]] bool wants_input() const;
  void send(std::string_view bytes);
  void send(std::span<const iovec> parts, std::size_t total);
  [[nodiscard]] bool flush_output();
  [[nodiscard]] bool is_backed_up() const { return out_sent_ < out_.size(); }
  void on_writable();
  void client_gone();
  void close_after(const protocol::error_report& fatal);
  void close_client();
  void end();

  // session_login.cpp
  [[nodiscard]] std::size_t on_startup_bytes(std::string_view bytes);
  void on_startup_packet(protocol::startup_packet packet);
  [[nodiscard]] std::size_t on_login_bytes(std::string_view bytes);
  void on_login_output(const protocol::client_login::output& output);
  [[nodiscard]] bool begins_with_tls() const;
  void start_direct_tls();
  void start_tls();
  void continue_handshake();
  void open_session();
  void open_with_profile();
  void learn_profile(backend& b);
  void finish_login(const startup_profile& profile);
  void refuse_login(protocol::error_report why);
  void make_key(std::string& bytes);
  [[nodiscard]] bool keeps_from_login() const;
  [[nodiscard]] std::int32_t move_in();
  void move_out();

  // session_access.cpp
  void start_login();
  [[nodiscard]] bool passes_rules();
  [[nodiscard]] bool passes_certificate(const config::hba_rule& rule);
  void refuse_access(std::string message, const std::string& cause);
  void begin_conversation();
  void ask_server_for_user();
  void on_password_asked(const connect_failure* failure);
  void adopt_login();
  void log_refused(std::string_view code, std::string_view cause) const;
  [[nodiscard]] std::string_view why_refused() const;

  // session_tunnel.cpp
  [[nodiscard]] bool asks_for_replication() const;
  void open_tunnel();
  void drop_tunnel();
  [[nodiscard]] bool wants_tunnel_input() const;
  [[nodiscard]] std::size_t take_tunnel(std::string_view bytes);

  // session_time.cpp
  [[nodiscard]] client_activity activity(clock::time_point now) const;
  void cancel_overdue(clock::time_point now);
  void end_overdue(time_limit limit);
  void put_timeout_error();

  // session_console.cpp
  [[nodiscard]] bool asks_for_console() const;
  void open_console();
  [[nodiscard]] std::size_t take_console_unit(std::string_view bytes, const protocol::unit_span& u);

  // session_unit.cpp
  [[nodiscard]] std::size_t take_unit(std::string_view bytes);
  [[nodiscard]] std::size_t on_incomplete(std::string_view bytes, const protocol::unit_span& u);
  [[nodiscard]] std::size_t start_unit(const unit_view& u);
  [[nodiscard]] const routing::classification& judge(const unit_view& u);
  [[nodiscard]] bool answer_here(const unit_view& u, const routing::classification& c);
  [[nodiscard]] bool dispatch(const unit_view& u, const routing::classification& c, backend& b);
  void put_plain(const unit_view& u, const routing::classification& c, backend& b);
  void expect_plain(const unit_view& u, backend& b);
  void hide_own_statements();
  void note_transaction(const routing::classification& c, bool on_replica);
  [[nodiscard]] bool may_go_on_unfit(const unit_view& u, const routing::classification& c);
  [[nodiscard]] bool may_take_names_back(const routing::classification& c) const;
  [[nodiscard]] bool refuse_behind_flush(const unit_view& u, const routing::classification& c);
  void leave_lost_block();
  [[nodiscard]] bool is_in_split_block() const {
    return view_.open == routing::block::on_replica && view_.block_is_split;
  }
  [[nodiscard]] std::size_t take_flow(std::string_view bytes);
  void end_copy();
  [[nodiscard]] std::size_t put_flow_frame(std::string_view bytes);
  [[nodiscard]] std::size_t pass_through(std::string_view bytes);
  [[nodiscard]] routing::parse_context parse_context() const;
  [[nodiscard]] routing::chosen_facts facts() const;
  [[nodiscard]] std::string_view role_in_force(std::string_view role) const;
  [[nodiscard]] std::optional<std::string_view> own_search_path() const;
  [[nodiscard]] bool awaits_catalog(const routing::classification& c) const;
  void broken_message(std::string_view bytes);
  void protocol_violation(std::string message);
  void count_route(const routing::classification& c, const backend& b);
  [[nodiscard]] route_reason why_held() const;

  // session_relay.cpp
  [[nodiscard]] bool relay_chunk(std::string_view chunk);
  [[nodiscard]] std::size_t walk(std::string_view bytes, bool& unit_done);
  [[nodiscard]] frame_fate on_frame(char type, std::string_view frame, bool& unit_done);
  [[nodiscard]] frame_fate on_async(char type, std::string_view frame);
  [[nodiscard]] frame_fate on_error(std::string_view frame);
  [[nodiscard]] frame_fate on_ready(std::string_view frame, const protocol::reply& r, bool& unit_done);
  void claim_notification(std::string_view frame) const;
  void note_tag(std::string_view frame);
  void take_own_query();
  void collect_own_row(std::string_view frame);
  void put_synthetics();
  void put_synthetics_now();
  void add_run(std::string_view bytes);
  void emit(bool unit_done);
  void commit_answer();
  void on_mismatch(char type);

  // session_lease.cpp
  [[nodiscard]] backend* acquire(bool replica);
  [[nodiscard]] bool lacks_replica() const;
  [[nodiscard]] backend* acquire_primary();
  [[nodiscard]] server_ref fit_replica();
  [[nodiscard]] bool may_read_elsewhere(const unit_view& u, const routing::classification& c) const;
  [[nodiscard]] backend* acquire_beside();
  void return_to_held();
  void finish_unit();
  void note_answer();
  void after_unit();
  void release();
  void retry_elsewhere(bool backend_is_lost);
  void on_backend_lost();
  void lose_backend();
  void fail_unit(const protocol::error_report& why);
  void die_with_backend();
  void on_held_lost();
  void leave_backend_behind();
  void end_count(const backend& b);
  void drop_backend();  // closes it
  [[nodiscard]] bool move_block();
  [[nodiscard]] protocol::error_report lost_error() const;

  // session_sequence.cpp
  void note_sequence_use(const routing::classification& c, backend& b);
  [[nodiscard]] bool asks_sequence(const unit_view& u, const routing::classification& c) const;
  void note_sequence_user();
  void note_sequence_words(std::string_view ddl);
  [[nodiscard]] bool acquire_sequence_backend();
  [[nodiscard]] std::size_t refuse_sequence(const unit_view& u);

  // session_wishes.cpp
  [[nodiscard]] std::optional<protocol::error_report> refuse_own_setting(std::string_view name,
                                                                         std::string_view value) const;
  [[nodiscard]] bool refuse_own_setting(const unit_view& u, const routing::classification& c);
  void introduce_own_setting(const routing::classification& c, backend& b);
  void refuse_in_block(const routing::classification& c, backend& b);
  void refuse_own_value(const routing::classification& c, const backend& b);
  [[nodiscard]] std::string own_value(std::string_view name) const;
  void refresh_wishes();
  void adopt_wishes(const wishes_in_force& wishes);
  [[nodiscard]] wishes_in_force find_wishes(const protocol::settings_state& own) const;
  void refuse_unit(const unit_view& u, const protocol::error_report& why);

  // session_fresh.cpp, session_snapshot.cpp
  void arrive();
  [[nodiscard]] routing::freshness demand();
  [[nodiscard]] bool await_replica();
  void settle_timeline(routing::freshness& f) const;
  void use_shared_sample();
  void note_freshness(const backend& b);
  [[nodiscard]] bool wants_sample(const unit_view& u, const routing::classification& c) const;
  void ask_sample(backend& b);
  void take_sample();
  [[nodiscard]] bool needs_home(const routing::classification& c, routing::target where) const;
  void refuse_move(std::string_view reason);

  // session_token.cpp
  [[nodiscard]] routing::session_effects see_token(const unit_view& u, const routing::classification& c,
                                                   backend& b);
  void bring_token(const routing::classification& c, backend& b);
  void forget_token(const routing::classification& c, backend& b);
  void adopt_token(std::string_view text);
  [[nodiscard]] std::optional<std::string> why_no_token(std::string_view text) const;

  // session_explain.cpp
  [[nodiscard]] bool explain_route(const unit_view& u, const routing::classification& c);
  [[nodiscard]] bool is_learned(const routing::classification& c);
  void learn(std::string_view sqlstate);
  void note_statement(const routing::classification& c, const backend& b);
  void count_statement(std::uint64_t us);

  // session_ghost.cpp
  void lose_block(std::optional<protocol::error_report> why);
  void answer_without_server(const unit_view& u, const routing::classification& c);
  void end_ghost(const unit_view& u);
  void refuse_in_ghost(const unit_view& u, const protocol::error_report& why);

  // session_locals.cpp
  [[nodiscard]] const routing::classification& with_values(const unit_view& u,
                                                           const routing::classification& c);
  [[nodiscard]] bool collect_values(const unit_view& u, const routing::classification& c);
  [[nodiscard]] bool keep_local_settings(const routing::classification& c);
  [[nodiscard]] routing::chosen_facts facts_in_block(const local_settings& kept) const;

  // session_prepared.cpp, session_judged.cpp
  void wait_for_backend(const unit_view& u, const routing::classification& c);
  [[nodiscard]] const routing::classification* take_judged(const unit_view& u);
  [[nodiscard]] bool is_granted() const;
  void run_granted();
  [[nodiscard]] std::uint64_t facts_number() const;
  void forget_judged();
  [[nodiscard]] const routing::classification& judge_text(std::string_view sql);
  [[nodiscard]] const routing::classification& by_settings(const routing::classification& c);
  [[nodiscard]] extended_unit::judge_context judge_context();
  [[nodiscard]] extended_unit::write_context write_context(backend& b);
  [[nodiscard]] bool prove_statements(const unit_view& u, backend& b);
  [[nodiscard]] bool is_proving() const { return backend_ != nullptr && backend_->wire.proving != nullptr; }
  void prepare_sql_statements(const unit_view& u, const routing::classification& c, backend& b);
  void prepare_all(backend& b);
  void prepare_for_block(backend& b);
  void prepare_one(std::string_view name, backend& b);
  [[nodiscard]] sql_statement_ref make_on(const sql_statement_ref& own, backend& b);
  void bring_settings(const protocol::settings_ref& wanted, backend& b);
  [[nodiscard]] bool forget_sql_statement(std::string_view name);
  void forget_all_statements(backend& b);
  void note_fresh(const routing::classification& c, const unit_view& u);
  void note_fresh_answered(bool is_made);
  void learn_sql_statements(backend& b);
  [[nodiscard]] sql_statement_ref take_sql_statement(std::string_view name, std::string_view text,
                                                     bool is_certain);
  [[nodiscard]] sql_statement_ref make_carried(std::string_view name, std::string_view text);
  void on_sql_prepared(bool failed);
  [[nodiscard]] const std::string* reason_unprepared(std::string_view sqlstate,
                                                     std::string_view message) const;

  // session_state.cpp
  [[nodiscard]] bool is_never_asked() const;
  [[nodiscard]] bool needs_state_probe() const;
  void ask_state();
  void on_own_query_done(own_query purpose);
  void apply_state();
  void set_pin(std::string reason);
  void keep_backend();
  void refresh_view();
  [[nodiscard]] bool prepare_settings(backend& b);
  void restore_startup(const routing::classification& c, backend& b);
  void report_restored(backend& b);
  void note_custom_settings(std::string_view bytes, backend& b);
  void see_custom_settings(const routing::classification& c);
  void learn_set_by_functions(const protocol::settings_map& in_force, backend& b);
  void send_own();
  void begin_block_here(backend& b);
  void on_settings_done(bool failed);
  void on_state_known(bool failed, bool is_whole);
  void on_block_left();
  void on_left_clean(own_query purpose, bool failed);

  // session_defaults.cpp
  void note_definition(const unit_view& u, const routing::classification& c);
  void finish_altering();
  [[nodiscard]] bool ask_defaults(backend& b);
  void take_defaults(bool failed);

  worker& worker_;
  const std::uint64_t serial_;  // never reused
  descriptor fd_;
  stream io_;
  client_group* group_ = nullptr;
  backend* backend_ = nullptr;
  backend* held_ = nullptr;  // the one it is pinned to, while a read runs on a replica
  std::unique_ptr<routing::temporary_names> temporary_;  // names of temporary objects; null: none
  std::unique_ptr<custom_names> custom_settings_;        // that it may have set; null: none
  std::unique_ptr<login_state> login_;
  std::unique_ptr<tunnel> tunnel_;       // of a replication connection
  std::unique_ptr<console> console_;     // a client of the proxy itself
  protocol::settings_ref settings_;      // what the client has in force
  mutable routing::chosen_facts facts_;  // by these settings, and by the catalog of this epoch
  mutable protocol::settings_ref facts_settings_;
  mutable std::uint64_t facts_epoch_ = 0;
  std::uint64_t catalog_needed_ = 0;  // the reload that has what this session changed
  protocol::settings_ref startup_;    // what RESET returns to
  client_statements names_;
  std::unique_ptr<sql_statements> sql_;                  // what it made by PREPARE; null: nothing
  std::unique_ptr<std::vector<fresh_statement>> fresh_;  // the same, of the lease
  std::unique_ptr<std::string> in_;                      // unprocessed bytes; null: none
  std::string out_, pin_,
      secret_;  // out_: unsent bytes, without memory when idle; pin_: why the backend is kept
  std::size_t out_sent_ = 0, scanned_ = 0;     // scanned_: of in_, complete frames without the end of a unit
  std::size_t pass_left_ = 0;                  // of a large message being passed through to the backend
  std::uint64_t last_backend_ = 0, home_ = 0;  // home_: whose process id the client was told
  std::uint64_t sequence_backend_ = 0;         // where this session last may have drawn from a sequence
  std::uint64_t covered_writes_ = 0;           // of worker::writes, with `consistency: global`
  std::uint64_t last_sight_ = 0, asked_after_ = 0;  // of worker::sights
  routing::freshness freshness_;
  routing::freshness token_;                         // of tokens alone, for `eventual`
  std::string token_text_;                           // the one adopted last
  std::unique_ptr<protocol::error_report> refusal_;  // of the unit in flight, whose block must fail
  clock::time_point fresh_until_;                    // its read waits for a replica; zero: it does not
  std::unique_ptr<alteration> altering_;             // of what new sessions begin with
  std::unique_ptr<local_settings> block_settings_;   // of a block on a replica
  std::unique_ptr<protocol::error_report> loss_;     // of an open block, not yet told to the client
  waiter wait_;
  clock::time_point since_;  // of the phase: login, idle, the unit in flight
  routing::session_view view_;
  routing::statement_mark mark_;       // of the unit in flight
  held_by held_by_ = held_by::itself;  // why it is on the primary; count_: it is not
  std::uint64_t rules_number_ = 0;     // of the rules by which its wishes were found
  config::consistency level_ = config::consistency::session;
  std::chrono::milliseconds max_lag_{0}, consistency_wait_{0};
  routing::read_forecast forecast_;
  routing::session_effects effects_;  // of the lease
  std::int32_t key_ = 0;
  std::optional<own_query> own_done_;  // a query of our own was answered in the chunk just read
  phase phase_ = phase::startup;
  flow flow_ = flow::collecting;
  bool is_unix_ : 1 = false, has_written_ : 1 = false;
  bool readable_ : 1 = false;       // the socket may have bytes
  bool hung_up_ : 1 = false;        // the client has closed its side
  bool gone_ : 1 = false;           // the client is gone; its unit finishes without it
  bool left_ : 1 = false;           // ... and that has been seen to
  bool retryable_ : 1 = false;      // the unit in flight may run again elsewhere
  bool retrying_ : 1 = false;       // its answer is thrown away; it runs again after ReadyForQuery
  bool force_primary_ : 1 = false;  // the next unit is such a rerun
  bool is_commit_ : 1 = false,
                    is_read_ : 1 = false;  // the unit in flight ends a transaction; is a proven read
  bool block_movable_ : 1 = true,
                        block_has_read_ : 1 = false;  // the block on a replica has only read; has read
  bool block_only_reads_ : 1 = false;  // a block on the primary that a replica could have had, so far
  bool begin_on_primary_ : 1 = false;  // it has left the replica and must begin anew
  bool block_ended_ : 1 = false, drain_ : 1 = false;
  bool skip_to_sync_ : 1 = false;                       // a failed batch: drop messages up to Sync
  bool cancelled_ : 1 = false, timed_out_ : 1 = false;  // the unit in flight, by its client; by query_timeout
  std::uint8_t tries_ : 2 = 0;                          // reruns of the unit
  bool lends_reads_ : 1 = false;                        // what pins the session leaves its other reads alone
  bool is_on_loan_ : 1 = false;        // the leased backend is a replica's, for one read of a pinned session
  bool has_held_stirred_ : 1 = false;  // something came on it meanwhile
  bool fatal_passed_ : 1 = false;      // the server's last words went to the client
  bool loaded_library_ : 1 = false, seeded_random_ : 1 = false;  // cannot be undone
  bool called_c_ : 1 = false;                                    // cannot be undone, nor be seen
  bool named_settings_ : 1 = false;                              // nobody knows how to ask for them
  bool keeps_sequence_ : 1 = false;     // it asks for currval() and has drawn: its backend stays
  bool is_ghost_ : 1 = false;           // the open block's server is gone: it can only be ended
  bool is_sampled_now_ : 1 = false;     // the unit in flight has brought its WAL position
  bool restores_ : 1 = false;           // the unit in flight resets settings to the client's startup values
  bool is_unit_lost_ : 1 = false;       // loss_ is what the unit in flight came to
  bool shows_own_ : 1 = false;          // the server knows the client's statements by the client's names
  bool is_stalled_ : 1 = false;         // a part of a unit waits no longer for the rest of it
  bool seeks_home_ : 1 = false;         // its login waits for a connection of its own
  bool may_see_custom_ : 1 = false;     // the unit that wants a backend may ask for settings by name
  bool wants_unused_ : 1 = false;       // ... says or hears what a library does when it is loaded
  bool ends_backends_ : 1 = false;      // ... ends server processes: it keeps to the one it was told
  bool has_begun_ : 1 = false;          // it knows what sessions that left before its first unit had seen
  bool is_counted_ : 1 = false;         // among its server's outstanding units
  bool touches_data_ : 1 = true;        // it may have seen or changed rows
  bool is_diverted_ : 1 = false;        // to the primary, by what was learned of the statement
  bool wants_replica_ : 1 = false;      // so it was decided, whatever could serve it
  bool prepared_settings_ : 1 = false;  // the leased backend has this session's settings
  bool ends_with_large_query_ : 1 = false;  // the message passing through is a Query or FunctionCall
  bool view_standard_strings_ : 1 = true, view_ascii_safe_ : 1 = true;
};

}  // namespace pgsteer::proxy
