#include <algorithm>

#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
namespace write = protocol::write;

constexpr unsigned most_tries = 3;

}  // namespace

server_ref session::fit_replica() {
  if (tries_ >= most_tries) return nullptr;
  return worker_.choose_replica(demand(), max_lag_);
}

backend* session::acquire(bool replica) {
  if (replica) {
    if (const auto s = fit_replica()) {
      auto& at = worker_.pool_for(*group_, s);
      if (at.drop_strays()) return acquire(replica);
      is_on_loan_ = !pin_.empty();
      return at.lease(*this);
    }
    if (await_replica()) return nullptr;
  }
  return acquire_primary();
}

// The primary is to be spared, and no replica is up.
bool session::lacks_replica() const {
  return worker_.settings().primary_reads == config::reads_on_primary::never && !worker_.has_replica();
}

// Whether this unit, if it is a read, has nothing to do with what the session is pinned by.
bool session::may_read_elsewhere(const unit_view& u, const routing::classification& c) const {
  if (!lends_reads_ || c.kind != routing::statement_kind::read) return false;
  if (temporary_ == nullptr) return true;
  if (temporary_->may_be_in(c.bodies.text)) return false;
  if (!u.is_extended) return !temporary_->may_be_meant(protocol::query_text(u.bytes), worker_.parser);
  if (temporary_->are_apart())
    return !worker_.unit->has_text(
        [this](auto sql) { return temporary_->may_be_meant(sql, worker_.parser); });
  if (temporary_->may_be_in(u.bytes)) return false;
  return !worker_.unit->has_text([this](auto sql) { return temporary_->may_be_in(sql); });
}

// A replica for one read of a pinned session, whose own backend waits beside it. Where the read would wait
// for others to be done, its own backend does it. Null: a connection is being opened.
backend* session::acquire_beside() {
  const auto s = fit_replica();
  if (!s) return backend_;
  auto& there = worker_.pool_for(*group_, s);
  if (there.is_exhausted()) return backend_;
  is_on_loan_ = true;
  held_ = std::exchange(backend_, nullptr);
  return there.lease(*this);
}

void session::return_to_held() {
  is_on_loan_ = false;
  if (held_ == nullptr) return;
  backend_ = std::exchange(held_, nullptr);
  if (has_held_stirred_) worker_.loop.soon(*backend_);
  has_held_stirred_ = false;
}

backend* session::acquire_primary() {
  const auto& servers = *worker_.config().servers;
  auto& home = worker_.pool_for(*group_, servers.primary);
  // A login needs any server's word; with the primary gone a replica's will do. One that is to keep its
  // connection waits for the primary as long as that may be a mere moment away.
  const bool is_worth_waiting = keeps_from_login() && servers.primary->health() == server_health::retrying;
  if (phase_ == phase::opening && !servers.has_primary() && !is_worth_waiting) {
    if (const auto s = worker_.choose_replica({})) return worker_.pool_for(*group_, s).lease(*this);
  }
  (void)home.drop_strays();
  return home.lease(*this);
}

void session::on_granted(backend& b) {
  if (gone_ && phase_ == phase::opening) {
    b.user = nullptr;
    b.home.give_back(b);
    return end();
  }
  backend_ = &b;
  wait_.judged.is_granted = true;
  seeks_home_ = false;
  if (phase_ == phase::opening) return open_with_profile();
  flow_ = flow::collecting;
  worker_.loop.soon(*this);
}

void session::on_reroute() {
  flow_ = flow::collecting;
  return_to_held();
  if (phase_ == phase::opening) return open_session();
  if (in_ != nullptr) worker_.loop.soon(*this);
}

// The unit that waited is answered with an error and dropped; the session goes on.
void session::on_acquire_failed(const protocol::error_report& why) {
  if (wait_.is_linked()) {
    wait_.unlink();
    worker_.metrics().clients_waiting.sub();
  }
  wait_.begun = {};
  forget_judged();
  fresh_until_ = {};
  if (gone_) return end();
  if (seeks_home_) {
    seeks_home_ = false;
    flow_ = flow::collecting;
    return open_with_profile();
  }
  if (phase_ == phase::opening) return refuse_login(why);
  if (is_on_loan_) {
    return_to_held();
    if (why.sqlstate != sqlstate::query_canceled) {  // its own backend can do it too
      flow_ = flow::collecting;
      force_primary_ = true;
      return worker_.loop.soon(*this);
    }
  }
  if (begin_on_primary_) {  // the client is inside a block that no longer exists anywhere
    begin_on_primary_ = false;
    is_ghost_ = true;
    view_.failed = true;
    view_.open = routing::block::on_primary;
  }
  flow_ = flow::collecting;
  force_primary_ = false;
  tries_ = 0;
  const auto u = protocol::scan_unit(in_ != nullptr ? std::string_view(*in_) : std::string_view());
  scanned_ = 0;
  drop_input(u.size);
  std::string bytes;
  write::error_response(bytes, why);
  skip_to_sync_ = u.end == protocol::unit_end::flush;
  if (!skip_to_sync_) write::ready_for_query(bytes, is_ghost_ ? 'E' : 'I');
  send(bytes);
  worker_.loop.soon(*this);
}

void session::finish_unit() {
  auto& b = *backend_;
  if (!retrying_) b.wire.changes.clear();
  if (own_done_) {
    const auto purpose = *own_done_;
    own_done_.reset();
    return on_own_query_done(purpose);
  }
  b.wire.disproved.clear();
  end_count(b);
  if (b.home.is_replica()) b.home.host()->note_success();  // it answers, be it with an error
  if (retrying_) return retry_elsewhere(false);
  retryable_ = false;
  tries_ = 0;
  cancelled_ = timed_out_ = is_commit_ = false;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(worker_.loop.now() - since_);
  worker_.metrics().unit_us.observe(static_cast<std::uint64_t>(took.count()));
  if (is_read_) b.home.host()->note_latency(took, worker_.loop.now());
  count_statement(static_cast<std::uint64_t>(took.count()));
  note_answer();
  since_ = worker_.loop.now();
  after_unit();
}

// What the session knows from its unit's answer.
void session::note_answer() {
  auto& b = *backend_;
  note_freshness(b);
  if (effects_.changes_catalog && !b.home.is_replica()) {
    worker_.forget_statements(group_->database);
    catalog_needed_ = group_->catalog_wanted;
  }
  if (effects_.changes_users && worker_.users() != nullptr) worker_.users()->forget();
  if (altering_ != nullptr && b.status == 'I') finish_altering();
  block_ended_ = view_.open != routing::block::none && b.status == 'I';
  if (b.status == 'I') {
    names_.ending.reset();  // portals end with their transaction
    b.wire.forget_doubtful();
    if (effects_.changes_reading) b.wire.unnamed = 0;
  }
  view_.failed = b.status == 'E';
  view_.open = b.status == 'I'       ? routing::block::none
               : b.home.is_replica() ? routing::block::on_replica
                                     : routing::block::on_primary;
  b.may_have_temporary = b.may_have_temporary || effects_.may_pin;
  flow_ = flow::settling;
}

// Between the client's ReadyForQuery and the backend's freedom.
void session::after_unit() {
  auto& b = *backend_;
  if (b.cancels_in_flight > 0) return;  // on_cancel_finished() comes back here
  if (is_on_loan_) {
    release();
    effects_ = {};
    flow_ = flow::collecting;
    if (gone_) return backend_ == nullptr ? end() : leave_backend_behind();
    if (drain_) return on_drain();
    return resume_soon();
  }
  if (gone_) return leave_backend_behind();
  if (b.status == 'I' && needs_state_probe()) return ask_state();
  flow_ = flow::collecting;
  if (b.status == 'I') {
    effects_ = {};
    if (drain_) return on_drain();
    if (pin_.empty()) release();
  }
  resume_soon();
}

void session::release() {
  auto& b = *backend_;
  last_backend_ = b.id;
  b.was_used = true;
  b.wire.forget_doubtful();
  b.wire.disproved.clear();
  backend_ = nullptr;
  prepared_settings_ = false;
  b.user = nullptr;
  if (b.is_spoilt || b.is_doomed || !b.is_idle_in_step()) {
    b.hear_rest();
    b.home.discard(b);
  } else {
    b.home.give_back(b);
  }
  return_to_held();
}

// The server has one unit less to do.
void session::end_count(const backend& b) {
  if (is_counted_) b.home.host()->outstanding.fetch_sub(1, std::memory_order_relaxed);
  is_counted_ = false;
}

void session::drop_backend() {
  auto& b = *backend_;
  end_count(b);
  backend_ = nullptr;
  prepared_settings_ = false;
  b.user = nullptr;
  b.home.discard(b);
  return_to_held();
}

// A read whose answer the client has seen nothing of runs again: on the primary if a replica could
// not do it, on another server if its server was lost.
void session::retry_elsewhere(bool backend_is_lost) {
  auto& b = *backend_;
  worker_.metrics().retries.add();
  for (auto c = b.wire.changes.rbegin(); c != b.wire.changes.rend(); ++c) {
    if (c->what == statement_change::kind::client_name) names_.set(c->name, std::move(c->before));
  }
  b.wire.changes.clear();
  if (in_ == nullptr) in_ = worker_.keep_input({});
  in_->insert(0, b.retained);
  if (effects_.may_pin) b.is_spoilt = true;  // what somebody wished here may have left something
  b.held.clear();
  retrying_ = retryable_ = false;
  const bool leaves_block = is_in_split_block();
  if (leaves_block) {
    worker_.metrics().moves.add();
    view_.open = routing::block::on_primary;
    begin_on_primary_ = true;
  }
  force_primary_ = !backend_is_lost && !leaves_block;
  ++tries_;
  scanned_ = 0;
  effects_ = {};
  flow_ = flow::collecting;
  if (backend_is_lost) {
    drop_backend();
  } else {
    release();
  }
  worker_.loop.soon(*this);
}

std::optional<std::chrono::milliseconds> session::statement_timeout() const {
  return statement_timeout_of(*settings_);
}

// The client is gone. What it sent runs to its end; an open block is rolled back, state is
// discarded, and only then is the backend anybody else's.
void session::leave_backend_behind() {
  auto& b = *backend_;
  switch (flow_) {
    case flow::in_flight:
    case flow::settling:
      if (!b.wire.owed.is_empty() || b.cancels_in_flight > 0) {
        // Nobody wants the rest of a read; a write is let run, as a server would.
        if (is_read_ && b.cancels_in_flight == 0) worker_.forward_cancel(b);
        worker_.loop.soon(b);  // its reading may have paused for the client
        return;                // finish_unit() comes back here
      }
      break;
    case flow::collecting:
      break;
    default:
      drop_backend();
      return end();
  }
  // What DISCARD ALL cannot undo: a loaded library, random()'s seed, the mark that temporary objects leave.
  const bool is_marked = loaded_library_ || called_c_ || seeded_random_ || effects_.loads_library ||
                         effects_.calls_c || effects_.seeds_random || named_settings_ ||
                         effects_.names_settings || temporary_ != nullptr;
  // A session of session mode begins on a connection as fresh as a server would give it.
  const bool is_own = keeps_from_login() && !b.home.is_replica();
  if (b.is_doomed || is_marked || is_own || !b.carry.empty()) {
    drop_backend();
    return end();
  }
  const bool stateful = !pin_.empty() || effects_.may_pin || effects_.may_set;
  if (b.status == 'I' && !stateful) {
    release();
    return end();
  }
  worker_.to_backend.clear();
  flow_ = flow::settling;
  if (b.status != 'I') b.put_own_query(own_query::rollback, "ROLLBACK", worker_.to_backend);
  if (stateful) b.put_own_query(own_query::discard, "DISCARD ALL", worker_.to_backend);
  if (!b.send(worker_.to_backend)) {
    drop_backend();
    return end();
  }
}

// A read-only block that runs on a replica meets a statement that a standby would answer wrongly.
// The replica's block ends, and the same block begins on the primary; the unit waits in the buffer.
bool session::move_block() {
  if (!view_.block_is_read_committed || !block_movable_) return false;
  worker_.metrics().moves.add();
  worker_.to_backend.clear();
  flow_ = flow::preparing;
  backend_->put_own_query(own_query::end_block, "COMMIT", worker_.to_backend);
  if (!backend_->send(worker_.to_backend)) on_backend_lost();
  return true;
}

void session::on_cancel_finished() {
  if (flow_ == flow::settling && backend_ != nullptr && backend_->wire.owed.is_empty()) after_unit();
}

}  // namespace pgsteer::proxy
