#include <utility>

#include "protocol/frame.hpp"
#include "protocol/message_writer.hpp"
#include "protocol/statement_names.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

using protocol::expected;
using protocol::owner;
using protocol::verdict;

constexpr int reads_per_turn = 16;                        // then others get theirs
constexpr std::size_t most_kept = std::size_t{16} << 10;  // of a frame that has not arrived whole
constexpr std::size_t read_size = std::size_t{64} << 10;
constexpr std::size_t most_held = std::size_t{16} << 10;  // of an answer that may be asked again

// Types whose body nobody here needs: they are passed on while they arrive.
bool is_bulk(char type) {
  return std::string_view("DdTtV").find(type) != std::string_view::npos;
}

// A statement was analysed against something that is no more: shared ones may be as stale.
// A Bind or Describe that does not fit its statement, and names it.
bool may_name_statement(std::string_view code) {
  return code == protocol::sqlstate::protocol_violation ||
         code == protocol::sqlstate::invalid_sql_statement_name;
}

bool is_stale_plan(std::string_view code) {
  return code == "0A000" || code == "XX000" || code == "42704" || code == "42883" || code == "42P01" ||
         code == "42703";
}

// The server stops or has crashed: nothing the client did.
bool is_shutdown(std::string_view code) {
  return code == protocol::sqlstate::admin_shutdown || code == protocol::sqlstate::crash_shutdown ||
         code == protocol::sqlstate::cannot_connect_now;
}

void note_last_words(backend& b, const protocol::error_view& error) {
  b.last_words = error.message;
  b.was_terminated = error.sqlstate == protocol::sqlstate::admin_shutdown;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string_view synthetic_message(char type) {
  switch (type) {
    case '1':
      return {"1\0\0\0\4", 5};
    case '3':
      return {"3\0\0\0\4", 5};
    default:
      return {};
  }
}

}  // namespace

void session::on_backend_events(backend& b, std::uint32_t events) {
  if (&b == held_) {
    has_held_stirred_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    b.hung_up = true;
    return on_held_lost();
  }
  if (b.is_doomed) return on_backend_lost();
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) b.hung_up = true;
  if (b.has_unsent()) {
    if (!b.flush()) return on_backend_lost();
    if (flow_ == flow::flowing && !b.has_unsent()) resume_soon();
  }
  for (int turn = 0; turn < reads_per_turn; ++turn) {
    if (is_backed_up()) return;  // on_writable() comes back here
    // What is left of the last read goes in front of this one.
    const std::size_t kept = b.carry.size() <= most_kept ? b.carry.size() : 0;
    std::copy_n(b.carry.data(), kept, worker_.buffer.data());
    const auto r = b.io.read(std::span(worker_.buffer).subspan(kept, read_size));
    if (r.status == io_status::would_block) return;
    if (r.status == io_status::closed) return on_backend_lost();
    if (kept > 0) b.carry.clear();
    if (!relay_chunk({worker_.buffer.data(), kept + r.size})) return;
    if (r.drained && !b.hung_up) return;
  }
  worker_.loop.soon(b);
}

// False: the backend is not this session's any more, or not readable for now.
bool session::relay_chunk(std::string_view chunk) {
  auto& b = *backend_;
  const bool carried = !b.carry.empty();
  if (carried) b.carry.append(chunk);
  const std::string_view bytes = carried ? std::string_view(b.carry) : chunk;
  worker_.to_client.clear();
  worker_.made.clear();
  worker_.renamed.clear();
  bool unit_done = false;
  const auto used = walk(bytes, unit_done);
  if (b.is_doomed && !unit_done) {  // out of step: nothing of it can be trusted
    emit(false);
    if (backend_ == &b && phase_ != phase::ended) on_backend_lost();
    return false;
  }
  emit(unit_done);
  if (used == bytes.size()) {
    b.carry.clear();
  } else if (carried) {
    b.carry.erase(0, used);
  } else {
    b.carry.assign(bytes.substr(used));
  }
  if (gone_ && flow_ == flow::flowing && backend_ == &b) {  // the server waits for COPY data that nobody has
    drop_backend();
    end();
    return false;
  }
  if (!unit_done) return phase_ != phase::ended && backend_ == &b;
  finish_unit();
  if (backend_ != &b || phase_ == phase::ended) return false;
  // A notification may have come in the same read, behind the end of the unit: nothing else may come.
  return b.carry.empty() || relay_chunk(std::exchange(b.carry, {}));
}

std::size_t session::walk(std::string_view bytes, bool& unit_done) {
  auto& b = *backend_;
  std::size_t at = 0;
  while (at < bytes.size() && !unit_done) {
    if (b.pass_left > 0) {
      const auto n = std::min(b.pass_left, bytes.size() - at);
      if (b.pass_to_client) add_run(bytes.substr(at, n));
      b.pass_left -= n;
      at += n;
      continue;
    }
    put_synthetics();  // of messages before the one this answers
    const bool minds_tags = fresh_ != nullptr || altering_ != nullptr || effects_.deallocates_all;
    const auto plain = retrying_ ? 0 : b.wire.owed.pass_plain(protocol::rest_of(bytes, at), minds_tags);
    if (plain > 0) {
      add_run(bytes.substr(at, plain));
      at += plain;
      continue;
    }
    const auto rest = protocol::rest_of(bytes, at);
    const auto f = protocol::peek_frame(rest);
    if (!f.is_header_known()) break;
    if (f.size == protocol::broken_frame) {
      on_mismatch(f.type);
      break;
    }
    const bool whole = f.size <= rest.size();
    if (!whole && (f.size <= most_kept || !is_bulk(f.type) || b.wire.owed.is_head_ours())) break;
    const auto frame = rest.substr(0, f.size);
    const auto fate = on_frame(f.type, frame, unit_done);
    if (fate == frame_fate::stop) break;
    if (fate == frame_fate::pass) add_run(frame);
    b.pass_left = f.size - frame.size();
    b.pass_to_client = fate == frame_fate::pass;
    at += frame.size();
  }
  if (b.pass_left == 0 && !unit_done) put_synthetics();
  return at;
}

frame_fate session::on_frame(char type, std::string_view frame, bool& unit_done) {
  auto& b = *backend_;
  if (type == 'N' || type == 'S' || type == 'A') return on_async(type, frame);
  if (type == 'E') return on_error(frame);
  const auto r = b.wire.owed.on_reply(type);
  if (r.what == verdict::mismatch) {
    on_mismatch(type);
    return frame_fate::stop;
  }
  if (type == 'Z') return on_ready(frame, r, unit_done);
  if (r.what == verdict::drop) {
    if (type == 'D') collect_own_row(frame);
    if (r.entry == expected::describe_statement)
      b.wire.learn(r.change, type, frame.substr(protocol::header_size));
    return frame_fate::drop;
  }
  if (type == 'C') note_tag(frame);
  if (type == 'G') {
    commit_answer();
    flow_ = flow::flowing;
    resume_soon();
  }
  return retrying_ ? frame_fate::drop : frame_fate::pass;
}

frame_fate session::on_async(char type, std::string_view frame) {
  auto& b = *backend_;
  const bool ours = b.wire.owed.is_head_ours();
  if (type == 'A') {
    if (!retrying_) claim_notification(frame);
    freshness_.is_sampled = false;  // whoever notified has committed: that must be seen
    last_sight_ = ++worker_.sights;
    return retrying_ ? frame_fate::drop : frame_fate::pass;
  }
  if (type == 'N') {
    if (ours && phase_ == phase::opening) keep_login_notice(*login_, frame);
    return ours || retrying_ ? frame_fate::drop : frame_fate::pass;
  }
  std::string_view body = frame.substr(protocol::header_size);
  std::string_view name;
  std::string_view value;
  if (!protocol::take_string(body, name) || !protocol::take_string(body, value)) return frame_fate::drop;
  // Whether a server is a standby is the proxy's business.
  if (name == "in_hot_standby") {
    if (value == "off" && b.home.is_replica()) b.home.host()->hint_promoted();
    return frame_fate::drop;
  }
  if (name == "standard_conforming_strings" && !ours) view_standard_strings_ = value == "on";
  if (name == "client_encoding" && !ours) view_ascii_safe_ = routing::is_ascii_safe_encoding(value);
  const bool unchanged = restores_ && startup_->values.contains(lower_case(name));
  return ours || retrying_ || unchanged ? frame_fate::drop : frame_fate::pass;
}

// A notification names the process that its sender was told at login, the session itself or another client.
void session::claim_notification(std::string_view frame) const {
  if (frame.size() < protocol::header_size + 4) return;
  const auto pid = static_cast<std::int32_t>(protocol::load_u32(frame.data() + protocol::header_size));
  const auto sender = pid == backend_->pid ? key_ : worker_.key_behind(pid, group_->database);
  if (sender == 0 || sender == pid) return;
  const auto own = __builtin_bswap32(static_cast<std::uint32_t>(sender));
  // The frame lies in the worker's buffer or in the backend's: nobody else reads it any more.
  std::memcpy(const_cast<char*>(frame.data()) + protocol::header_size, &own, sizeof own);
}

frame_fate session::on_error(std::string_view frame) {
  auto& b = *backend_;
  auto error = protocol::parse_error_fields(frame.substr(protocol::header_size));
  if (protocol::is_fatal(error)) {
    b.is_doomed = b.hung_up = true;
    if (retryable_ || gone_) return frame_fate::stop;
    if (b.wire.owed.is_head_ours()) {
      note_last_words(b, error);
      return frame_fate::stop;
    }
    if (is_shutdown(error.sqlstate) && (pin_.empty() || is_on_loan_)) {  // the session outlives its server
      note_last_words(b, error);
      return frame_fate::stop;
    }
    fatal_passed_ = true;
    return frame_fate::pass;
  }
  const std::string* renamed = nullptr;
  const bool ours = b.wire.owed.is_head_ours();
  const auto r = b.wire.owed.on_reply('E');
  if (r.what == verdict::mismatch) {
    on_mismatch('E');
    return frame_fate::stop;
  }
  b.wire.revert(b.wire.owed.take_failed_change(), r.change, names_);  // its names are those before it
  b.forget_own(b.wire.owed.take_skipped_queries());
  if (ours && b.wire.proving != nullptr && r.entry != expected::query) {
    b.wire.disprove(std::string(frame));
    return frame_fate::drop;
  }
  if (!ours && may_name_statement(error.sqlstate)) {
    if (auto own = protocol::with_client_names(frame, [this](auto id) { return names_.name_of(id); }))
      renamed = &worker_.renamed.emplace_back(std::move(*own));
  }
  if (const auto* why = ours ? nullptr : reason_unprepared(error.sqlstate, error.message)) {
    renamed = &worker_.renamed.emplace_back(*why);
    error = protocol::parse_error_fields(std::string_view(*renamed).substr(protocol::header_size));
  }
  if (!ours) b.restored.clear();
  if (!ours && fresh_ != nullptr) note_fresh_answered(false);
  // The server skips to a Sync that the client has not been asked for yet.
  if (b.wire.owed.is_skipping() && flow_ == flow::in_flight) {
    flow_ = flow::flowing;
    resume_soon();
  }
  if (is_stale_plan(error.sqlstate)) worker_.forget_statements(group_->database);
  if (ours && (r.entry == expected::query)) {
    b.own_failed = true;
    b.own_error = protocol::to_report(error);
    if (!b.own.empty() && b.own.front() == own_query::prepare) b.own_error_frame.assign(frame);
    return frame_fate::drop;
  }
  if (timed_out_ && !ours && error.sqlstate == protocol::sqlstate::query_canceled) {
    timed_out_ = false;  // said once, whatever else the unit brings
    put_timeout_error();
    return frame_fate::drop;
  }
  if (refusal_ && !ours) {
    protocol::write::error_response(worker_.renamed.emplace_back(), *std::exchange(refusal_, nullptr));
    add_run(worker_.renamed.back());
    return frame_fate::drop;
  }
  // Whatever a replica could not do, the primary is asked, before the client has seen anything.
  if (retryable_ && error.sqlstate != protocol::sqlstate::query_canceled) {
    retrying_ = true;
    learn(error.sqlstate);
    worker_.to_client.clear();
    b.held.clear();
  }
  if (retrying_ || renamed == nullptr) return retrying_ ? frame_fate::drop : frame_fate::pass;
  add_run(*renamed);
  return frame_fate::drop;
}

frame_fate session::on_ready(std::string_view frame, const protocol::reply& r, bool& unit_done) {
  auto& b = *backend_;
  b.status = frame.size() > protocol::header_size ? frame[protocol::header_size] : 'I';
  if (r.whose == owner::proxy) {
    if (r.entry == expected::query) take_own_query();
    unit_done = b.wire.owed.is_empty();
    return frame_fate::drop;
  }
  if (!b.restored.empty() && !retrying_) report_restored(b);
  unit_done = b.wire.owed.is_empty();
  return retrying_ ? frame_fate::drop : frame_fate::pass;
}

void session::take_own_query() {
  auto& b = *backend_;
  if (b.own.empty()) return;
  const auto purpose = b.own.front();
  b.own.pop_front();
  const bool is_awaited = purpose != own_query::settings_prefix && purpose != own_query::wal_sample &&
                          purpose != own_query::prepare && purpose != own_query::refusal;
  if (is_awaited) {
    own_done_ = purpose;
    return;
  }
  if (purpose == own_query::wal_sample) {
    take_sample();
  } else if (purpose == own_query::prepare) {
    on_sql_prepared(b.own_failed);
  } else if (b.own_failed && purpose != own_query::refusal) {
    b.is_spoilt = true;
    log_error("Settings could not be replayed on a backend", {{"server", b.home.host()->name()},
                                                              {"sqlstate", b.own_error.sqlstate},
                                                              {"cause", b.own_error.message}});
  }
  b.own_failed = false;
  b.own_rows.clear();
}

// DEALLOCATE ALL and DISCARD ALL take the shared statements with them.
void session::note_tag(std::string_view frame) {
  const auto tag = frame.substr(protocol::header_size);
  if (fresh_ != nullptr && tag == std::string_view("PREPARE\0", 8)) note_fresh_answered(true);
  if (altering_ != nullptr && is_tag_of_alteration(tag.substr(0, tag.find('\0')))) altering_->is_done = true;
  if (!effects_.deallocates_all) return;
  if (!tag.starts_with("DEALLOCATE ALL") && !tag.starts_with("DISCARD ALL")) return;
  backend_->wire.forget_all(names_);
  if (tag.starts_with("DISCARD")) {  // nothing is left to ask for
    keeps_sequence_ = false;
    sequence_backend_ = backend_->sequence_user = 0;
  }
  sql_.reset();
  fresh_.reset();
  backend_->by_sql.reset();
}

void session::collect_own_row(std::string_view frame) {
  std::string_view body = frame.substr(protocol::header_size);
  if (body.size() < 2) return;
  const auto columns = protocol::load_u16(body.data());
  body.remove_prefix(2);
  auto& row = backend_->own_rows.emplace_back();
  for (unsigned i = 0; i < columns && body.size() >= 4; ++i) {
    const auto size = protocol::load_u32(body.data());
    body.remove_prefix(4);
    const auto n = size == 0xFFFFFFFFU ? 0 : std::min<std::size_t>(size, body.size());
    row.emplace_back(body.substr(0, n));
    body.remove_prefix(n);
  }
}

void session::put_synthetics() {
  while (const char type = backend_->wire.owed.take_synthetic()) {
    if (!retrying_) add_run(synthetic_message(type));
  }
}

void session::put_synthetics_now() {
  worker_.to_client.clear();
  put_synthetics();
  emit(false);
}

void session::add_run(std::string_view bytes) {
  auto& runs = worker_.to_client;
  if (!runs.empty()) {
    auto& last = runs.back();
    if (static_cast<const char*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return;
    }
  }
  runs.push_back({const_cast<char*>(bytes.data()), bytes.size()});
}

// Sends what has come, or holds it back while the unit might still have to run elsewhere.
void session::emit(bool unit_done) {
  auto& b = *backend_;
  auto& runs = worker_.to_client;
  if (retrying_ || runs.empty()) {
    if (unit_done && !retrying_ && !b.held.empty()) commit_answer();
    return;
  }
  std::size_t total = 0;
  for (const auto& r : runs)
    total += r.iov_len;
  const bool hold = retryable_ && !unit_done && b.held.size() + total < most_held;
  if (hold) {
    for (const auto& r : runs)
      b.held.append(static_cast<const char*>(r.iov_base), r.iov_len);
    runs.clear();
    return;
  }
  if (retryable_) commit_answer();
  send(runs, total);
  runs.clear();
  if (fatal_passed_) close_client();
}

// From here on the client has seen something of the answer: the unit is never run again.
void session::commit_answer() {
  auto& b = *backend_;
  retryable_ = false;
  if (!b.held.empty()) send(b.held);
  b.held.clear();
}

void session::on_mismatch(char type) {
  backend_->is_doomed = true;
  worker_.metrics().ledger_mismatches.add();
  log_error("Backend is out of step and is closed",
            {{"server", backend_->home.host()->name()}, {"message_type", std::string(1, type)}});
}

}  // namespace pgsteer::proxy
