// The backends of one server for one user and database, and the sessions that wait for one.
// Owned by the worker. First come, first served; never more connections than `limit`, nor than it may have
// beside other pools (pool_shares.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "protocol/unit.hpp"
#include "proxy/backend/backend.hpp"
#include "proxy/backend/shared_limit.hpp"
#include "proxy/io/descriptor.hpp"

namespace pgsteer::proxy {

class worker;
struct client_group;

// What a session brings to the queue of a pool.
// A unit that waits, so that it is not judged again.
struct judged_unit {
  routing::classification_ref what;      // null where that is the batch's own
  std::unique_ptr<extended_unit> batch;  // null: a simple query, or nothing
  std::uint64_t facts_number = 0;        // by which it was judged
  std::uint32_t group = 0;
  std::uint32_t size = 0;  // 0: there is none
  protocol::unit_end end = protocol::unit_end::query;
  bool is_granted = false;  // what it waited for has come
};

struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  session* who = nullptr;
  const pool* where = nullptr;  // while it is linked; null: it waits for any replica
  const void* only = nullptr;   // the one backend it can use, if it is bound to one
  clock::time_point since;      // in this queue
  clock::time_point begun;      // its unit's first wait; zero: it has not waited yet
  judged_unit judged;
};
using wait_queue = boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>>;

// One that is closed and counts on, since the server is slower: until then, or until the socket, if there is
// one, is closed by the server too.
struct closing_connection {
  clock::time_point until;
  descriptor socket;
};

class pool {
 public:
  pool(worker& w, server_ref s, client_group& g);
  ~pool();
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  // An idle backend for this session now, or null: then the session waits in the queue.
  [[nodiscard]] backend* lease(session& s);
  [[nodiscard]] backend* find(std::uint64_t backend_id) const;
  // This backend and no other: true if it is free now; else the session waits for it in the queue.
  [[nodiscard]] bool lease_exact(session& s, backend& b);
  // An idle one that no session has for its home, or null.
  [[nodiscard]] backend* vacant() const;
  // A connection that is opened for this session's login, which waits for it; false: no more may be opened.
  [[nodiscard]] bool open_home_for(session& s);
  // A clean backend comes back; goes to the first waiter or among the idle ones.
  void give_back(backend& b);
  // An idle one that was asked whether it lives has answered.
  void on_alive(backend& b);
  // Opens connections until there are so many, as far as the limit allows.
  void keep_warm(std::size_t least);
  // Closes it and counts it out; it may be in any state.
  void discard(backend& b);
  // Opens as many connections as waiters need and the limit allows.
  void open_for_waiters();
  // Of one that was asked for when the group's `defaults_number` and login were these.
  void on_connected(connect_result result, std::uint32_t defaults_number, const backend_login_ref& login);
  // The server is gone: idle connections are closed, waiting reads are sent elsewhere.
  void on_server_down();
  void on_server_up();
  void close_idle();
  // Closes idle connections that lead elsewhere than the control connection does now, and has waiting reads
  // judged anew; true: it does so since the last call, and what was known of the server counts no more.
  bool drop_strays();
  void retire();  // the server left the configuration, or gets no traffic
  void revive() { retired_ = false; }
  void sweep(clock::time_point now);

  [[nodiscard]] bool is_exhausted() const;
  [[nodiscard]] pool_stake stake();
  // An idle one that may be closed for another pool, or null.
  [[nodiscard]] backend* spare() const;
  [[nodiscard]] std::size_t in_use() const { return all_.size() + static_cast<std::size_t>(connecting_); }
  [[nodiscard]] std::size_t closing();
  [[nodiscard]] const server_ref& host() const { return server_; }
  // As whom its backends are logged in.
  [[nodiscard]] const std::string& user() const;
  [[nodiscard]] client_group& group() const { return group_; }
  [[nodiscard]] worker& owner() const { return worker_; }
  [[nodiscard]] bool is_replica() const { return server_->role() == server_role::replica; }
  [[nodiscard]] bool is_retired() const { return retired_; }
  [[nodiscard]] std::size_t busy() const { return all_.size() - idle_.size(); }
  [[nodiscard]] std::size_t idle_count() const { return idle_.size(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] std::size_t limit() const;
  // Whether pinned sessions hold too much of it; true: that has changed.
  [[nodiscard]] bool note_pinned_full(bool is_full) {
    return std::exchange(is_pinned_full_, is_full) != is_full;
  }
  [[nodiscard]] int connecting() const { return connecting_; }
  [[nodiscard]] bool has_waiters() const { return !waiting_.empty(); }
  [[nodiscard]] std::size_t waiting_count() const { return waiting_.size(); }
  [[nodiscard]] clock::time_point oldest_wait() const { return waiting_.front().since; }
  [[nodiscard]] const connect_failure& last_failure() const { return last_failure_; }
  [[nodiscard]] const std::vector<std::unique_ptr<backend>>& backends() const { return all_; }

 private:
  void hand_out(backend& b, session& s);
  void enqueue(session& s, const void* only);
  [[nodiscard]] bool grant(backend& b, bool is_new = false);
  void receive(backend& b, bool is_new);
  [[nodiscard]] bool can_connect() const;
  [[nodiscard]] bool can_open();
  [[nodiscard]] bool do_more_wait_than(int count) const;
  [[nodiscard]] bool may_give_up(const backend& b) const;
  [[nodiscard]] bool is_owed(const backend& b);
  void count_closing(const backend& b);
  [[nodiscard]] bool may_replace();
  void await_new(session& s);
  void disappoint_newcomers(clock::time_point came_until);
  void on_connect_failure(const connect_failure& failure);
  [[nodiscard]] std::size_t best_idle(const session& s) const;
  void send_waiters_elsewhere();
  [[nodiscard]] bool is_standby_alone(const connected& c) const;
  [[nodiscard]] bool lacks_primary() const;
  [[nodiscard]] bool has_answered() const;
  [[nodiscard]] std::string last_cause() const;
  [[nodiscard]] protocol::error_report busy_error(clock::time_point now) const;
  [[nodiscard]] protocol::error_report shortage_error(scarcity full, const std::string& what,
                                                      const std::string& line) const;
  [[nodiscard]] protocol::error_report unreachable_error() const;
  [[nodiscard]] protocol::error_report outage_error(std::chrono::milliseconds waited, bool is_login) const;
  [[nodiscard]] std::optional<protocol::error_report> outage_verdict(const session& s,
                                                                     clock::time_point now) const;
  [[nodiscard]] bool waits_out_outages() const;
  void expire_waiters(clock::time_point now);
  void expire_in_outage(clock::time_point now);
  [[nodiscard]] bool is_astray(backend& b) const;
  void expire_idle(clock::time_point now);
  void check_idle(clock::time_point now);
  [[nodiscard]] std::size_t least() const;

  worker& worker_;
  server_ref server_;
  client_group& group_;
  std::vector<std::unique_ptr<backend>> all_;
  std::vector<backend*> idle_;  // most recently used last
  wait_queue waiting_;
  const char newcomer_ = 0;  // its address is what waits for a new connection, and for no other
  int connecting_ = 0;
  std::size_t replaced_ = 0;  // since replaced_since_
  clock::time_point replaced_since_;
  std::vector<closing_connection> closing_;
  bool retired_ = false;
  bool is_pinned_full_ = false;
  std::uint64_t pin_seen_ =
      0;  // the server's pin_number() when its idle connections were last held against it
  clock::time_point retry_at_;
  clock::time_point available_since_;  // the server's last outage had ended by then
  connect_failure last_failure_;
};

}  // namespace pgsteer::proxy
