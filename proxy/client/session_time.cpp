// A client that takes too long: its query is cancelled, or its session ended, as PostgreSQL's own
// timeouts would.
#include <fmt/format.h>

#include "config/values.hpp"
#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/time_limits.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;

constexpr std::chrono::seconds cancel_pause{1};      // until a query that runs on is cancelled again
constexpr std::chrono::seconds cancel_patience{10};  // then its server is taken for dead

std::string hint_of(std::string_view setting, std::chrono::milliseconds limit) {
  return fmt::format("pgsteer's {} is {}.", setting, config::to_text(limit));
}

}  // namespace

client_activity session::activity(clock::time_point now) const {
  using kind = client_activity::kind;
  if (phase_ != phase::ready) return {};
  const bool sent = flow_ == flow::in_flight || flow_ == flow::flowing || is_proving();
  const auto lasting = now - since_;
  if (sent && backend_ != nullptr && !backend_->wire.owed.is_empty())
    return {kind::running, lasting, now - backend_->transaction_since};
  if (view_.open != routing::block::none && (flow_ == flow::collecting || flow_ == flow::flowing)) {
    const auto begun = backend_ != nullptr ? now - backend_->transaction_since : lasting;
    return {flow_ == flow::collecting ? kind::idle_in_transaction : kind::running, lasting, begun};
  }
  // What has arrived and is not taken up yet is no idleness.
  if (flow_ == flow::collecting && in_ == nullptr) return {kind::idle, lasting, {}};
  return {};
}

void session::check_time(clock::time_point now) {
  const auto doing = activity(now);
  const auto limit = exceeded_limit(doing, worker_.settings());
  if (limit == time_limit::none) return;
  if (limit == time_limit::query || gone_) {
    if (doing.what == client_activity::kind::running) cancel_overdue(now);
    return;
  }
  end_overdue(limit);
}

// The answer says which limit it was. A server that does not even react to being cancelled is lost.
void session::cancel_overdue(clock::time_point now) {
  auto& b = *backend_;
  if (b.wire.owed.is_empty()) return;
  const bool is_first = !timed_out_;
  timed_out_ = true;
  if (is_first) worker_.metrics().query_timeouts.add();
  const auto overdue = now - since_ - worker_.settings().query_timeout;
  if (!is_first && flow_ == flow::in_flight && !is_backed_up() && overdue > cancel_patience)
    return on_backend_lost();
  if (b.cancels_in_flight > 0 || (!is_first && now - b.cancelled_at < cancel_pause)) return;
  b.cancelled_at = now;
  worker_.forward_cancel(b);
}

void session::end_overdue(time_limit limit) {
  const auto& s = worker_.settings();
  auto& m = worker_.metrics();
  // The server rolls back once its query has ended, which nobody waits for any more.
  const bool runs = backend_ != nullptr && !backend_->wire.owed.is_empty();
  if (runs && backend_->cancels_in_flight == 0) worker_.forward_cancel(*backend_);
  const auto end = [&](std::string_view name, const protocol::error_report& fatal) {
    log_info("A client exceeded a time limit and is disconnected",
             {{"limit", std::string(name)}, {"application", std::string(application_name())}});
    close_after(fatal);
  };
  switch (limit) {
    case time_limit::transaction:
      m.transaction_timeouts.add();
      return end("transaction_timeout",
                 protocol::fatal_error(sqlstate::transaction_timeout,
                                       "terminating connection due to transaction timeout", {},
                                       hint_of("transaction_timeout", s.transaction_timeout)));
    case time_limit::idle_in_transaction:
      m.idle_in_transaction_timeouts.add();
      return end(
          "idle_in_transaction_timeout",
          protocol::fatal_error(sqlstate::idle_in_transaction_session_timeout,
                                "terminating connection due to idle-in-transaction timeout", {},
                                hint_of("idle_in_transaction_timeout", s.idle_in_transaction_timeout)));
    case time_limit::client_idle:
      m.client_idle_timeouts.add();
      return end("client_idle_timeout",
                 protocol::fatal_error(sqlstate::idle_session_timeout,
                                       "terminating connection due to idle-session timeout", {},
                                       hint_of("client_idle_timeout", s.client_idle_timeout)));
    default:
      return;
  }
}

// In place of the server's error, which takes the cancel for the client's.
void session::put_timeout_error() {
  worker_.made.clear();
  protocol::write::error_response(
      worker_.made,
      protocol::statement_error(sqlstate::query_canceled, "canceling statement due to statement timeout", {},
                                hint_of("query_timeout", worker_.settings().query_timeout)));
  add_run(worker_.made);
}

}  // namespace pgsteer::proxy
