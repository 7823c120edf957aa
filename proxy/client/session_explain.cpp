// What of its route a session explains and counts: EXPLAIN ROUTE, and the table of statements.
#include <algorithm>
#include <array>

#include "protocol/frame.hpp"
#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace write = protocol::write;
using routing::statement_kind;

constexpr std::chrono::minutes refused_for{10};  // what a standby refuses
constexpr std::chrono::minutes behind_for{1};    // what it could not do yet, or only now

// How long a statement stays away from replicas that one of them has answered so; 0: it may try again.
std::chrono::minutes learned_for(std::string_view sqlstate) {
  if (sqlstate == "25006" || sqlstate == "0A000" || sqlstate == "55000" || sqlstate == "XX000")
    return refused_for;
  if (sqlstate == "40001" || sqlstate == "42P01" || sqlstate == "42883" || sqlstate == "42703")
    return behind_for;
  return std::chrono::minutes{0};
}

std::string_view word_of(statement_kind kind) {
  switch (kind) {
    case statement_kind::empty:
      return "empty";
    case statement_kind::read:
      return "read";
    case statement_kind::transaction:
      return "transaction control";
    case statement_kind::set:
    case statement_kind::set_local:
    case statement_kind::show:
      return "setting";
    case statement_kind::declare_cursor_read:
    case statement_kind::cursor_use:
      return "cursor";
    case statement_kind::explain_route:
    case statement_kind::deallocate:
    case statement_kind::write:
      break;
  }
  return "write";
}

constexpr std::array<std::string_view, 3> columns{"target", "reason", "class"};

void answer_frame(char type, char sub, std::span<const std::string_view> row, std::string& out) {
  switch (type) {
    case 'P':
      return write::parse_complete(out);
    case 'B':
      return write::bind_complete(out);
    case 'C':
      return write::close_complete(out);
    case 'D':
      if (sub == 'S') write::parameter_description(out, {});
      return write::row_description(out, columns);
    case 'E':
      write::data_row(out, row);
      return write::command_complete(out, "EXPLAIN");
    default:
      return;
  }
}

}  // namespace

bool session::is_learned(const routing::classification& c) {
  const auto* slot = worker_.board_statements().find(c.mark);
  return slot != nullptr && slot->learned_until > worker_.loop.now();
}

void session::learn(std::string_view sqlstate) {
  const auto time = learned_for(sqlstate);
  auto* slot = worker_.board_statements().find(mark_);
  if (slot == nullptr || time.count() == 0) return;
  slot->learned_until = worker_.loop.now() + time;
  worker_.metrics().statements_learned.add();
}

// Why a read that any replica may answer ran on the primary.
route_reason session::why_held() const {
  const bool shares = worker_.settings().primary_reads == config::reads_on_primary::share;
  if (worker_.config().servers->replicas.empty()) return route_reason::no_replica;
  if (shares) return route_reason::shared;
  switch (held_by_) {
    case held_by::lagging:
      return route_reason::replica_lag;
    case held_by::stale:
      return route_reason::replica_behind;
    case held_by::catalog:
      return route_reason::catalog;
    case held_by::wish:
      return route_reason::held;
    case held_by::ending:
      return route_reason::pinned;
    default:
      return route_reason::replica_down;
  }
}

// Before the unit is counted in the metrics, which forget why it came here.
void session::note_statement(const routing::classification& c, const backend& b) {
  mark_ = c.mark;
  const auto& servers = *worker_.config().servers;
  if (b.home.is_replica()) {
    held_by_ = held_by::count_;
  } else if (force_primary_) {
    held_by_ = held_by::retried;
  } else if (is_diverted_) {
    held_by_ = held_by::learned;
  } else if (view_.open != routing::block::none) {
    held_by_ = held_by::block;
  } else if (wants_replica_ && awaits_catalog(c)) {
    held_by_ = held_by::catalog;
  } else if (wants_replica_ && worker_.may_have_ended()) {
    held_by_ = held_by::ending;
  } else if (wants_replica_) {
    const bool is_any = std::ranges::any_of(servers.replicas, [](const auto& s) { return s->is_usable(); });
    held_by_ = !is_any                                 ? held_by::absent
               : worker_.do_all_replicas_lag(max_lag_) ? held_by::lagging
                                                       : held_by::stale;
  } else if (c.kind == statement_kind::read) {
    held_by_ = pin_.empty() ? held_by::wish : held_by::pin;
  } else {
    held_by_ = c.lacks_setting ? held_by::setting : held_by::itself;
  }
}

void session::count_statement(std::uint64_t us) {
  auto* slot = worker_.board_statements().find(mark_);
  if (slot == nullptr) return;
  auto& counted =
      held_by_ == held_by::count_ ? slot->on_replica : slot->on_primary[static_cast<std::size_t>(held_by_)];
  counted.times.add();
  counted.us.add(us);
}

bool session::explain_route(const unit_view& u, const routing::classification& c) {
  if (c.kind != statement_kind::explain_route || u.missing > 0 || view_.failed) return false;
  if (u.is_extended && u.end != protocol::unit_end::sync) return false;
  const std::string sql = c.value;
  const auto known = by_settings(judge_text(sql));
  if (rules_number_ != worker_.rules_number) refresh_wishes();
  view_.pin = pin_;
  view_.reads_may_leave = !pin_.empty() && lends_reads_ && temporary_ == nullptr;
  const auto decided = routing::decide(known, view_);
  const bool stays = decided.where == routing::target::stay && view_.open == routing::block::on_replica;
  const bool is_replica = stays || decided.where == routing::target::replica;
  const bool may_leave = is_replica && !stays;
  const auto kept_by = may_leave && awaits_catalog(known)                   ? held_by::catalog
                       : may_leave && is_learned(known)                     ? held_by::learned
                       : may_leave && worker_.do_all_replicas_lag(max_lag_) ? held_by::lagging
                                                                            : held_by::itself;
  const bool is_kept_back = kept_by != held_by::itself;
  const std::array<std::string_view, 3> row{is_replica && !is_kept_back ? "replica" : "primary",
                                            is_kept_back ? to_string(kept_by) : decided.reason,
                                            word_of(known.kind)};
  std::string out;
  if (u.is_extended) {
    for (std::size_t at = 0; at < u.bytes.size();) {
      const auto f = protocol::peek_frame(u.bytes.substr(at));
      const char sub = f.size > protocol::header_size ? u.bytes[at + protocol::header_size] : '\0';
      answer_frame(f.type, sub, row, out);
      at += f.size;
    }
  } else {
    write::row_description(out, columns);
    answer_frame('E', '\0', row, out);
  }
  write::ready_for_query(out, view_.open == routing::block::none ? 'I' : 'T');
  send(out);
  return true;
}

}  // namespace pgsteer::proxy
