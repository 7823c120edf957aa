// A session whose server connection is gone: what the client is told, and what goes on without it.
#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
namespace write = protocol::write;

}  // namespace

protocol::error_report session::lost_error() const {
  const auto& b = *backend_;
  const auto name = b.home.host()->name();
  const auto said = b.last_words.empty() ? std::string() : fmt::format(" The server said: {}.", b.last_words);
  if (is_commit_) {
    return protocol::statement_error(sqlstate::transaction_resolution_unknown,
                                     fmt::format("the connection to server {} was lost during COMMIT", name),
                                     "The transaction may or may not have been committed." + said,
                                     "Look for its effects before you run it again.");
  }
  return protocol::statement_error(
      sqlstate::connection_failure, fmt::format("the connection to server {} was lost", name),
      "The statement may have had an effect: it was sent and not answered." + said,
      "Check whether it took effect before you run it again.");
}

void session::on_backend_lost() {
  worker_.metrics().backend_losses.add();
  auto& host = *backend_->home.host();
  host.forget_replayed();
  if (backend_->was_terminated) {  // one process only, for all that is known: its monitor asks
    host.hasten();
  } else {
    host.report_failure();
    host.note_failure(worker_.loop.now());
  }
  lose_backend();
}

// It has broken, or nothing that it may still say counts.
void session::lose_backend() {
  auto& b = *backend_;
  // The client has its answer; what is open was asked behind it, by the proxy.
  if (flow_ == flow::in_flight && !gone_ && !retryable_ && !retrying_ && !b.wire.owed.is_empty() &&
      !b.wire.owed.owes_client()) {
    is_commit_ = false;
    note_answer();
  }
  const bool unit_running = flow_ == flow::in_flight || flow_ == flow::flowing;
  own_done_.reset();
  b.is_doomed = true;
  if (gone_) {
    drop_backend();
    return end();
  }
  if (phase_ == phase::opening) {
    drop_backend();
    flow_ = flow::collecting;
    return refuse_login(protocol::fatal_error(
        sqlstate::connection_failure, "the server connection was lost during login", {}, "Connect again."));
  }
  if (unit_running && retryable_) return retry_elsewhere(true);
  // What a write may only have run for all that is known is taken to have left nothing: its client has its
  // answer.
  effects_.meets_unknown = false;
  effects_.leaves_empty = false;
  // Its state is gone, or the client has half a message: nothing can be mended.
  const bool has_state = !pin_.empty() || (flow_ == flow::settling && needs_state_probe());
  const bool session_is_lost = (has_state && !is_on_loan_) || b.pass_left > 0;
  const bool in_block = view_.open != routing::block::none;
  if (!session_is_lost && !unit_running && is_in_split_block() && block_movable_) return leave_lost_block();
  // By whom, tells only what becomes of its server.
  const auto host = b.was_terminated && !b.home.is_replica() ? b.home.host() : nullptr;
  const auto opened = b.opened;
  if (host != nullptr && b.resident != 0 && b.resident != serial_)
    worker_.await_verdict(b.resident, host, opened);
  if (!session_is_lost && in_block && !unit_running) {
    lose_block(lost_error());
    if (host != nullptr) worker_.await_verdict(serial_, host, opened);
    return;
  }
  const bool is_granted_only = flow_ == flow::collecting && !in_block && (pin_.empty() || is_on_loan_);
  if (!session_is_lost && (flow_ == flow::preparing || is_granted_only)) {  // nothing of the unit was sent
    flow_ = flow::collecting;
    drop_backend();
    return worker_.loop.soon(*this);
  }
  if (!session_is_lost && flow_ == flow::settling) {
    flow_ = flow::collecting;
    drop_backend();
    return host != nullptr ? worker_.await_verdict(serial_, host, opened) : resume_soon();
  }
  auto why = lost_error();
  if (session_is_lost) {
    // Its server process's end is its own, whoever ended it.
    if (b.was_terminated) {
      drop_backend();
      return die_with_backend();
    }
    why.severity = "FATAL";
    drop_backend();
    return close_after(why);
  }
  skip_to_sync_ = flow_ == flow::flowing && !b.wire.owed.is_head_query();
  drop_backend();
  if (in_block && !is_commit_) {
    is_ghost_ = true;
    view_.failed = true;
  } else {
    view_.open = routing::block::none;
  }
  if (host == nullptr) return fail_unit(why);
  flow_ = flow::bereaved;
  is_unit_lost_ = true;
  loss_ = std::make_unique<protocol::error_report>(std::move(why));
  worker_.await_verdict(serial_, host, opened);
}

// Until then the client is told nothing, and nothing of it runs elsewhere.
void session::await_verdict() {
  if (phase_ == phase::ready && flow_ == flow::collecting && !wait_.is_linked()) flow_ = flow::bereaved;
}

// Who ends one process ends the client that was told it, whatever process that has now; a server that stops
// takes nobody with it.
void session::on_verdict(bool was_alone) {
  if (gone_ || phase_ != phase::ready) return;
  if (was_alone) return die_with_backend();
  if (flow_ != flow::bereaved) return;
  flow_ = flow::collecting;
  // Of a block that was lost while the client was idle, the next unit tells.
  if (!is_unit_lost_) return resume_soon();
  is_unit_lost_ = false;
  const auto why = std::exchange(loss_, nullptr);
  fail_unit(*why);
}

void session::die_with_backend() {
  if (flow_ == flow::in_flight && backend_ != nullptr && !is_read_ && backend_->cancels_in_flight == 0)
    worker_.forward_cancel(*backend_);  // or it would run to its end
  close_after(
      protocol::fatal_error(sqlstate::admin_shutdown, "terminating connection due to administrator command"));
}

// The session's own server connection ended while a read runs beside it: so does the session, with the
// server's last words.
void session::on_held_lost() {
  auto& own = *held_;
  std::string bytes = std::move(own.carry);
  const auto r = own.io.read(worker_.buffer);
  if (r.status == io_status::ok) bytes.append(worker_.buffer.data(), r.size);
  const auto f = protocol::peek_frame(bytes);
  const bool has_words = f.is_header_known() && f.type == 'E' && f.size <= bytes.size();
  auto why = has_words ? protocol::to_report(protocol::parse_error_fields(std::string_view(bytes).substr(
                             protocol::header_size, f.size - protocol::header_size)))
                       : lost_error();
  why.severity = why.severity_localized = "FATAL";
  own.is_doomed = true;
  close_after(why);
}

void session::fail_unit(const protocol::error_report& why) {
  std::string bytes;
  write::error_response(bytes, why);
  if (!skip_to_sync_) write::ready_for_query(bytes, is_ghost_ ? 'E' : 'I');
  flow_ = flow::collecting;
  tries_ = 0;
  effects_ = {};
  send(bytes);
  worker_.loop.soon(*this);
}

void session::on_server_down(const server& s) {
  if (tunnel_ != nullptr && tunnel_->host().get() == &s && s.is_excluded()) return end();
  if (held_ != nullptr && held_->home.host().get() == &s && s.is_excluded()) {
    held_->is_doomed = has_held_stirred_ = true;  // acted upon when the read beside it is over
    return;
  }
  if (backend_ == nullptr || backend_->home.host().get() != &s) return;
  const bool idle_read = retryable_ && (flow_ == flow::in_flight);
  // Another server is the primary: what this one still says, if anything, counts no more.
  if (idle_read || s.is_excluded()) lose_backend();
}

// The replica went while nothing of the block ran there: it goes on elsewhere, with the next unit.
void session::leave_lost_block() {
  worker_.metrics().moves.add();
  drop_backend();
  effects_ = {};
  view_.open = routing::block::on_primary;
  begin_on_primary_ = true;
  flow_ = flow::collecting;
  resume_soon();
}

}  // namespace pgsteer::proxy
