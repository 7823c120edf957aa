// One data-path thread: its event loop, its clients, groups and pools, and the scratch buffers they
// share. Everything in it belongs to that thread; others talk to it by posting to its reactor.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <openssl/ssl.h>

#include "config/settings.hpp"
#include "protocol/client_login.hpp"
#include "protocol/gather.hpp"
#include "proxy/backend/balancer.hpp"
#include "proxy/backend/cancel.hpp"
#include "proxy/backend/connector.hpp"
#include "proxy/client/group.hpp"
#include "proxy/client/identity.hpp"
#include "proxy/client/listener.hpp"
#include "proxy/client/proven_passwords.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/user_lookup.hpp"
#include "proxy/control/catalog_watch.hpp"
#include "proxy/control/server.hpp"
#include "proxy/io/reactor.hpp"
#include "proxy/lists.hpp"
#include "proxy/metrics.hpp"
#include "proxy/random_pool.hpp"
#include "routing/classifier.hpp"
#include "routing/consistency.hpp"
#include "routing/local_settings.hpp"
#include "routing/sql_parser.hpp"

namespace pgsteer::proxy {

// What a reload replaces as one.
struct runtime_config {
  std::shared_ptr<const config::settings> settings;
  std::shared_ptr<const identities> users;
  std::shared_ptr<const routing::routing_rules> rules;
  topology_ref servers;
  std::shared_ptr<SSL_CTX> tls;  // null: no TLS to clients
  std::string tls_end_point;     // hash of our certificate, for channel binding
};

class worker {
 public:
  worker(runtime_config config, connector& c, std::shared_ptr<worker_board> board, std::string mock_seed);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void run();
  // Any thread.
  void stop() { loop.stop(); }
  void reconfigure(runtime_config config);
  void server_changed(int server_id);
  // The database's catalog as read at or after this request of reload().
  void catalog_read(const std::string& database, catalog_ref read, std::uint64_t request);
  // Before run(): facts come from here, while it lives; null: there are none.
  void use_catalogs(catalog_watch* catalogs) { catalogs_ = catalogs; }
  // Before run(): users that are not listed come from here, while it lives; null: there are none.
  void use_lookup(user_lookup* lookup) { lookup_ = lookup; }
  // No new clients; idle ones end with 57P01, the others when their transaction is over or, at the
  // latest, after `timeout`. Then run() returns.
  void drain(std::chrono::milliseconds timeout);
  // The list goes to `answer` on the worker's thread, at its next turn.
  void ask_clients(std::size_t limit, std::function<void(client_list)> answer);
  // Before run(): accepts from this listening socket, which stays the caller's.
  void listen(int fd, bool is_unix);

  // The worker's thread, for sessions and pools.
  [[nodiscard]] const config::settings& settings() const { return *config_.settings; }
  [[nodiscard]] const runtime_config& config() const { return config_; }
  [[nodiscard]] client_group& group_for(const std::string& user, const std::string& database);
  // Why one more client of this group is not let in; none: it is.
  [[nodiscard]] std::optional<protocol::error_report> refuse_for_limits(const client_group& g) const;
  // What pools share, as `max_connections` of databases and users says; see worker_limits.cpp.
  [[nodiscard]] bool may_open(pool& p) const;
  // A client has just ended server processes, maybe those of other sessions: nothing of theirs may be
  // answered elsewhere before that is seen.
  [[nodiscard]] bool may_have_ended() const;
  [[nodiscard]] bool owes_connection(const pool& p, clock::time_point since) const;
  [[nodiscard]] scarcity what_is_full(const pool& p) const;
  void make_room(const pool& p) const;
  void want_catalog(const std::string& database);
  void adopt_catalog(const std::string& database, const catalog_ref& read, std::uint64_t request);
  [[nodiscard]] pool& pool_for(client_group& g, const server_ref& s);
  // Where to read: see balancer::choose().
  [[nodiscard]] server_ref choose_replica(const routing::freshness& wanted,
                                          std::chrono::milliseconds max_lag = std::chrono::milliseconds{0});
  // This session's read waits for a replica to catch up, until then at the latest.
  void await_replica(session& s, clock::time_point until);
  // Any thread: a replica has replayed more.
  void replica_moved();
  void note_lost_write(std::uint32_t timeline);
  [[nodiscard]] bool do_all_replicas_lag(std::chrono::milliseconds max_lag);
  // A session minds a lag of so much from now on: the monitors look as often as that takes.
  void mind_lag(std::chrono::milliseconds limit);
  // In this sweep, one more unit waits for a primary; false: beyond the bounds.
  [[nodiscard]] bool may_wait_for_primary(std::size_t bytes);
  void forward_cancel(backend& b);
  void forward_cancel(const cancel_target& at);
  // A connection was ended by an administrator, or with its server, which says the same: which of the two it
  // was is known a little later. Then the session of this serial is told.
  void await_verdict(std::uint64_t serial, const server_ref& host, clock::time_point opened);
  // Whether a replica takes reads now.
  [[nodiscard]] bool has_replica() const;
  // A read that must not run on the primary waits until one does, for acquire_timeout at most.
  void await_replica(session& s);
  [[nodiscard]] std::int32_t key_behind(std::int32_t pid, const std::string& database) const;
  // Its client has sent whole messages of a unit, and not yet the end of it.
  void watch_partial(const session& s) { partial_.push_back({s.serial(), loop.now()}); }
  void connect(pool& p);
  [[nodiscard]] std::string replica_options(const pool& p) const;
  // All servers are of the same version and build, as far as they have said so.
  [[nodiscard]] bool has_one_build() const;
  // Opens a connection for this session alone, which is told when it stands or has failed.
  void open_own_connection(session& s, connect_request request);
  // Null: the configuration lists all users there are.
  [[nodiscard]] user_lookup* users() const { return lookup_; }
  void look_up_user(session& s, const std::string& name);
  // The database's objects have changed: statements parsed from now on are analysed anew.
  void forget_statements(const std::string& database);
  void close_idle_elsewhere(const std::string& database);
  // What sessions begin with, where this text may have changed it; what a new one has begun with.
  void alter_defaults(std::string_view sql, const client_group& by);
  void adopt_defaults(client_group& g, protocol::settings_map now);
  [[nodiscard]] worker_metrics& metrics() { return board_->metrics; }
  [[nodiscard]] statement_table& board_statements() { return board_->statements; }
  [[nodiscard]] bool is_draining() const { return draining_; }
  // Under this process id or, where it is 0, under a number of the proxy's own.
  [[nodiscard]] std::int32_t register_key(session& s, std::int32_t pid);
  void cancel(std::int32_t pid, std::string_view secret);
  void remove(session& s);
  [[nodiscard]] client_list list_clients(std::size_t limit) const;
  [[nodiscard]] std::vector<backend_entry> list_backends() const;
  [[nodiscard]] std::vector<pool_gauge> pool_gauges() const;
  [[nodiscard]] const console_sources& console_view() const { return console_; }
  [[nodiscard]] const std::string& mock_seed() const { return mock_seed_; }
  [[nodiscard]] std::uint64_t next_backend_id() { return ++backend_ids_; }
  [[nodiscard]] std::uint64_t next_session_serial() { return ++session_serials_; }

  // Scratch for another batch, while the last one waits.
  [[nodiscard]] std::unique_ptr<extended_unit> take_unit();
  void give_unit(std::unique_ptr<extended_unit> unit);
  // What a session has read and cannot use yet, in memory that others have used.
  [[nodiscard]] std::unique_ptr<std::string> keep_input(std::string_view bytes);
  void free_input(std::unique_ptr<std::string> in);

  reactor loop;
  random_pool random;
  routing::classifier classifier;
  routing::sql_parser parser;
  statement_registry statements;
  protocol::settings_pool settings_values;
  sql_statement_pool sql_statements;
  std::unique_ptr<extended_unit> unit = std::make_unique<extended_unit>();
  routing::classification_ref waited;        // of the unit at hand, judged before it waited
  routing::classification executing;         // of the unit at hand, an EXECUTE or one that asks for settings
  std::vector<routing::named_value> locals;  // that the unit at hand sets in its block on a replica
  protocol::gather to_backend;
  std::vector<iovec> to_client;
  std::deque<std::string> renamed;           // errors in which a statement got its client's name
  std::string made;                          // small messages of the proxy's own in the relay
  std::array<char, 65536 + 16384> buffer{};  // one read, and in front of it what the last one left over
  proven_passwords proven;
  routing::quiet_primary quiet;
  routing::departures departed;
  routing::shared_sample sample;
  std::uint64_t sights = 0;          // sessions that have seen something new of the primary, so far
  clock::time_point backends_ended;  // by a statement of a client, the last time; zero: never
  std::uint64_t rules_number = 0;    // of the rules in force, as routing::parse_context::facts_number
  std::uint64_t writes = 0;          // units on the primary that may have written, answered so far

 private:
  static constexpr std::size_t most_spare = 64;
  std::vector<std::unique_ptr<extended_unit>> spare_units_;
  std::vector<std::unique_ptr<std::string>> spare_inputs_;

  using is_alike = bool (*)(const client_group&, const client_group&);
  [[nodiscard]] int count_sessions(const client_group& g, is_alike alike) const;
  template <typename Action>
  void for_sharers(const pool& p, is_alike alike, Action action) const;
  [[nodiscard]] bool is_user_full(const pool& p) const;
  [[nodiscard]] shared_limit user_limit(const pool& p, clock::time_point since) const;
  [[nodiscard]] shared_limit database_limit(const pool& p, clock::time_point since) const;
  void close_spare(const pool& p, is_alike alike, std::size_t count) const;
  void adopt_settings(client_group& g) const;
  void adopt_rules();
  void adopt_lag_limits();
  void adopt_timeline();
  void wake_readers();
  void tell_minded_lag();
  void sweep();
  void keep_warm();
  void sweep_sessions(clock::time_point now);
  void check_times(clock::time_point now);
  void tell_verdicts(clock::time_point now);
  void serve_readers(clock::time_point now);
  [[nodiscard]] static protocol::error_report no_replica_error(std::chrono::milliseconds waited);
  void send_partial_units(clock::time_point now);
  void publish();
  void warn_of_pins();
  [[nodiscard]] console_sources make_console_sources();
  [[nodiscard]] std::vector<session*> all_sessions() const;
  [[nodiscard]] session* find_session(std::uint64_t serial) const;
  void on_cancel_done(cancel_request& c);
  void on_pool_down(pool& p);

  runtime_config config_;
  connector& connector_;
  std::shared_ptr<worker_board> board_;
  std::string mock_seed_;
  console_sources console_;
  std::unordered_map<session*, std::unique_ptr<session>> sessions_;
  std::unordered_multimap<std::int32_t, session*> keys_;  // two servers may use one process id
  std::vector<std::unique_ptr<client_group>> groups_;
  struct bereavement {
    std::uint64_t serial;
    server_ref host;
    clock::time_point opened;
    clock::time_point at;
  };
  std::vector<bereavement> bereaved_;
  wait_queue readers_;  // reads without any replica
  struct partial_unit {
    std::uint64_t serial;
    clock::time_point since;
  };
  std::vector<partial_unit> partial_;
  std::vector<session*> leased_;  // scratch of check_times()
  std::vector<std::unique_ptr<cancel_request>> cancels_;
  std::vector<std::unique_ptr<listener>> listeners_;
  std::uint64_t backend_ids_ = 0;
  std::uint64_t session_serials_ = 0;
  catalog_watch* catalogs_ = nullptr;
  user_lookup* lookup_ = nullptr;
  std::uint64_t fact_numbers_ = 0;  // before the groups that count by it are used
  std::uint32_t group_ids_ = 0;
  std::uint32_t statement_keys_ = 0;
  balancer balancer_;
  wait_queue catching_up_;                       // reads whose replica is behind
  std::uint32_t lost_told_ = 0;                  // the timeline whose beginning was told to have lost writes
  std::chrono::milliseconds configured_lag_{0};  // the least that the configuration names; 0: none
  std::chrono::milliseconds minded_lag_{0};      // or a session
  int waiting_units_ = 0;                        // for a primary, counted by each sweep
  std::int64_t waiting_bytes_ = 0;
  bool draining_ = false;
  clock::time_point drain_until_;
  clock::time_point published_;
};

}  // namespace pgsteer::proxy
