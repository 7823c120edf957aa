#include <algorithm>

#include "protocol/message_writer.hpp"
#include "protocol/parameter_names.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/time_limits.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"
#include "routing/custom_settings.hpp"
#include "routing/temporary_objects.hpp"

namespace pgsteer::proxy {

namespace {

// What a session has changed and what it holds, as its own server tells it. Every name is qualified,
// so that the session's search_path and objects mean nothing here.
constexpr std::string_view state_query =
    "WITH listed_settings AS MATERIALIZED (SELECT pg_catalog.lower(name) AS name, setting, source"
    " FROM pg_catalog.pg_settings)"
    " SELECT 's', name, setting FROM listed_settings WHERE source OPERATOR(pg_catalog.=) 'session'"
    " AND name OPERATOR(pg_catalog.!~~) 'transaction\\_%'"
    " UNION ALL SELECT 'r', 'role', pg_catalog.current_setting('role')"
    " UNION ALL SELECT 'r', 'session_authorization', SESSION_USER::pg_catalog.text"
    " UNION ALL SELECT 't', '', '' WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0"
    " AND EXISTS (SELECT FROM pg_catalog.pg_depend"
    " WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass"
    " AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())"
    // A permanent table whose rows this session alone sees more of.
    " UNION ALL SELECT 'i', '', '' FROM pg_catalog.pg_inherits, pg_catalog.pg_class AS child,"
    " pg_catalog.pg_class AS parent WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0"
    " AND child.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"
    " AND child.oid OPERATOR(pg_catalog.=) inhrelid AND parent.oid OPERATOR(pg_catalog.=) inhparent"
    " AND parent.relnamespace OPERATOR(pg_catalog.<>) child.relnamespace"
    " UNION ALL SELECT 'p', 'LISTEN', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_listening_channels())"
    " UNION ALL SELECT 'p', 'WITH HOLD cursor', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE "
    "is_holdable)"
    " UNION ALL SELECT 'q', name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql"
    " UNION ALL SELECT 'p', 'session advisory lock', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_locks"
    " WHERE locktype OPERATOR(pg_catalog.=) 'advisory' AND pid OPERATOR(pg_catalog.=) "
    "pg_catalog.pg_backend_pid())";

constexpr std::size_t most_custom_settings = 200;
constexpr std::size_t most_values = 30;  // of one unit, that may be names of custom settings
constexpr std::string_view temp_buffers = "temp_buffers";  // fixed by the first use of a temporary table
constexpr const char* temporary_table = "temporary table";
constexpr const char* session_mode = "session mode";

// What brings a session's settings runs under those of the client before it.
bool may_be_cut_short(const protocol::settings_state& there) {
  constexpr std::chrono::seconds ample{1};
  const auto timeout = statement_timeout_of(there);
  return timeout && *timeout < ample;
}

std::string full_state_query(const custom_names& custom, const custom_names& guessed, bool with_temporary) {
  std::string sql(state_query);
  if (with_temporary) {
    static const auto objects =
        routing::temporary_objects_query(routing::own_temporary_schema, routing::own_path);
    sql += " UNION ALL SELECT 'o', name, id FROM (" + objects + ") AS o";
  }
  if (custom.empty() && guessed.empty()) return sql;
  sql += " UNION ALL SELECT 's', n, pg_catalog.current_setting(n, true) FROM pg_catalog.unnest(ARRAY[";
  for (const auto* names : {&custom, &guessed}) {
    for (const auto& name : *names)
      sql += protocol::quote_literal(name) + ",";
  }
  sql.back() = ']';
  // What a library knows is listed, and of this session only where it has set it.
  return sql +
         ") AS n WHERE pg_catalog.current_setting(n, true) IS NOT NULL AND NOT EXISTS (SELECT FROM"
         " listed_settings WHERE listed_settings.name OPERATOR(pg_catalog.=) n AND source"
         " OPERATOR(pg_catalog.<>) 'session')";
}

}  // namespace

void session::note_custom_settings(std::string_view bytes, backend& b) {
  custom_names named;
  routing::collect_custom_settings(bytes, named, most_custom_settings);
  std::erase_if(named, [](const auto& name) { return name.starts_with("pgsteer."); });
  if (!named.empty()) {
    if (custom_settings_ == nullptr) custom_settings_ = std::make_unique<custom_names>();
    custom_settings_->insert(named.begin(), named.end());
    b.note_custom(named);
  }
  routing::collect_dotted_values(bytes, b.may_name_settings, most_values);
  if (routing::collect_custom_settings(bytes, group_->custom_settings, most_custom_settings)) return;
  log_warn("Too many custom settings, some are not carried between backends",
           {{"user", group_->user}, {"database", group_->database}});
}

// Of a unit that is about to ask for a backend. What a block will ask for is not known at its BEGIN.
void session::see_custom_settings(const routing::classification& c) {
  group_->reads_custom |= c.effects.reads_custom;
  const bool asks_for_own = c.kind == routing::statement_kind::read && !c.asks.is_empty();
  may_see_custom_ = (c.effects.reads_custom && !asks_for_own) ||
                    (group_->reads_custom && c.verb == routing::transaction_verb::begin);
  const bool may_be_refused =
      (c.kind == routing::statement_kind::set || c.kind == routing::statement_kind::set_local) &&
      (c.name == temp_buffers || routing::may_be_refused_by_library(c.name));
  ends_backends_ = c.effects.ends_backends;
  wants_unused_ = may_be_refused || c.effects.loads_library;
}

bool session::minds(const backend& b) const {
  if (wants_unused_ && b.was_used) return true;
  if (b.may_have_temporary && b.settings != settings_ &&
      b.settings->get(temp_buffers) != settings_->get(temp_buffers))
    return true;
  if (!may_see_custom_ || b.custom == nullptr) return false;
  if (custom_settings_ == nullptr) return true;
  return !std::includes(custom_settings_->begin(), custom_settings_->end(), b.custom->begin(),
                        b.custom->end());
}

// RESET and DISCARD ALL return to the client's startup values, not to the server's: they are set again
// right behind, and the client is told nothing of what did not change for it.
void session::restore_startup(const routing::classification& c, backend& b) {
  const bool all = c.kind != routing::statement_kind::set || c.name == "all";
  if (c.verb == routing::transaction_verb::mixed || view_.failed ||
      (c.kind != routing::statement_kind::set && !c.effects.deallocates_all))
    return;
  protocol::settings_state wanted;
  for (const auto& [name, value] : startup_->values) {
    if (all || name == c.name) wanted.values.emplace(name, value);
  }
  if (wanted.values.empty()) return;
  restores_ = true;
  b.restored = all ? "all" : c.name;
  b.put_own_query(own_query::settings_prefix, protocol::change_settings({}, wanted).sql, worker_.to_backend);
}

// Behind the client's RESET or DISCARD ALL, whose own reports spoke of the server's values.
void session::report_restored(backend& b) {
  const auto what = std::exchange(b.restored, {});
  for (const auto& [name, value] : startup_->values) {
    const auto canonical = protocol::canonical_parameter_name(name);
    if (!canonical || (what != "all" && what != name) || settings_->get(name) == value) continue;
    if (!group_->parameters.contains(*canonical)) continue;  // this server reports it to nobody
    auto& made = worker_.renamed.emplace_back();
    protocol::write::parameter_status(made, *canonical, value);
    add_run(made);
  }
}

void session::refresh_view() {
  refresh_wishes();
  const auto begun =
      is_as_others(*settings_) ? group_->greets.begun() : begin_with(*settings_, group_->parameters);
  view_.default_read_only = begun.read_only;
  view_.default_isolation = begun.level;
  view_standard_strings_ = begun.standard_strings;
  view_ascii_safe_ = begun.ascii_safe;
}

bool session::is_never_asked() const {
  return group_->mode == config::pool_mode::session && worker_.config().servers->replicas.empty();
}

bool session::needs_state_probe() const {
  if (is_never_asked()) return false;
  const bool has_pin = !pin_.empty() && pin_ != session_mode;
  const bool is_on_primary = backend_ != nullptr && !backend_->home.is_replica();
  return effects_.may_set || effects_.may_pin || effects_.calls_c || effects_.seeds_random ||
         effects_.names_settings || (has_pin && block_ended_) ||
         (temporary_ != nullptr && effects_.changes_catalog) ||
         (effects_.meets_unknown && temporary_ == nullptr) || (effects_.leaves_empty && is_on_primary) ||
         (keeps_sequence_ && !has_pin);
}

void session::ask_state() {
  loaded_library_ = loaded_library_ || effects_.loads_library;
  called_c_ = called_c_ || effects_.calls_c;
  seeded_random_ = seeded_random_ || effects_.seeds_random;
  named_settings_ = named_settings_ || effects_.names_settings;
  worker_.metrics().state_probes.add();
  worker_.to_backend.clear();
  flow_ = flow::settling;
  const bool is_whole = temporary_ != nullptr && !worker_.config().servers->replicas.empty();
  backend_->put_own_query(is_whole ? own_query::whole_state_probe : own_query::state_probe,
                          full_state_query(group_->custom_settings, backend_->may_name_settings, is_whole),
                          worker_.to_backend);
  if (!backend_->send(worker_.to_backend)) on_backend_lost();
}

void session::set_pin(std::string reason) {
  if (pin_.empty() != reason.empty()) {
    if (reason.empty()) {
      worker_.metrics().clients_pinned.sub();
    } else {
      worker_.metrics().clients_pinned.add();
    }
  }
  pin_ = std::move(reason);
}

void session::apply_state() {
  auto& b = *backend_;
  protocol::settings_map in_force;
  std::string pin = loaded_library_   ? "LOAD"
                    : called_c_       ? "function in C"
                    : seeded_random_  ? "setseed()"
                    : named_settings_ ? "settings named at run time"
                    : keeps_sequence_ ? "sequence values"
                                      : "";
  lends_reads_ = !loaded_library_ && !called_c_ && !seeded_random_ && !named_settings_;
  routing::temporary_names temporary;
  bool has_temporary = false;
  for (const auto& row : b.own_rows) {
    if (row.size() < 3) continue;
    if (row[0] == "p") {
      pin = row[1];
      if (pin == "LISTEN") lends_reads_ = false;  // no answer may overtake a notification
    } else if (row[0] == "t") {
      has_temporary = true;
      pin = temporary_table;
    } else if (row[0] == "o") {
      temporary.add_object(row[1], row[2]);
    } else if (row[0] == "i") {
      temporary.add_all();
    } else if (row[0] == "s") {
      // Set once and reset, a custom setting is empty; another client's is none of this session's.
      const bool is_own = custom_settings_ != nullptr && custom_settings_->contains(row[1]) &&
                          !row[1].starts_with("pgsteer.");
      if (!row[2].empty() || row[1].find('.') == std::string::npos || is_own) in_force[row[1]] = row[2];
    } else if (row[0] == "r" && (row[1] == "role" ? row[2] != "none" : row[2] != b.home.user())) {
      in_force[row[1]] = row[2];
    }
  }
  learn_set_by_functions(in_force, b);
  if (temporary.is_empty()) temporary.add_all();  // not told yet
  temporary_ = has_temporary ? std::make_unique<routing::temporary_names>(std::move(temporary)) : nullptr;
  auto carried = in_force;
  for (const auto& [name, value] : startup_->values)
    carried.try_emplace(name, value);
  b.settings = worker_.settings_values.intern(std::move(in_force));
  settings_ = worker_.settings_values.intern(std::move(carried));
  if (phase_ == phase::ready) refresh_view();
  learn_sql_statements(b);
  if (pin.empty() && sql_ != nullptr && !sql_->is_carried()) pin = "SQL PREPARE";
  set_pin(std::move(pin));
  if (phase_ == phase::ready) keep_backend();
}

// A function has set them: no text of this session named them as settings.
void session::learn_set_by_functions(const protocol::settings_map& in_force, backend& b) {
  custom_names found;
  for (const auto& [name, value] : in_force) {
    if (name.find('.') == std::string::npos || name.starts_with("pgsteer.")) continue;
    found.insert(name);
    if (group_->custom_settings.size() < most_custom_settings) group_->custom_settings.insert(name);
  }
  b.may_name_settings.clear();
  if (found.empty()) return;
  if (custom_settings_ == nullptr) custom_settings_ = std::make_unique<custom_names>();
  custom_settings_->insert(found.begin(), found.end());
  b.note_custom(found);
}

// In session mode the backend stays when nothing else holds it.
void session::keep_backend() {
  if (pin_.empty() && group_->mode == config::pool_mode::session) set_pin(session_mode);
}

// The leased backend gets this session's settings: in front of its unit or, where that may be
// refused, before it. True: the unit must wait for the answer.
bool session::prepare_settings(backend& b) {
  if (b.settings == settings_) return false;
  auto change = protocol::change_settings(*b.settings, *settings_);
  change.may_fail = change.may_fail || may_be_cut_short(*b.settings);
  b.settings = settings_;
  if (custom_settings_ != nullptr) b.note_custom(*custom_settings_);
  if (change.sql.empty()) return false;
  worker_.metrics().settings_replays.add();
  const auto purpose = change.may_fail ? own_query::settings : own_query::settings_prefix;
  b.put_own_query(purpose, change.sql, worker_.to_backend);
  if (!change.may_fail) return false;
  send_own();
  return true;
}

// Sends queries of our own; the session's unit waits in the buffer.
void session::send_own() {
  flow_ = flow::preparing;
  if (backend_->send(worker_.to_backend)) return;
  backend_->hung_up = true;
  worker_.loop.soon(*backend_);
}

// The block that left a replica begins anew here.
void session::begin_block_here(backend& b) {
  backend_ = &b;
  begin_on_primary_ = false;
  b.transaction_since = worker_.loop.now();
  worker_.to_backend.clear();
  extended_unit::take_back_lent(b.wire, worker_.to_backend);
  prepare_for_block(b);
  if (b.settings != settings_) {
    const auto change = protocol::change_settings(*b.settings, *settings_);
    b.settings = settings_;
    if (!change.sql.empty()) b.put_own_query(own_query::settings_prefix, change.sql, worker_.to_backend);
  }
  if (block_settings_ != nullptr && custom_settings_ != nullptr) b.note_custom(*custom_settings_);
  std::string sql = "BEGIN ISOLATION LEVEL READ COMMITTED";
  if (!view_.block_is_split) sql += " READ ONLY";
  if (block_settings_ != nullptr) sql += block_settings_->sql;
  if (block_has_read_) sql += "; SELECT";  // SET TRANSACTION comes too late, as it would have there
  b.put_own_query(own_query::begin_block, sql, worker_.to_backend);
  send_own();
}

void session::on_own_query_done(own_query purpose) {
  auto& b = *backend_;
  const bool failed = std::exchange(b.own_failed, false);
  switch (purpose) {
    case own_query::settings:
      on_settings_done(failed);
      break;
    case own_query::proof:
      b.wire.proving = nullptr;
      on_settings_done(false);
      break;
    case own_query::state_probe:
    case own_query::whole_state_probe:
      on_state_known(failed, purpose == own_query::whole_state_probe);
      return;
    case own_query::defaults:
      return take_defaults(failed);
    case own_query::end_block:
      on_block_left();
      break;
    case own_query::begin_block:
      if (failed) {
        const auto why = b.own_error;
        begin_on_primary_ = true;
        drop_backend();
        return on_acquire_failed(why);
      }
      view_.open = b.status == 'I' ? routing::block::none : routing::block::on_primary;
      prepared_settings_ = true;
      flow_ = flow::collecting;
      worker_.loop.soon(*this);
      break;
    case own_query::rollback:
    case own_query::discard:
      on_left_clean(purpose, failed);
      break;
    case own_query::wal_sample:
    case own_query::prepare:
    case own_query::refusal:
    case own_query::settings_prefix:
      break;
  }
  b.own_rows.clear();
}

void session::on_settings_done(bool failed) {
  auto& b = *backend_;
  if (failed) {
    auto why = b.own_error;
    b.is_spoilt = true;
    if (phase_ == phase::opening) {
      drop_backend();
      flow_ = flow::collecting;
      return refuse_login(why);
    }
    const bool on_replica = b.home.is_replica();
    const bool is_out_of_time = why.sqlstate == protocol::sqlstate::query_canceled;
    drop_backend();
    if (!on_replica && !is_out_of_time) return on_acquire_failed(why);
    // What the settings name may not have been replayed there yet.
    force_primary_ = !is_out_of_time;
    flow_ = flow::collecting;
    return worker_.loop.soon(*this);
  }
  if (phase_ == phase::opening) return ask_state();
  if (gone_) return leave_backend_behind();
  prepared_settings_ = true;
  flow_ = flow::collecting;
  worker_.loop.soon(*this);
}

void session::on_state_known(bool failed, bool is_whole) {
  auto& b = *backend_;
  if (phase_ == phase::opening) {
    apply_state();
    b.own_rows.clear();
    startup_profile profile{b.settings, {}, std::move(login_->notices)};
    for (const auto& [name, value] : b.settings->values) {
      if (const auto canonical = protocol::canonical_parameter_name(name))
        profile.reported.emplace(*canonical, value);
    }
    return finish_login(profile);
  }
  if (failed) {
    set_pin("state unknown");
    lends_reads_ = false;
  } else {
    apply_state();
    effects_ = {};
  }
  b.own_rows.clear();
  const bool has_replicas = !worker_.config().servers->replicas.empty();
  if (!failed && !is_whole && temporary_ != nullptr && has_replicas && !gone_ && !drain_) return ask_state();
  if (b.home.is_replica() && !pin_.empty()) {  // nobody waits for locks there, and no write may follow
    b.is_spoilt = true;
    set_pin({});
  }
  block_ended_ = false;
  if (gone_) {
    effects_.may_pin = !pin_.empty();
    return leave_backend_behind();
  }
  flow_ = flow::collecting;
  if (drain_) return on_drain();
  if (pin_.empty()) release();
  resume_soon();
}

// The replica's block is over; the unit that could not stay goes to the primary, behind a BEGIN.
void session::on_block_left() {
  effects_ = {};
  view_.open = routing::block::on_primary;
  release();
  flow_ = flow::collecting;
  begin_on_primary_ = true;
  worker_.loop.soon(*this);
}

void session::on_left_clean(own_query purpose, bool failed) {
  auto& b = *backend_;
  if (failed) {
    drop_backend();
    return end();
  }
  if (purpose == own_query::discard) {
    forget_all_statements(b);
    b.settings = worker_.settings_values.none();
  }
  if (!b.own.empty()) return;  // the other one is still to come
  if (b.status != 'I') {
    drop_backend();
    return end();
  }
  set_pin({});
  effects_ = {};
  release();
  end();
}

}  // namespace pgsteer::proxy
