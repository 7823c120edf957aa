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
  if (s->result == 0 && !context.transaction_failed) ask_result(s, wire, out);
}

// What a statement gives is asked once, when it is made: so it can be told later whether it still is the
// same.
void extended_unit::ask_result(const statement_ref& s, backend_wire& wire, protocol::gather& out) {
  put_named(out, 'D', s->server_name);
  wire.owed.expect({expected::describe_statement, owner::proxy, 0,
                    note(wire, {statement_change::kind::described, {}, s})});
}

bool extended_unit::write_proof(const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  if (context.by_client_names || context.transaction_failed) return false;
  uses_before_ = wire.prepared.uses();
  for (const auto& i : items_) {
    if (i.type == 'C' || i.type == 'P' || i.statement == none || i.name_size == 0) continue;
    const auto& s = statement_of(i);
    if (s->group == group_ || s->result == 0 || wire.is_disproved(s->id) || wire.prepared.touch(s->id))
      continue;
    if (s->what->use != routing::statement_use::none) continue;  // EXECUTE gives whatever the other one gives
    wire.proving = s;
    ensure_prepared(s, context, out);
    ask_result(s, wire, out);
    put_sync(out);
    wire.owed.expect({expected::sync, owner::proxy, 0, 0});
    return true;
  }
  return false;
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
  if (proving != nullptr && s.result != result) disprove(plan_has_changed());
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
