#include <algorithm>

#include "protocol/message_writer.hpp"
#include "protocol/row_description.hpp"
#include "proxy/client/extended_unit.hpp"
#include "proxy/client/statement_messages.hpp"

namespace pgsteer::proxy {

using protocol::expected;
using protocol::owner;

namespace {

// As PostgreSQL says it where it has the statement from before the change: clients look at the routine.
std::string plan_has_changed() {
  protocol::error_report report;
  report.severity = "ERROR";
  report.sqlstate = protocol::sqlstate::feature_not_supported;
  report.message = "cached plan must not change result type";
  report.file = "plancache.c";
  report.line = "730";
  report.routine = "RevalidateCachedQuery";
  std::string frame;
  protocol::write::error_response(frame, report);
  return frame;
}

// By its first letter it may be SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE or WITH. FETCH and
// EXECUTE give whatever their cursor or statement gives, and PostgreSQL does not mind that it changes. Text
// that begins with a comment is left alone.
bool has_fixed_result(const prepared_statement& s) {
  if (s.what->use != routing::statement_use::none) return false;
  const auto text = s.text();
  const auto at = text.find_first_not_of(" \t\r\n(");
  return at != std::string_view::npos &&
         std::string_view("sSiIuUdDmMvVtTwW").find(text[at]) != std::string_view::npos;
}

}  // namespace

void extended_unit::ensure_prepared(const statement_ref& s, const write_context& context,
                                    protocol::gather& out) {
  auto& wire = context.wire;
  prepared_ = s->id;
  if (wire.prepared.touch(s->id)) return;
  const bool is_refused = wire.is_disproved(s->id);
  if (!is_refused) make_room(context, out);
  if (wire.names_uncertain || is_refused) {
    put_close(out, s->server_name);
    wire.owed.expect({expected::close, owner::proxy, 0, 0});
  }
  if (!is_refused) prepare(s, context, out);
}

void extended_unit::prepare(const statement_ref& s, const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  if (s->group == group_) {
    put_parse(out, s->server_name, s->parse_tail);
  } else {
    put_parse(out, s->server_name, s->tail_as_made());
  }
  wire.prepared.add(s);
  if (context.reads_otherwise || changes_.changes_reading) wire.doubtful.push_back(s);
  wire.owed.expect(
      {expected::parse, owner::proxy, 0, note(wire, {statement_change::kind::backend_added, {}, s})});
  if (s->result == 0 && context.learns && !context.transaction_failed) ask_result(s, wire, out);
}

// What a statement gives is asked once, when it is made: so it can be told later whether it still is the
// same.
void extended_unit::ask_result(const statement_ref& s, backend_wire& wire, protocol::gather& out) {
  put_named(out, 'D', s->server_name);
  wire.owed.expect({expected::describe_statement, owner::proxy, 0,
                    note(wire, {statement_change::kind::described, {}, s})});
}

// What a batch does before it comes to a statement may change what that means, or end the transaction: only
// queries may be in front of it.
bool extended_unit::write_proof(const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  if (context.by_client_names || context.transaction_failed) return false;
  uses_before_ = wire.prepared.uses();
  for (const auto& i : items_) {
    if (i.type == 'B' || i.type == 'D') {
      if (needs_proof(i, wire)) {
        prove(statement_of(i), context, out);
        return true;
      }
      if (i.is_executed && !is_query(i)) return false;
    } else if (i.type == 'E' || i.type == 'Q' || i.type == 'F') {
      return false;
    }
  }
  return false;
}

bool extended_unit::needs_proof(const item& i, backend_wire& wire) const {
  if (i.statement == none || i.name_size == 0) return false;
  const auto& s = *statement_of(i);
  if (s.group == group_ || s.result == 0 || !has_fixed_result(s)) return false;
  return !wire.is_disproved(s.id) && !wire.prepared.touch(s.id);
}

bool extended_unit::is_query(const item& i) const {
  if (i.statement == none || !has_fixed_result(*statement_of(i))) return false;
  const auto& c = *statement_of(i)->what;
  const bool is_plain = c.kind == routing::statement_kind::read || c.kind == routing::statement_kind::write;
  return is_plain && !c.effects.changes_catalog && !c.effects.may_set && !c.effects.sets_local;
}

void extended_unit::prove(const statement_ref& s, const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  wire.proving = s;
  ensure_prepared(s, context, out);
  ask_result(s, wire, out);
  put_sync(out);
  wire.owed.expect({expected::sync, owner::proxy, 0, 0});
}

void backend_wire::learn(std::uint32_t change, char type, std::string_view body) {
  if (change == 0 || change > changes.size()) return;
  const auto& s = *changes[change - 1].before;
  if (type == 't') {
    if (s.result == 0) s.parameters = body;
    return;
  }
  const auto result = protocol::result_digest(body);
  if (s.result == 0) s.result = result;
  if (proving == nullptr || s.result == result) return;
  disprove(plan_has_changed());
  close_after.push_back(s.server_name);
}

void backend_wire::disprove(std::string error) {
  prepared.remove(proving->id);
  disproved.push_back({proving->id, proving->server_name, std::move(error)});
}

bool backend_wire::is_disproved(std::uint64_t id) const {
  return std::ranges::find(disproved, id, &disproved_statement::id) != disproved.end();
}

void extended_unit::ensure_unnamed(const statement_ref& s, const write_context& context,
                                   protocol::gather& out) {
  auto& wire = context.wire;
  if (wire.unnamed == s->id) return;
  put_parse(out, {}, s->parse_tail);
  wire.unnamed = s->id;
  wire.owed.expect(
      {expected::parse, owner::proxy, 0, note(wire, {statement_change::kind::backend_unnamed, {}, s})});
}

// The client has no unnamed statement; the one that is there is another client's, or nobody knows.
void extended_unit::ensure_no_unnamed(const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  put_close(out, {});
  wire.unnamed = 0;
  wire.owed.expect({expected::close, owner::proxy, 0, 0});
}

void extended_unit::make_room(const write_context& context, protocol::gather& out) const {
  auto& wire = context.wire;
  if (wire.prepared.size() < context.max_prepared) return;
  const auto old = wire.prepared.oldest(uses_before_);
  if (!old) return;
  put_close(out, old->server_name);
  wire.prepared.remove(old->id);
  wire.owed.expect(
      {expected::close, owner::proxy, 0, note(wire, {statement_change::kind::backend_closed, {}, old})});
}

}  // namespace pgsteer::proxy
