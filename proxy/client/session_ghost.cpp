// A transaction block whose server is gone. The client learns of it once; then the block is one that
// failed, and stays so until the client ends it, as on a server.
#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
namespace write = protocol::write;
using protocol::unit_end;
using routing::transaction_verb;

bool ends_block(transaction_verb verb) {
  return verb == transaction_verb::commit || verb == transaction_verb::rollback;
}

}  // namespace

// The server went while the client was idle in its block.
void session::lose_block(std::optional<protocol::error_report> why) {
  drop_backend();
  is_ghost_ = true;
  view_.failed = true;
  effects_ = {};
  flow_ = flow::collecting;
  if (why) {
    why->message += " while the transaction was open";
    why->detail = "The transaction is rolled back.";
    why->hint = "Run the transaction again.";
    loss_ = std::make_unique<protocol::error_report>(std::move(*why));
  }
  resume_soon();
}

void session::answer_without_server(const unit_view& u, const routing::classification& c) {
  if (u.missing > 0) {
    return close_after(protocol::fatal_error(sqlstate::connection_failure,
                                             "the connection to the server was lost", {}, "Connect again."));
  }
  if (!u.is_extended && u.end == unit_end::flush) return;
  if (!u.is_extended && u.end == unit_end::sync) return send(std::string_view("Z\0\0\0\5E", 6));
  const auto loss = std::exchange(loss_, nullptr);
  const bool ends = ends_block(c.verb);
  if (ends && u.end != unit_end::flush && !(loss && c.verb == transaction_verb::commit)) return end_ghost(u);
  if (ends && u.end != unit_end::flush) is_ghost_ = false;  // COMMIT: it failed, and the block is over
  if (!is_ghost_) {
    view_.open = routing::block::none;
    view_.failed = false;
  }
  refuse_in_ghost(
      u, loss ? *loss
              : protocol::statement_error(
                    sqlstate::in_failed_sql_transaction,
                    "current transaction is aborted, commands ignored until end of transaction block"));
}

void session::refuse_in_ghost(const unit_view& u, const protocol::error_report& why) {
  std::string bytes;
  write::error_response(bytes, why);
  skip_to_sync_ = u.end == unit_end::flush;
  if (!skip_to_sync_) write::ready_for_query(bytes, is_ghost_ ? 'E' : 'I');
  send(bytes);
}

// ROLLBACK, or COMMIT of a block known to have failed: what a server answers.
void session::end_ghost(const unit_view& u) {
  is_ghost_ = false;
  view_.open = routing::block::none;
  view_.failed = false;
  std::string bytes;
  if (!u.is_extended) {
    write::command_complete(bytes, "ROLLBACK");
    write::ready_for_query(bytes, 'I');
    return send(bytes);
  }
  for (std::string_view rest = u.bytes; !rest.empty();) {
    const auto f = protocol::peek_frame(rest);
    switch (f.type) {
      case 'P':
        write::parse_complete(bytes);
        break;
      case 'B':
        write::bind_complete(bytes);
        break;
      case 'C':
        write::close_complete(bytes);
        break;
      case 'D':
        if (rest[protocol::header_size] == 'S') write::parameter_description(bytes, {});
        write::no_data(bytes);
        break;
      case 'E':
        write::command_complete(bytes, "ROLLBACK");
        break;
      case 'S':
      case 'Q':
        write::ready_for_query(bytes, 'I');
        break;
      default:
        break;
    }
    rest.remove_prefix(std::min(f.size, rest.size()));
  }
  send(bytes);
}

}  // namespace pgsteer::proxy
