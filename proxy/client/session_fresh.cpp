// What a replica must have before this session may read from it, and the wait for one that has it.
#include <algorithm>

#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

// The position of everything inserted so far, and what is needed to normalise it.
constexpr std::string_view sample_query =
    "SELECT pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_wal_flush_lsn(),"
    " pg_catalog.current_setting('wal_segment_size'), pg_catalog.current_setting('wal_writer_delay')";

// One statement with one answer, behind which a query of ours may come: COPY would take it for its data.
bool is_plain_write(const routing::classification& c) {
  return c.kind == routing::statement_kind::write && c.is_dml && c.verb == routing::transaction_verb::none;
}

}  // namespace

// A program that closes its connection and opens another finds what it wrote through the first.
void session::arrive() {
  const auto& others = worker_.departed.arrive();
  freshness_.raise(others.floor, others.timeline);
  if (!others.is_sampled) {
    freshness_.is_sampled = false;
    last_sight_ = ++worker_.sights;
  }
  has_begun_ = true;
}

void session::ask_sample(backend& b) {
  b.put_own_query(own_query::wal_sample, sample_query, worker_.to_backend);
  covered_writes_ = worker_.writes;
  asked_after_ = worker_.sights;
}

// What a replica must have for this session's next read.
routing::freshness session::demand() {
  if (level_ == config::consistency::eventual) {
    // A token of a timeline that is not known yet is for the primary to answer.
    const auto& servers = *worker_.config().servers;
    const bool is_of_future = token_.timeline > servers.timeline && servers.timeline != 0;
    if (!is_of_future) settle_timeline(token_);
    auto wanted = token_;
    wanted.is_sampled = !is_of_future;
    return wanted;
  }
  const bool was_sampled = freshness_.is_sampled;
  settle_timeline(freshness_);
  if (was_sampled && !freshness_.is_sampled) last_sight_ = ++worker_.sights;
  use_shared_sample();
  auto wanted = freshness_;
  if (level_ == config::consistency::global && covered_writes_ != worker_.writes) wanted.is_sampled = false;
  return wanted;
}

// What another session's sample says serves this one too, where it was sent after all that this one must see.
void session::use_shared_sample() {
  const auto& shared = worker_.sample;
  const bool is_global = level_ == config::consistency::global;
  const bool lacks = !freshness_.is_sampled || (is_global && covered_writes_ != worker_.writes);
  if (!lacks || !shared.covers(last_sight_, worker_.config().servers->timeline)) return;
  if (is_global && shared.writes() != worker_.writes) return;
  shared.raise(freshness_);
  covered_writes_ = shared.writes();
}

void session::settle_timeline(routing::freshness& f) const {
  const auto& servers = *worker_.config().servers;
  if (routing::settle_timeline(f, servers.timeline, servers.switches) == routing::position_fate::lost)
    worker_.note_lost_write(servers.timeline);
}

// Whether the read should wait for a replica that lacks nothing but time; it is queued then.
bool session::await_replica() {
  if (consistency_wait_.count() == 0 || tries_ > 0) return false;
  const auto now = worker_.loop.now();
  const bool is_first = fresh_until_ == clock::time_point{};
  if (is_first) fresh_until_ = now + consistency_wait_;
  if (now >= fresh_until_) {
    worker_.metrics().consistency_wait_timeouts.add();
    return false;
  }
  const auto wanted = demand();
  const auto& replicas = worker_.config().servers->replicas;
  const bool is_any = std::any_of(replicas.begin(), replicas.end(), [&](const auto& r) {
    return r->is_usable() && r->admits_reads(now) && wanted.may_come_to_accept(r->id(), r->starts());
  });
  if (!is_any || worker_.do_all_replicas_lag(max_lag_)) return false;
  if (is_first) worker_.metrics().consistency_waits.add();
  worker_.await_replica(*this, fresh_until_);
  return true;
}

bool session::may_stop_waiting(clock::time_point now) const {
  if (now >= fresh_until_) return true;
  const auto& wanted = level_ == config::consistency::eventual ? token_ : freshness_;
  const auto& replicas = worker_.config().servers->replicas;
  bool is_any = false;
  for (const auto& r : replicas) {
    if (!r->is_usable() || !wanted.may_come_to_accept(r->id(), r->starts())) continue;
    if (wanted.accepts(r->id(), r->replayed_lsn.load(std::memory_order_acquire), r->starts())) return true;
    r->watch(wanted.floor);
    is_any = true;
  }
  return !is_any || wanted.timeline != worker_.config().servers->timeline;
}

void session::on_replica_ready() {
  wait_.unlink();
  worker_.metrics().clients_waiting.sub();
  flow_ = flow::collecting;
  worker_.loop.soon(*this);
}

// A read that had to run on the primary asks it how far it has come, behind its own answer and in the
// same write: the next read knows what a replica must have replayed. So does a write, where a read is
// expected next.
bool session::wants_sample(const unit_view& u, const routing::classification& c) const {
  const auto& b = *backend_;
  // Behind a BEGIN nothing may come but the client's own; so a block that might have run elsewhere asks at
  // its end.
  const bool is_end =
      c.verb == routing::transaction_verb::commit || c.verb == routing::transaction_verb::rollback;
  const bool ends_reads = (b.status == 'T' || b.status == 'E') && is_end &&
                          (block_only_reads_ || forecast_.expects_read()) &&
                          c.kind == routing::statement_kind::transaction;
  const bool may_leave = b.status == 'I' && c.verb != routing::transaction_verb::begin &&
                         (c.kind == routing::statement_kind::read || wants_replica_ ||
                          (forecast_.expects_read() && is_plain_write(c)));
  if (b.home.is_replica() || !(may_leave || ends_reads) || u.missing > 0) return false;
  // A Query in the middle of a batch may be skipped, and what is behind it with it.
  const bool is_whole =
      u.end == protocol::unit_end::sync || (u.end == protocol::unit_end::query && !u.is_extended);
  if (!is_whole) return false;
  return (pin_.empty() || lends_reads_) && !worker_.config().servers->replicas.empty() &&
         level_ != config::consistency::eventual;
}

void session::take_sample() {
  auto& b = *backend_;
  const auto& rows = b.own_rows;
  if (b.own_failed || rows.size() != 1 || rows[0].size() != 4) return;
  const auto insert = routing::parse_lsn(rows[0][0]);
  const auto flush = routing::parse_lsn(rows[0][1]);
  if (!insert || !flush) return;
  const auto ms = [](clock::time_point at) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  };
  const auto sent = ms(since_);
  const auto received = ms(clock::now()) + std::chrono::milliseconds(1);
  const auto end =
      routing::normalise_insert_lsn(*insert, {.segment_bytes = routing::parse_wal_segment_size(rows[0][2])});
  const auto delay = routing::parse_milliseconds(rows[0][3]);
  const auto floor = worker_.quiet.floor_of(b.home.host()->id(), end, *flush, delay, sent, received);
  const routing::freshness found{.floor = floor,
                                 .timeline = b.home.host()->timeline.load(std::memory_order_acquire)};
  worker_.departed.sampled(found.floor, found.timeline, sent);
  worker_.sample.learn(asked_after_, covered_writes_, found.floor, found.timeline);
  if (last_sight_ > asked_after_) return;  // a notification came in between: what it told of is not in it
  freshness_ = found;
  is_sampled_now_ = true;
  for (const auto& r : worker_.config().servers->replicas) {
    if (r->replayed_lsn.load(std::memory_order_relaxed) < freshness_.floor) r->watch(freshness_.floor);
  }
}

// What the unit that was just answered lets the session expect of replicas.
void session::note_freshness(const backend& b) {
  const bool is_end_of_reads = b.home.is_replica() || is_read_ || block_only_reads_;
  if (b.status == 'I' && touches_data_) is_end_of_reads ? forecast_.has_read() : forecast_.wrote();
  if (b.home.is_replica()) {
    freshness_.last_replica = b.home.host()->id();
    freshness_.last_start = b.start;
    return;
  }
  if (!touches_data_) return;
  if (!is_read_ && !(is_sampled_now_ && block_only_reads_)) {
    const bool covers_all = is_sampled_now_ && covered_writes_ == worker_.writes;
    ++worker_.writes;
    has_written_ = true;
    if (covers_all) covered_writes_ = worker_.writes;
  }
  if (!is_sampled_now_) {
    freshness_.see_primary();
    last_sight_ = ++worker_.sights;
  }
  is_sampled_now_ = false;
}

}  // namespace pgsteer::proxy
