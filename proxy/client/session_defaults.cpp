// What the session began with, when ALTER ROLE or ALTER DATABASE has changed what new ones begin with.
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

// Of a unit that is sent to the primary and may define or change something.
void session::note_definition(const unit_view& u, const routing::classification& c) {
  note_sequence_words(u.bytes);
  if (c.reason.find("DATABASE") != std::string::npos) worker_.close_idle_elsewhere(group_->database);
  const auto see = [this](std::string_view sql) {
    if (!may_alter_defaults(sql)) return false;
    if (altering_ == nullptr) altering_ = std::make_unique<alteration>();
    altering_->text.append(sql).append(1, '\n');
    return false;
  };
  if (u.is_extended) {
    (void)worker_.unit->has_text(see);
  } else if (u.end == protocol::unit_end::query) {
    (void)see(protocol::query_text(u.bytes));
  }
}

// Behind the end of its transaction, and before anybody hears of it.
void session::finish_altering() {
  const auto done = std::exchange(altering_, nullptr);
  if (done->is_done) worker_.alter_defaults(done->text, *group_);
}

// The first that gets a new connection asks what sessions begin with now: it waits, as all others do that
// want to know.
bool session::ask_defaults(backend& b) {
  if (group_->are_defaults_known || b.home.is_replica()) return false;
  if (b.defaults_number != group_->defaults_number || b.status != 'I') return false;
  if (is_never_asked()) return false;
  worker_.to_backend.clear();
  b.put_own_query(own_query::defaults, defaults_question(), worker_.to_backend);
  send_own();
  return true;
}

void session::take_defaults(bool failed) {
  auto& b = *backend_;
  protocol::settings_map now;
  for (const auto& row : b.own_rows) {
    if (row.size() == 2) now.emplace(row[0], row[1]);
  }
  b.own_rows.clear();
  if (b.defaults_number == group_->defaults_number)
    worker_.adopt_defaults(*group_, failed ? group_->defaults : std::move(now));
  if (gone_) return leave_backend_behind();
  if (phase_ == phase::opening) return open_with_profile();
  flow_ = flow::collecting;
  worker_.loop.soon(*this);
}

// Its server connection, if it has one now, is an older one, where these are in force by themselves.
void session::keep_defaults(const protocol::settings_map& older) {
  const auto with = [&](const protocol::settings_ref& state) {
    auto values = state->values;
    values.insert(older.begin(), older.end());
    return worker_.settings_values.intern(std::move(values));
  };
  settings_ = with(settings_);
  startup_ = with(startup_);
  for (auto* b : {backend_, held_}) {
    if (b != nullptr && b->defaults_number != group_->defaults_number) b->settings = with(b->settings);
  }
  refresh_view();
}

// A replica must have replayed what has changed them, before a connection to it is opened.
void session::see_altered() {
  freshness_.see_primary();
  last_sight_ = ++worker_.sights;
}

}  // namespace pgsteer::proxy
