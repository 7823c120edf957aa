#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/lent_statement.hpp"
#include "proxy/client/plan_effects.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"
#include "routing/custom_settings.hpp"

namespace pgsteer::proxy {

namespace {
namespace sqlstate = protocol::sqlstate;
namespace write = protocol::write;
using protocol::expected;
using protocol::owner;
using protocol::unit_end;
using routing::statement_kind;
using routing::transaction_verb;

// A message longer than this is not gathered before it is sent: it goes to the primary as it comes.
constexpr std::size_t large_message = std::size_t{256} << 10;
constexpr std::size_t max_parse_message = std::size_t{64} << 20;
constexpr std::size_t long_pipeline = std::size_t{64} << 10;  // that has no end yet

// Has it seen or changed anything that a later read must not contradict? What a block does is noted
// by its statements, not by its BEGIN and COMMIT.
bool may_touch_data(const routing::classification& c) {
  switch (c.kind) {
    case statement_kind::empty:
    case statement_kind::set:
    case statement_kind::set_local:
    case statement_kind::show:
    case statement_kind::deallocate:
      return false;
    case statement_kind::transaction:
      return c.verb == transaction_verb::mixed || c.verb == transaction_verb::commit ||
             c.verb == transaction_verb::chain;
    default:
      return true;
  }
}

}  // namespace

std::size_t session::take_unit(std::string_view bytes) {
  auto u = protocol::scan_unit(bytes, scanned_);
  scanned_ = 0;
  if (console_) return take_console_unit(bytes, u);
  switch (u.end) {
    case unit_end::incomplete:
      return on_incomplete(bytes, u);
    case unit_end::broken:
      broken_message(bytes.substr(u.size));
      return 0;
    case unit_end::terminate:
      is_backed_up() ? close_client() : client_gone();  // it waits for no last words
      return 0;
    case unit_end::stray:
      if (!u.has_extended) return u.size;
      u.end = unit_end::flush;  // COPY data right behind its Execute: the server sorts it out
      break;
    default:
      break;
  }
  if (skip_to_sync_) {
    skip_to_sync_ = u.end != unit_end::sync;
    if (!skip_to_sync_)
      send(is_ghost_ ? std::string_view("Z\0\0\0\5E", 6) : std::string_view("Z\0\0\0\5I", 6));
    return u.size;
  }
  return start_unit({bytes.substr(0, u.size), u.end, u.has_extended, 0});
}

// Bytes are missing. Only a large message is worth sending before it is whole.
std::size_t session::on_incomplete(std::string_view bytes, const protocol::unit_span& u) {
  const std::size_t here = bytes.size() - u.size;
  if (u.partial.size > max_parse_message && u.partial.type == 'P') {
    protocol_violation("Parse message too long");
    return 0;
  }
  // A pipeline that goes on and on without Sync, or takes its time: what is whole is sent, so that the client
  // feels the server's pace and hears its errors, and nothing piles up here.
  if (!skip_to_sync_ && u.has_extended && u.size > (is_stalled_ ? 0 : long_pipeline)) {
    return start_unit({bytes.substr(0, u.size), unit_end::flush, true, 0});
  }
  const bool passes = u.partial.type == 'Q' || u.partial.type == 'B' || u.partial.type == 'F';
  if (skip_to_sync_ || !passes || u.partial.size <= large_message || here < large_message / 2) {
    if (u.size > 0) worker_.watch_partial(*this);
    scanned_ = u.size;
    return 0;
  }
  const unit_end end = u.partial.type == 'Q'   ? unit_end::query
                       : u.partial.type == 'F' ? unit_end::function_call
                                               : unit_end::flush;
  return start_unit({bytes, end, u.has_extended || u.partial.type == 'B', u.partial.size - here});
}

const routing::classification& session::judge(const unit_view& u) {
  if (!u.is_extended && u.end == unit_end::query && u.missing == 0) {
    return judge_text(protocol::query_text(u.bytes));
  }
  return *worker_.unit->judge(u.bytes, judge_context()).what;
}

std::size_t session::start_unit(const unit_view& u) {
  refusal_.reset();
  const bool was_granted = is_granted();
  const auto* const kept = take_judged(u);
  if (kept != nullptr && was_granted && !is_ghost_ && !loss_)
    return dispatch(u, *kept, *backend_) ? u.bytes.size() : 0;
  const auto& c = with_values(u, by_settings(kept != nullptr ? *kept : judge(u)));
  if (is_ghost_ || loss_) {
    answer_without_server(u, c);
    return u.bytes.size();
  }
  if (answer_here(u, c) || refuse_own_setting(u, c) || explain_route(u, c)) return u.bytes.size();
  if (backend_ == nullptr && asks_sequence(u, c) && !acquire_sequence_backend()) return refuse_sequence(u);
  if (wait_.is_linked()) return 0;
  if (backend_ != nullptr && prepared_settings_) {  // granted, and its settings are in force
    return dispatch(u, c, *backend_) ? u.bytes.size() : 0;
  }
  if (begin_on_primary_) {
    backend* b = backend_ != nullptr ? backend_ : acquire_primary();
    if (b != nullptr) {
      begin_block_here(*b);
    } else {
      flow_ = flow::waiting;
    }
    return 0;
  }
  see_custom_settings(c);
  if (!has_begun_) arrive();
  if (rules_number_ != worker_.rules_number) refresh_wishes();
  view_.pin = pin_;
  view_.reads_may_leave = !pin_.empty() && may_read_elsewhere(u, c);
  auto decision = routing::decide(c, view_);
  wants_replica_ = decision.where == routing::target::replica;
  // Somebody who says "replica" gets another try each time.
  const bool is_wished =
      c.wish == routing::route_wish::replica || view_.wish.wish == routing::route_wish::replica;
  is_diverted_ = wants_replica_ && !is_wished && c.kind != statement_kind::transaction && is_learned(c);
  const bool goes_home = needs_home(c, decision.where);
  is_diverted_ = is_diverted_ || goes_home;
  if (wants_replica_ &&
      (is_diverted_ || awaits_catalog(c) || !group_->may_open_unasked() || worker_.may_have_ended()))
    decision.where = routing::target::primary;
  if (backend_ != nullptr && view_.open == routing::block::none && (pin_.empty() || is_on_loan_)) {
    decision.where = routing::target::stay;  // granted after a wait
  }
  const bool stays = decision.where == routing::target::stay && !view_.failed;
  if ((stays && may_go_on_unfit(u, c)) || (goes_home && decision.where == routing::target::stay))
    decision.where = routing::target::move_primary;
  if (decision.where == routing::target::move_primary) {
    if (move_block()) return 0;
    refuse_move(decision.reason);
  }
  const bool replica = decision.where == routing::target::replica && !force_primary_ &&
                       u.end != unit_end::flush && u.missing == 0;
  if (replica && backend_ == nullptr && lacks_replica()) {
    worker_.await_replica(*this);
    flow_ = flow::waiting;
    return 0;
  }
  backend* b = backend_;
  if (b == nullptr || replica) {
    b = b == nullptr ? acquire(replica) : acquire_beside();
    if (b == nullptr) {
      if (wait_.is_linked()) wait_for_backend(u, c);
      return 0;
    }
  }
  return dispatch(u, c, *b) ? u.bytes.size() : 0;
}

// What the proxy answers itself: a Sync or Flush with nothing to synchronise, and DEALLOCATE of a
// statement that only the proxy knows by this name.
bool session::answer_here(const unit_view& u, const routing::classification& c) {
  if (backend_ == nullptr && !u.is_extended && u.bytes.size() == protocol::header_size &&
      (u.end == unit_end::sync || u.end == unit_end::flush)) {
    if (u.end == unit_end::sync) send(std::string_view("Z\0\0\0\5I", 6));
    return true;
  }
  if (u.is_extended || c.kind != statement_kind::deallocate || c.name.empty() || view_.failed) return false;
  if (names_.find(c.name) == nullptr && !forget_sql_statement(c.name)) return false;
  names_.set(c.name, nullptr);
  names_.unnamed.reset();  // as by any Query message
  std::string bytes;
  write::command_complete(bytes, "DEALLOCATE");
  write::ready_for_query(bytes, view_.open == routing::block::none ? 'I' : 'T');
  send(bytes);
  return true;
}

bool session::dispatch(const unit_view& u, const routing::classification& c, backend& b) {
  backend_ = &b;
  if (!prepared_settings_ && ask_defaults(b)) return false;
  auto& out = worker_.to_backend;
  out.clear();
  extended_unit::take_back_lent(b.wire, out);
  introduce_own_setting(c, b);
  if (b.status == 'T' && prove_statements(u, b)) return false;
  if (!prepared_settings_ || b.status != 'I') prepare_sql_statements(u, c, b);
  if (!prepared_settings_ && b.status == 'I' && prepare_settings(b)) return false;
  if (b.status == 'I' && prove_statements(u, b)) return false;
  prepared_settings_ = false;
  if (b.status != 'E' && asks_sequence(u, c)) b.claim_sequences(serial_, out);
  fresh_until_ = {};
  refuse_in_block(c, b);
  bring_token(c, b);
  const bool replica = b.home.is_replica();
  const bool mixes_protocols = u.is_extended && u.end == unit_end::query;
  const bool may_rerun = b.status == 'I' || (b.status == 'T' && is_in_split_block() && block_movable_ &&
                                             c.kind == statement_kind::read);
  retryable_ =
      replica && may_rerun && !refusal_ && u.missing == 0 && u.end != unit_end::flush && !mixes_protocols;
  if (retryable_) b.retained.assign(u.bytes);
  const bool samples = wants_sample(u, c);
  const bool is_ended = u.missing == 0 && !mixes_protocols;  // a Sync of ours might end a skipping
  shows_own_ = c.effects.lists_prepared && b.status != 'E' && (is_ended || u.end == unit_end::flush);
  if (shows_own_) show_own_statements(names_, b.wire, out);
  if (u.is_extended) {
    worker_.unit->write(u.bytes, write_context(b), out);
    if (u.end == unit_end::flush) worker_.unit->forget_closed(u.bytes, sql_, b.by_sql);
  } else {
    put_plain(u, c, b);
  }
  if (u.end != unit_end::flush) hide_own_statements();
  is_read_ = c.kind == statement_kind::read;
  if (!is_read_) b.last_writer = key_;
  touches_data_ = may_touch_data(c);
  is_sampled_now_ = false;
  if (samples) ask_sample(b);
  restores_ = false;
  if (c.effects.resets) restore_startup(c, b);
  auto effects = see_token(u, c, b);
  if (effects.may_set || effects.changes_catalog || effects.leaves_empty) note_custom_settings(u.bytes, b);
  if (c.kind == statement_kind::set_local && settings_->values.contains(c.name)) effects.leaves_empty = false;
  if (c.effects.changes_catalog) note_definition(u, c);
  if (c.effects.ends_backends) worker_.backends_ended = worker_.loop.now();
  if (!replica && !is_read_) note_sequence_use(c, b);
  note_transaction(c, replica);
  note_fresh(c, u);
  effects_ |= effects;
  effects_ |= plan_effects(c);
  effects_.names_settings |= c.kind == statement_kind::set && routing::may_be_refused_by_library(c.name);
  // What runs beside a write is for the catalog to say, which may not know a trigger made just now.
  const bool is_known = group_->facts->has_catalog() && group_->catalog_seen >= catalog_needed_;
  effects_.meets_unknown |= !is_known && !is_read_ && touches_data_ && c.kind != statement_kind::transaction;
  note_statement(c, b);
  count_route(c, b);
  since_ = worker_.loop.now();
  if (b.status == 'I') b.transaction_since = since_;
  pass_left_ = u.missing;
  ends_with_large_query_ = u.missing > 0 && u.end != unit_end::flush;
  const bool goes_on = u.end == unit_end::flush || u.missing > 0;
  flow_ = goes_on ? flow::flowing : flow::in_flight;
  b.home.host()->outstanding.fetch_add(1, std::memory_order_relaxed);
  if (replica) b.home.host()->note_sent(since_);
  is_counted_ = true;
  if (!b.send(out)) {
    b.hung_up = true;
    worker_.loop.soon(b);  // the loss is dealt with as one that happens later
    return true;
  }
  if (goes_on) put_synthetics_now();
  return true;
}

// Behind the end of the unit for which they were shown.
void session::hide_own_statements() {
  if (shows_own_) proxy::hide_own_statements(names_, backend_->wire, worker_.to_backend);
  shows_own_ = false;
}

void session::expect_plain(const unit_view& u, backend& b) {
  const auto what = u.end == unit_end::query  ? expected::query
                    : u.end == unit_end::sync ? expected::sync
                                              : expected::function_call;
  if (u.end != unit_end::flush) b.wire.owed.expect({what, owner::client, 0, 0});
  if (u.end == unit_end::query) {
    names_.unnamed.reset();
    b.wire.unnamed = 0;
  }
}

// A message that is sent as it is. EXECUTE of a statement prepared by the protocol is the exception:
// it needs its name there.
void session::put_plain(const unit_view& u, const routing::classification& c, backend& b) {
  auto& out = worker_.to_backend;
  const auto name =
      u.end == unit_end::query && names_.named && u.missing == 0 && b.status != 'E' && !shows_own_
          ? lent_name(c, protocol::query_text(u.bytes))
          : std::string{};
  const statement_ref* s = name.empty() ? nullptr : names_.find(name);
  if (s != nullptr) lend_statement(name, **s, b.wire, out);
  expect_plain(u, b);
  out.borrow(u.bytes);
  if (s != nullptr) take_back_statement(name, b.wire, out);
}

void session::note_transaction(const routing::classification& c, bool on_replica) {
  is_commit_ = c.verb == transaction_verb::commit || c.verb == transaction_verb::mixed;
  if (view_.open == routing::block::none) {
    const auto level = c.level == routing::isolation::unspecified ? view_.default_isolation : c.level;
    view_.block_is_read_committed =
        level == routing::isolation::read_committed || level == routing::isolation::read_uncommitted;
    view_.block_is_split = on_replica && routing::begins_split_block(c, view_);
    view_.block_may_move = view_.block_is_read_committed;
    block_movable_ = true;
    block_has_read_ = c.kind != statement_kind::transaction;
    block_only_reads_ = c.verb == transaction_verb::begin && wants_replica_ && !on_replica;
    block_settings_.reset();
    return;
  }
  if (c.verb == transaction_verb::chain) block_settings_.reset();  // the next transaction has none of them
  const bool is_end = c.verb == transaction_verb::commit || c.verb == transaction_verb::rollback;
  block_only_reads_ = block_only_reads_ && (c.kind == statement_kind::read || is_end);
  if (view_.open != routing::block::on_replica) return;
  if (c.verb == transaction_verb::savepoint) {
    if (block_settings_ == nullptr) block_settings_ = std::make_unique<local_settings>();
    block_settings_->has_savepoint = true;
  }
  if (c.verb == transaction_verb::set_transaction && c.level != routing::isolation::unspecified) {
    view_.block_is_read_committed = c.level == routing::isolation::read_committed;
  }
  block_has_read_ = block_has_read_ || c.kind == statement_kind::read;
  const bool is_kept = c.kind == statement_kind::set_local && keep_local_settings(c);
  // It is said again where the block begins anew.
  const bool says_read_only = c.verb == transaction_verb::set_transaction &&
                              c.access == routing::access_mode::read_only &&
                              c.level == routing::isolation::unspecified;
  const bool moves = is_kept || says_read_only || c.kind == statement_kind::read ||
                     c.kind == statement_kind::show || c.kind == statement_kind::empty ||
                     (view_.block_is_split && c.kind == statement_kind::transaction);
  const bool ends = c.verb == transaction_verb::commit || c.verb == transaction_verb::rollback;
  if (!moves && !ends) block_movable_ = false;
  view_.block_may_move = view_.block_is_read_committed && block_movable_;
}

// Messages that belong to a unit already sent in part: behind a Flush, or COPY data. All that are
// here go out in one write.
std::size_t session::take_flow(std::string_view bytes) {
  worker_.to_backend.clear();
  std::size_t used = 0;
  while (flow_ == flow::flowing && pass_left_ == 0 && used < bytes.size()) {
    const auto n = put_flow_frame(bytes.substr(used));
    if (n == 0 || phase_ != phase::ready || gone_) break;
    used += n;
  }
  if (phase_ != phase::ready || backend_ == nullptr || gone_) return used;
  if (worker_.to_backend.size() > 0 && !backend_->send(worker_.to_backend)) {
    backend_->hung_up = true;
    worker_.loop.soon(*backend_);
    return used;
  }
  put_synthetics_now();
  return used;
}

// One message into the batch; 0: it is not here whole, or the session is over.
std::size_t session::put_flow_frame(std::string_view bytes) {
  const auto f = protocol::peek_frame(bytes);
  if (!f.is_header_known()) return 0;
  if (f.size == protocol::broken_frame ||
      std::string_view("PBDECSHQFcdfX").find(f.type) == std::string_view::npos) {
    broken_message(bytes);
    return 0;
  }
  if (f.type == 'X') {
    close_client();
    return 0;
  }
  const bool copy_message = f.type == 'd' || f.type == 'c' || f.type == 'f';
  if (f.size > bytes.size()) {
    const bool large = f.size > large_message && bytes.size() >= large_message / 2;
    const bool passes = f.type == 'd' || (large && (f.type == 'B' || f.type == 'Q' || f.type == 'F'));
    if (f.type == 'P' && f.size > max_parse_message) protocol_violation("Parse message too long");
    if (!passes) return 0;
  }
  const auto frame = bytes.substr(0, f.size);
  pass_left_ = f.size - frame.size();
  auto& b = *backend_;
  const bool ignored = b.wire.owed.is_copy_in() && (f.type == 'S' || f.type == 'H');
  if (copy_message || ignored) {
    worker_.to_backend.borrow(frame);
    if (copy_message && f.type != 'd') end_copy();
    return frame.size();
  }
  const auto v = worker_.unit->judge(frame, judge_context());
  if (refuse_behind_flush({frame, unit_end::flush, true, pass_left_}, *v.what)) return 0;
  effects_ |= v.what->effects;
  effects_ |= plan_effects(*v.what);
  auto context = write_context(b);
  context.is_stalled = false;
  if (v.what->effects.lists_prepared && !shows_own_ && b.status != 'E') {
    extended_unit::show_own(context, worker_.to_backend);
    context.by_client_names = shows_own_ = true;
  }
  worker_.unit->write(frame, context, worker_.to_backend);
  worker_.unit->forget_closed(frame, sql_, b.by_sql);
  if (f.type == 'S') hide_own_statements();
  b.wire.revert(b.wire.owed.take_failed_change(), 0, names_);
  // Behind an error the server skips a Query as well: only the Sync ends the unit.
  const bool ends = f.type == 'S' || ((f.type == 'Q' || f.type == 'F') && !b.wire.owed.is_skipping());
  is_commit_ = is_commit_ || v.what->verb == transaction_verb::commit;
  ends_with_large_query_ = pass_left_ > 0 && ends;
  if (ends && pass_left_ == 0) flow_ = flow::in_flight;
  return frame.size();
}

// The client has sent all its COPY data. After a simple Query nothing more belongs to the unit; in
// the extended protocol its Sync is still to come.
void session::end_copy() {
  auto& owed = backend_->wire.owed;
  owed.end_copy_in();
  if (owed.is_head_query()) flow_ = flow::in_flight;
}

std::size_t session::pass_through(std::string_view bytes) {
  const auto n = std::min(bytes.size(), pass_left_);
  pass_left_ -= n;
  auto& out = worker_.to_backend;
  out.clear();
  out.borrow(bytes.substr(0, n));
  if (!backend_->send(out)) {
    backend_->hung_up = true;
    worker_.loop.soon(*backend_);
  }
  // A simple Query or FunctionCall is a unit of its own: nothing may follow it before its answer.
  if (pass_left_ == 0 && flow_ == flow::flowing && ends_with_large_query_) {
    ends_with_large_query_ = false;
    if (!backend_->wire.owed.is_skipping()) flow_ = flow::in_flight;
  }
  return n;
}

// In PostgreSQL's own words.
void session::broken_message(std::string_view bytes) {
  if (protocol::is_frontend_type(bytes[0])) return protocol_violation("invalid message length");
  const int type = static_cast<unsigned char>(bytes[0]);
  protocol_violation(fmt::format("invalid frontend message type {}", type));
}

void session::protocol_violation(std::string message) {
  worker_.metrics().protocol_errors.add();
  close_after(
      protocol::fatal_error(sqlstate::protocol_violation, std::move(message), {},
                            "The client does not speak the PostgreSQL protocol, or its stream is damaged."));
}

void session::count_route(const routing::classification& c, const backend& b) {
  using enum route_reason;
  auto& m = worker_.metrics();
  const bool replica = b.home.is_replica();
  route_reason why = c.kind == statement_kind::read ? read : write;
  if (force_primary_) {
    why = retried;
  } else if (is_diverted_ && !replica) {
    why = learned;
  } else if (!pin_.empty() && !replica) {
    why = pinned;
  } else if (view_.open != routing::block::none || c.kind == statement_kind::transaction) {
    why = !replica ? transaction : view_.block_is_split ? split_block : read_only_block;
  } else if (why == read && !replica) {
    why = why_held();
  } else if (c.kind == statement_kind::set || c.kind == statement_kind::show ||
             c.kind == statement_kind::deallocate) {
    why = session_state;
  }
  auto& counters = replica ? m.replica_units : m.primary_units;
  counters[static_cast<std::size_t>(why)].add();
  force_primary_ = false;
}

}  // namespace pgsteer::proxy
