#include <algorithm>
#include <utility>

#include "protocol/frame.hpp"
#include "protocol/statement_names.hpp"
#include "proxy/client/extended_unit.hpp"
#include "proxy/client/lent_statement.hpp"
#include "proxy/client/sql_statements.hpp"
#include "proxy/client/statement_messages.hpp"

namespace pgsteer::proxy {

using protocol::expected;
using protocol::header_size;
using protocol::ledger_entry;
using protocol::owner;

namespace {

std::uint32_t note_name(const extended_unit::write_context& context, std::string_view name,
                        statement_ref now) {
  auto& change = context.wire.changes.emplace_back();
  if (name.empty()) {
    change.before = std::exchange(context.names.unnamed, std::move(now));
  } else {
    const statement_ref* before = context.names.find(name);
    change.name = name;
    if (before != nullptr) change.before = *before;
    context.names.set(name, std::move(now));
  }
  return static_cast<std::uint32_t>(context.wire.changes.size());
}

// The first of the changes; 0: none.
std::uint32_t note_no_names(const extended_unit::write_context& context) {
  std::vector<std::string> all;
  if (context.names.named) {
    for (const auto& [name, s] : *context.names.named)
      all.push_back(name);
  }
  std::uint32_t first = 0;
  for (const auto& name : all) {
    const auto n = note_name(context, name, nullptr);
    if (first == 0) first = n;
  }
  return first;
}

// By its first character, where the text was not understood: few texts need be read for it.
bool may_be_lent(const prepared_statement& s) {
  if (s.what->use != routing::statement_use::none) return true;
  const char first = s.parse_tail.empty() ? '\0' : s.parse_tail.front();
  return first == 'e' || first == 'E' || static_cast<unsigned char>(first) <= ' ';
}

// It is taken back: see take_back_lent().
void note_lent(backend_wire& wire, std::string_view name) {
  auto& lent = wire.close_after;
  if (std::ranges::find(lent, name) == lent.end()) lent.emplace_back(name);
}

std::string_view name_of(std::string_view frame, std::size_t at, std::size_t size) {
  return frame.substr(at, size);
}

}  // namespace

void extended_unit::write(std::string_view bytes, const write_context& context, protocol::gather& out) {
  uses_before_ = context.wire.prepared.uses();
  prepared_ = 0;
  never_lent_ = none;
  if (context.wire.owed.is_empty()) context.wire.may_copy = false;
  for (const auto& i : items_)
    write_item(i, bytes, context, out);
  if (!items_.empty() && items_.back().type == 'S') take_back_lent(context.wire, out);
}

void extended_unit::take_back_lent(backend_wire& wire, protocol::gather& out) {
  // A Sync of ours would end the server's skipping, and what it is to skip would run.
  if (wire.close_after.empty() || wire.owed.is_skipping()) return;
  for (const auto& name : wire.close_after) {
    put_close(out, name);
    wire.owed.expect({expected::close, owner::proxy, 0, 0});
  }
  put_sync(out);
  wire.owed.expect({expected::sync, owner::proxy, 0, 0});
  wire.close_after.clear();
}

void extended_unit::write_item(const item& i, std::string_view bytes, const write_context& context,
                               protocol::gather& out) {
  const std::string_view frame(bytes.data() + i.offset, i.size);
  auto& owed = context.wire.owed;
  if (context.by_client_names && i.name_size > 0) return write_shown(i, bytes, context, out);
  if (i.statement != never_lent_) lend_executed(i, context, out);
  switch (i.type) {
    case 'P':
      return write_parse(i, frame, context, out);
    case 'C':
      return write_close(i, frame, context, out);
    case 'B':
      return write_bind(i, bytes, context, out);
    case 'D':
      return write_describe(i, frame, context, out);
    case 'E':
      context.wire.may_copy = true;
      owed.expect({expected::execute, owner::client, 0,
                   end_executed(context.names.ended_by(protocol::portal_name(frame)), context, out)});
      break;
    case 'S':
      owed.expect({expected::sync, owner::client, 0, 0});
      break;
    case 'F':
      owed.expect({expected::function_call, owner::client, 0, 0});
      break;
    case 'Q':
      return write_query(frame, context, out);
    default:
      break;  // Flush, CopyData, CopyDone, CopyFail: no answer of their own
  }
  out.borrow(frame);
}

// A Query in the middle of a batch: the names of the protocol's that it uses are there for it.
void extended_unit::write_query(std::string_view frame, const write_context& context,
                                protocol::gather& out) const {
  std::uint32_t change = 0;
  if (context.names.named && !context.transaction_failed && !context.by_client_names) {
    if (query_->effects.lists_prepared) {
      show_own(context, out);
      for (const auto& [name, s] : *context.names.named)
        note_lent(context.wire, name);
    } else if (query_->kind == routing::statement_kind::deallocate && !query_->name.empty()) {
      change = lend_ended(query_->name, context, out);
    } else {
      lend(lent_name(*query_, protocol::query_text(frame)), context, out);
    }
  }
  if (context.names.unnamed) {
    const auto unnamed = note_name(context, {}, nullptr);
    change = change != 0 ? change : unnamed;
  }
  context.wire.owed.expect({expected::query, owner::client, 0, change});
  context.wire.unnamed = 0;
  out.borrow(frame);
}

// SQL's EXECUTE of a statement that was prepared by the protocol, itself prepared by the protocol: see
// lend_statement(). It is taken back behind the Sync.
void extended_unit::lend_executed(const item& i, const write_context& context, protocol::gather& out) {
  if (i.statement == none || i.type == 'C' || i.type == 'E' || context.transaction_failed ||
      context.by_client_names)
    return;
  const auto& statement = *statement_of(i);
  if (!may_be_lent(statement)) {
    never_lent_ = i.statement;
    return;
  }
  lend(lent_name(*statement.what, statement.text()), context, out);
}

void extended_unit::lend(std::string_view name, const write_context& context, protocol::gather& out) {
  const statement_ref* s = name.empty() ? nullptr : context.names.find(name);
  auto& lent = context.wire.close_after;
  if (s == nullptr) return;
  const bool was_lent = std::ranges::find(lent, name) != lent.end();
  if (was_lent) {  // and may have been ended since, or be another
    put_close(out, name);
    context.wire.owed.expect({expected::close, owner::proxy, 0, 0});
  }
  put_parse(out, name, (*s)->parse_tail);
  context.wire.owed.expect({expected::parse, owner::proxy, 0, 0});
  note_lent(context.wire, name);
}

// What of it the server skips behind an error is undone with the rest of the batch.
void extended_unit::show_own(const write_context& context, protocol::gather& out) {
  auto& wire = context.wire;
  for (const auto& s : wire.prepared.all()) {
    put_close(out, s->server_name);
    wire.prepared.remove(s->id);
    wire.owed.expect(
        {expected::close, owner::proxy, 0, note(wire, {statement_change::kind::backend_closed, {}, s})});
  }
  if (!context.names.named) return;
  for (const auto& [name, s] : *context.names.named) {
    put_parse(out, name, s->parse_tail);
    wire.owed.expect({expected::parse, owner::proxy, 0, 0});
  }
}

// A message that names a statement, while the server knows the client's statements by the client's names.
void extended_unit::write_shown(const item& i, std::string_view bytes, const write_context& context,
                                protocol::gather& out) {
  const std::string_view frame(bytes.data() + i.offset, i.size + i.behind);
  std::uint32_t ended = 0;
  if (i.type == 'B') {
    note_portal(i, statement_of(i), frame, context);
    if (i.ends && i.is_executed) ended = end_executed(statement_of(i), context, out);
  }
  out.borrow(frame);
  if (i.type == 'B') return context.wire.owed.expect_bound(i.is_described, i.is_executed, ended);
  ledger_entry entry{expected::parse, owner::client, 0, 0};
  const auto name = name_of(frame, i.name_at, i.name_size);
  if (i.type == 'P') {
    if (i.statement != none && !i.known) entry.change = note_name(context, name, statement_of(i));
  } else if (i.type == 'C') {
    entry.what = expected::close;
    if (i.known) entry.change = note_name(context, name, nullptr);
  } else if (i.type == 'D') {
    entry.what = i.sub == 'S' ? expected::describe_statement : expected::describe_portal;
  }
  context.wire.owed.expect(entry);
}

void extended_unit::write_parse(const item& i, std::string_view frame, const write_context& context,
                                protocol::gather& out) {
  auto& wire = context.wire;
  ledger_entry entry{expected::parse, owner::client, 0, 0};
  const auto name = name_of(frame, i.name_at, i.name_size);
  const auto& statement = statement_of(i);
  const bool is_there = statement && !name.empty() && !i.known && wire.prepared.touch(statement->id);
  if (!statement) {  // malformed: the server says so
    out.borrow(frame);
  } else if (i.known) {
    return write_duplicate(i, frame, context, out);
  } else if (name.empty()) {
    entry.change = note_name(context, name, statement);
    wire.unnamed = statement->id;
    out.borrow(frame);
  } else if (is_there && !context.transaction_failed && !context.is_stalled) {
    entry.change = note_name(context, name, statement);
    if (wire.may_copy) return write_unneeded(entry, context, out);
    entry = {expected::synthetic, owner::client, '1', entry.change};
  } else {
    make_room(context, out);
    entry.change = note_name(context, name, statement);
    note(wire, {statement_change::kind::backend_added, {}, statement});
    // In a failed block the server may refuse it, or the batch has ended the block by then. Of a batch that
    // stalls statement_timeout begins with its first message.
    if (wire.names_uncertain || is_there) {
      put_close(out, statement->server_name);
      wire.owed.expect({expected::close, owner::proxy, 0, 0});
      wire.prepared.remove(statement->id);
    }
    wire.prepared.add(statement);
    put_parse(out, statement->server_name, statement->parse_tail);
    wire.owed.expect(entry);
    if (statement->result == 0 && context.learns && !context.transaction_failed)
      ask_result(statement, wire, out);
    return;
  }
  wire.owed.expect(entry);
}

// A Parse or Close that the server need not see, but for the COPY that it would end: of a name for nothing.
void extended_unit::write_unneeded(const ledger_entry& entry, const write_context& context,
                                   protocol::gather& out) {
  const auto name = protocol::statement_name_on_server(0);
  auto& owed = context.wire.owed;
  const bool is_parse = entry.what == expected::parse;
  if (is_parse) put_parse(out, name, std::string_view("\0\0\0", 3));
  if (is_parse) owed.expect(entry);
  put_close(out, name);
  owed.expect(is_parse ? ledger_entry{expected::close, owner::proxy, 0, 0} : entry);
}

void extended_unit::note_portal(const item& i, const statement_ref& s, std::string_view frame,
                                const write_context& context) {
  const bool is_pending = i.ends && !i.is_executed;
  if (!is_pending && !context.names.ending) return;
  context.names.bind_portal(protocol::portal_name(frame), is_pending ? s : nullptr);
}

// A DEALLOCATE or DISCARD ALL is executed, or nothing of the kind. The change to the client's names; 0: none.
std::uint32_t extended_unit::end_executed(const statement_ref& s, const write_context& context,
                                          protocol::gather& out) {
  if (s == nullptr) return 0;
  if (!s->what->effects.deallocates_all) return lend_ended(s->what->name, context, out);
  const auto first = forget_prepared(context.wire);
  const auto names = note_no_names(context);
  return first != 0 ? first : names;
}

// DEALLOCATE of a name that only the proxy knows, where it is executed: the server is lent something of that
// name to end. The name is the client's until then. The change to its names; 0: none.
std::uint32_t extended_unit::lend_ended(const std::string& name, const write_context& context,
                                        protocol::gather& out) {
  if (context.names.find(name) == nullptr) return 0;
  if (!context.by_client_names) {
    auto& wire = context.wire;
    put_close(out, name);  // it may be lent already, or have been ended
    wire.owed.expect({expected::close, owner::proxy, 0, 0});
    put_parse(out, name, std::string_view("\0\0\0", 3));
    wire.owed.expect({expected::parse, owner::proxy, 0, 0});
    note_lent(wire, name);
  }
  return note_name(context, name, nullptr);
}

// The name is in use: make the server refuse it in its own words. It must know the name for that,
// and forget it afterwards.
void extended_unit::write_duplicate(const item& i, std::string_view frame, const write_context& context,
                                    protocol::gather& out) {
  const auto name = name_of(frame, i.name_at, i.name_size);
  put_parse(out, name, std::string_view("\0\0\0", 3));
  context.wire.owed.expect({expected::parse, owner::proxy, 0, 0});
  out.borrow(frame);
  context.wire.owed.expect({expected::parse, owner::client, 0, 0});
  context.wire.close_after.emplace_back(name);
}

void extended_unit::write_close(const item& i, std::string_view frame, const write_context& context,
                                protocol::gather& out) {
  auto& owed = context.wire.owed;
  const auto name = name_of(frame, i.name_at, i.name_size);
  if (i.sub == 'S' && i.known && !name.empty()) {
    const auto change = note_name(context, name, nullptr);
    if (context.wire.may_copy)
      return write_unneeded({expected::close, owner::client, 0, change}, context, out);
    return owed.expect({expected::synthetic, owner::client, '3', change});
  }
  ledger_entry entry{expected::close, owner::client, 0, 0};
  if (i.sub == 'S' && name.empty()) {
    entry.change = note_name(context, name, nullptr);
    context.wire.unnamed = 0;
  }
  out.borrow(frame);
  owed.expect(entry);
}

void extended_unit::write_bind(const item& i, std::string_view bytes, const write_context& context,
                               protocol::gather& out) {
  const std::string_view frames(bytes.data() + i.offset, i.size + i.behind);
  note_portal(i, statement_of(i), frames, context);
  std::uint32_t ended = 0;
  if (i.known && i.name_size > 0) {
    const auto& statement = statement_of(i);
    if (prepared_ != statement->id) ensure_prepared(statement, context, out);
    if (i.ends && i.is_executed) ended = end_executed(statement_of(i), context, out);
    put_renamed(i, frames, statement->server_name, out);
  } else {  // where it is not known, the server says so
    if (i.known) ensure_unnamed(statement_of(i), context, out);
    if (!i.known && names_unnamed(i)) ensure_no_unnamed(context, out);
    if (i.ends && i.is_executed) ended = end_executed(statement_of(i), context, out);
    out.borrow(frames);
  }
  context.wire.owed.expect_bound(i.is_described, i.is_executed, ended);
  auto& may_copy = context.wire.may_copy;
  may_copy = may_copy || (i.is_executed && may_read_data(i));
}

// COPY FROM STDIN, as far as its kind and first character tell.
bool extended_unit::may_read_data(const item& i) const {
  if (!i.known) return true;
  const auto& s = *statement_of(i);
  if (s.what->kind != routing::statement_kind::write) return false;
  const char first = s.parse_tail.front();
  return first == 'c' || first == 'C' || first == '-' || first == '/' ||
         static_cast<unsigned char>(first) <= ' ';
}

void extended_unit::forget_closed(std::string_view bytes, std::unique_ptr<sql_statements>& own,
                                  std::unique_ptr<sql_statements>& on_backend) const {
  if (own == nullptr) return;
  for (const auto& i : items_) {
    if (i.type != 'C' || i.sub != 'S' || i.name_size == 0 || i.known) continue;
    const auto name = name_of(bytes.substr(i.offset), i.name_at, i.name_size);
    erase_from(on_backend, name);
    erase_from(own, name);
  }
}

// The first of the changes; 0: none. Until it is answered the names may be there or not.
std::uint32_t extended_unit::forget_prepared(backend_wire& wire) {
  std::uint32_t first = 0;
  for (const auto& s : wire.prepared.all()) {
    const auto n = note(wire, {statement_change::kind::backend_closed, {}, s});
    if (first == 0) first = n;
  }
  wire.prepared.clear();
  wire.names_uncertain = true;
  prepared_ = 0;
  return first;
}

void extended_unit::write_describe(const item& i, std::string_view frame, const write_context& context,
                                   protocol::gather& out) {
  const bool is_named = i.known && i.name_size > 0;
  if (is_named) {
    const auto& statement = statement_of(i);
    if (prepared_ != statement->id) ensure_prepared(statement, context, out);
    put_renamed(i, frame, statement->server_name, out);
  } else {  // a portal, or a name that only the server may know
    if (i.known) ensure_unnamed(statement_of(i), context, out);
    if (!i.known && names_unnamed(i)) ensure_no_unnamed(context, out);
    out.borrow(frame);
  }
  const auto what = i.sub == 'S' ? expected::describe_statement : expected::describe_portal;
  context.wire.owed.expect({what, owner::client, 0, 0});
}

// With what is behind it.
void extended_unit::put_renamed(const item& i, std::string_view frames, std::string_view name,
                                protocol::gather& out) {
  const auto before = std::string_view(frames.data() + header_size, i.name_at - header_size);
  const auto rest = protocol::rest_of(frames, i.name_at + i.name_size);
  constexpr std::size_t worth_borrowing = 4096;
  const bool is_borrowed = rest.size() >= worth_borrowing;
  const auto here = before.size() + name.size() + (is_borrowed ? 0 : rest.size());
  const auto body = i.whole - header_size - i.name_size + name.size();
  auto* const at = put(put(put_header(out, i.type, here, body), before), name);
  if (is_borrowed) return out.borrow(rest);
  put(at, rest);
}

}  // namespace pgsteer::proxy
