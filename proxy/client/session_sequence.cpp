// currval() and lastval(): values that live in one backend's session. The session goes back to the
// backend where it last may have drawn from a sequence, as long as nobody else has done so there;
// sessions of an application that has asked for such values keep theirs from their next write on.

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/sql_words.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

bool names_sequence_values(std::string_view sql) {
  return holds(sql, "currval") || holds(sql, "lastval");
}

}  // namespace

void session::note_sequence_use(const routing::classification& c, backend& b) {
  using enum routing::statement_kind;
  const bool is_control = c.kind == transaction && c.verb != routing::transaction_verb::mixed;
  if (c.kind == empty || c.kind == set || is_control) return;  // draws nothing
  b.sequence_user = serial_;
  sequence_backend_ = b.id;
  if (group_->sequence_users.contains(settings_->get("application_name"))) keeps_sequence_ = true;
}

// A table, function or rule that asks for such values is used before the catalog is read again.
void session::note_sequence_words(std::string_view ddl) {
  if (names_sequence_values(ddl)) note_sequence_user();
}

// What runs any SQL (query_to_xml()) asks for them where its text does.
bool session::asks_sequence(const unit_view& u, const routing::classification& c) const {
  const auto& may = c.effects;
  if (may.uses_session_sequence) return true;
  if (!may.may_set || !may.may_pin || !may.calls_nextval) return false;
  return names_sequence_values(u.bytes) || (u.is_extended && worker_.unit->has_text(names_sequence_values));
}

void session::note_sequence_user() {
  constexpr std::size_t most_names = 100;
  if (group_->sequence_users.size() < most_names)
    group_->sequence_users.emplace(settings_->get("application_name"));
}

// True: leased or waiting for it. False: the values are gone.
bool session::acquire_sequence_backend() {
  note_sequence_user();
  if (sequence_backend_ == 0) return true;  // nothing drawn: any server says so
  auto& home = worker_.pool_for(*group_, worker_.config().servers->primary);
  backend* b = home.find(sequence_backend_);
  if (b == nullptr || b->sequence_user != serial_) return false;
  if (home.lease_exact(*this, *b)) {
    backend_ = b;
  } else {
    flow_ = flow::waiting;
  }
  keeps_sequence_ = true;
  return true;
}

std::size_t session::refuse_sequence(const unit_view& u) {
  refuse_unit(u,
              protocol::statement_error(
                  protocol::sqlstate::object_not_in_prerequisite_state,
                  "the sequence value of this session is no longer known",
                  "currval() and lastval() live in a server connection that other clients have used since.",
                  "Use INSERT ... RETURNING. From now on pgsteer keeps the connection of a session that has "
                  "written."));
  return u.bytes.size();
}

}  // namespace pgsteer::proxy
