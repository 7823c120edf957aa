#include <algorithm>

#include "protocol/message_writer.hpp"
#include "protocol/settings_state.hpp"
#include "protocol/statement_names.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/sql_words.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

using routing::statement_use;

constexpr std::size_t most_on_backend = 400;

sql_statement_ref find_in(const std::unique_ptr<sql_statements>& all, std::string_view name) {
  return all == nullptr ? nullptr : all->find(name);
}

// In whatever language it says so.
bool names(std::string_view message, std::string_view server_name) {
  const auto at = message.find(server_name);
  if (at == std::string_view::npos) return false;
  const auto rest = message.substr(at + server_name.size());
  return rest.empty() || rest[0] < '0' || rest[0] > '9';
}

void put_in(std::unique_ptr<sql_statements>& all, std::string_view name, sql_statement_ref s) {
  if (all == nullptr) all = std::make_unique<sql_statements>();
  all->set(name, std::move(s));
}

}  // namespace

routing::parse_context session::parse_context() const {
  routing::parse_context context{view_standard_strings_, view_ascii_safe_, nullptr, worker_.rules_number};
  if (group_ == nullptr || !group_->facts->has_catalog()) return context;
  const auto chosen = facts();
  context.known = chosen.known;
  context.facts_number = chosen.number;
  return context;
}

// Looked up again only where the settings or the catalog are others than the last time.
routing::chosen_facts session::facts() const {
  auto& all = *group_->facts;
  if (block_settings_ != nullptr && view_.open != routing::block::none)
    return facts_in_block(*block_settings_);
  if (facts_epoch_ == all.epoch() && facts_settings_ == settings_) return facts_;
  facts_ = all.of(role_in_force(settings_->get("role")), own_search_path());
  facts_epoch_ = all.epoch();
  facts_settings_ = settings_;
  return facts_;
}

// This session has changed the catalog, and the facts do not know it yet; or there are none, and the text
// names what only they can tell.
bool session::awaits_catalog(const routing::classification& c) const {
  if (group_->facts->has_catalog()) return group_->catalog_seen < catalog_needed_;
  return c.needs_catalog || c.verb == routing::transaction_verb::begin;
}

// As it is for what the session has set: see routing::for_settings().
const routing::classification& session::by_settings(const routing::classification& c) {
  if (c.asks.is_empty() && c.kind != routing::statement_kind::show) return c;
  auto is = routing::for_settings(c, [this](std::string_view name) {
    if (name == routing::server_version) return worker_.has_one_build();
    const bool is_local = block_settings_ != nullptr && view_.open != routing::block::none &&
                          block_settings_->names.contains(name);
    return is_local || settings_->values.contains(name);
  });
  if (!is) return c;
  worker_.executing = *std::move(is);
  return worker_.executing;
}

// EXECUTE is judged as what it executes, where the session made that by PREPARE or Parse.
const routing::classification& session::judge_text(std::string_view sql) {
  const auto& c = worker_.classifier.classify(sql, parse_context());
  if (!routing::executes_another(c->use)) return *c;
  const auto unit = c;
  const statements_in_reach reach{names_, sql_.get(), fresh_.get(), settings_->plan_key,
                                  temporary_ != nullptr};
  const auto target = executed_statement(unit->used, reach, worker_.classifier, parse_context());
  worker_.executing = target != nullptr ? routing::as_executed(*unit, *target) : *unit;
  return worker_.executing;
}

extended_unit::judge_context session::judge_context() {
  return {names_,          worker_.statements,     worker_.classifier,
          parse_context(), group_->statements_key, settings_->plan_key,
          sql_.get(),      fresh_.get(),           temporary_ != nullptr,
          effects_};
}

extended_unit::write_context session::write_context(backend& b) {
  return {names_,
          b.wire,
          b.status == 'E',
          static_cast<std::size_t>(worker_.settings().max_prepared_statements),
          shows_own_,
          is_stalled_,
          effects_.changes_reading,
          !effects_.changes_catalog && temporary_ == nullptr};
}

// A statement made before the catalog changed, not prepared here yet: only a server can tell what it is now.
// True: the unit must wait for the answer.
bool session::prove_statements(const unit_view& u, backend& b) {
  if (!u.is_extended || !worker_.unit->meets_older() || refusal_ || temporary_ != nullptr) return false;
  if (!worker_.unit->write_proof(write_context(b), worker_.to_backend)) return false;
  since_ = worker_.loop.now();
  if (b.status == 'I') b.transaction_since = since_;
  b.put_own_query(own_query::proof, {}, worker_.to_backend);
  send_own();
  return true;
}

// What the session made by PREPARE is there before the unit that may name it, and nothing else is. All of it
// goes in the unit's own write.
void session::prepare_sql_statements(const unit_view& u, const routing::classification& c, backend& b) {
  b.unprepared.clear();
  if ((sql_ == nullptr && b.by_sql == nullptr) || b.status == 'E') return;
  const bool goes_on = u.end == protocol::unit_end::flush || u.missing > 0;
  const bool runs_any =
      c.use == statement_use::none || (routing::executes_another(c.use) && c.part == nullptr);
  const bool names_any = c.use == statement_use::several || c.effects.lists_prepared ||
                         (runs_any && c.effects.may_pin && c.kind != routing::statement_kind::deallocate);
  if (goes_on || names_any || (b.by_sql != nullptr && b.by_sql->all().size() > most_on_backend))
    return prepare_all(b);
  if (c.use != statement_use::none) prepare_one(c.used, b);
  if (u.is_extended) {
    worker_.unit->each_name_of_server(u.bytes, [&](auto name) { prepare_one(name, b); });
  }
  const bool begins =
      c.verb == routing::transaction_verb::begin || c.verb == routing::transaction_verb::mixed;
  if (begins && b.status == 'I') prepare_for_block(b);
}

// Inside a block only what others have made is ended: its own is there, or fails to be made, and that would
// end the block.
void session::prepare_all(backend& b) {
  std::vector<std::string> foreign;
  if (b.by_sql != nullptr) {
    for (const auto& [name, s] : b.by_sql->all()) {
      if (find_in(sql_, name) == nullptr) foreign.push_back(name);
    }
  }
  for (const auto& name : foreign)
    prepare_one(name, b);
  if (b.status == 'I') prepare_for_block(b);
}

// What the block will name is not known yet. What cannot be made now is tried again when it is named.
void session::prepare_for_block(backend& b) {
  if (sql_ == nullptr) return;
  for (const auto& [name, s] : sql_->all())
    prepare_one(name, b);
}

void session::prepare_one(std::string_view name, backend& b) {
  const auto own = find_in(sql_, name);
  const auto there = find_in(b.by_sql, name);
  if (own == there) return;
  if (there != nullptr) {
    b.put_own_query(own_query::settings_prefix, "DEALLOCATE " + quoted_name(name), worker_.to_backend);
    erase_from(b.by_sql, name);
  }
  if (own == nullptr || !own->is_carried()) return;
  put_in(b.by_sql, name, make_on(own, b));
  b.put_own_query(own_query::prepare, own->text, worker_.to_backend);
  b.preparing.emplace_back(name);
}

// The settings that it needs; what it then is on the backend.
sql_statement_ref session::make_on(const sql_statement_ref& own, backend& b) {
  const auto key = own->settings->plan_key;
  if (b.status == 'I') {
    if (b.settings->plan_key != key)
      bring_settings(key == settings_->plan_key ? settings_ : own->settings, b);
    return own;
  }
  const bool is_as_made = settings_->plan_key == key && !effects_.may_set && !effects_.sets_local;
  // Good enough for this block, as EXECUTE goes by the settings in force; and for nothing else.
  return is_as_made ? own : std::make_shared<const sql_statement>(sql_statement{own->text, nullptr, 0});
}

void session::bring_settings(const protocol::settings_ref& wanted, backend& b) {
  const auto change = protocol::change_settings(*b.settings, *wanted);
  b.settings = wanted;
  if (custom_settings_ != nullptr) b.note_custom(*custom_settings_);
  if (!change.sql.empty()) b.put_own_query(own_query::settings_prefix, change.sql, worker_.to_backend);
}

// DEALLOCATE of what can be made again anywhere: whoever meets it on a backend ends it there.
bool session::forget_sql_statement(std::string_view name) {
  const auto own = find_in(sql_, name);
  const bool is_known = own != nullptr && own->is_carried() && (backend_ == nullptr || !effects_.may_pin);
  if (is_known) erase_from(sql_, name);
  return is_known;
}

// DEALLOCATE ALL and DISCARD ALL end what every session has made there.
void session::forget_all_statements(backend& b) {
  fresh_.reset();
  b.by_sql.reset();
  b.wire.prepared.clear();
  b.wire.names_uncertain = false;
  b.wire.unnamed = 0;
}

// Until the server is asked: what EXECUTE in the same transaction will mean.
void session::note_fresh(const routing::classification& c, const unit_view& u) {
  if (is_never_asked() || c.use != statement_use::prepares || u.is_extended || u.missing > 0) return;
  if (fresh_ == nullptr) fresh_ = std::make_unique<std::vector<fresh_statement>>();
  constexpr std::size_t most = 50;
  if (fresh_->size() < most) fresh_->push_back({c.used, std::string(protocol::query_text(u.bytes)), false});
}

void session::note_fresh_answered(bool is_made) {
  if (fresh_->empty() || fresh_->back().is_made) return;
  if (is_made) {
    fresh_->back().is_made = true;
  } else {
    fresh_->pop_back();
  }
}

// What the server says is there, against what was there before the units that may have changed it.
void session::learn_sql_statements(backend& b) {
  fresh_.reset();
  const bool is_certain = !effects_.may_set && !effects_.sets_local;
  std::unique_ptr<sql_statements> seen;
  for (const auto& row : b.own_rows) {
    if (row.size() < 3 || row[0] != "q") continue;
    const auto before = find_in(b.by_sql, row[1]);
    const bool is_old = before != nullptr && before->text == row[2];
    put_in(seen, row[1], is_old ? before : take_sql_statement(row[1], row[2], is_certain));
  }
  if (b.by_sql != nullptr) {
    for (const auto& [name, s] : b.by_sql->all()) {
      const auto own = find_in(sql_, name);
      const bool is_gone = find_in(seen, name) == nullptr;
      if (is_gone && own != nullptr && own->text == s->text) erase_from(sql_, name);
    }
  }
  b.by_sql = std::move(seen);
}

sql_statement_ref session::take_sql_statement(std::string_view name, std::string_view text, bool is_certain) {
  erase_from(sql_, name);
  auto s = is_certain ? make_carried(name, text) : nullptr;
  if (s == nullptr) s = std::make_shared<const sql_statement>(sql_statement{std::string(text), nullptr, 0});
  put_in(sql_, name, s);
  return s;
}

// Null: its text and the settings in force are not all that it takes to make it again.
sql_statement_ref session::make_carried(std::string_view name, std::string_view text) {
  const auto& values = settings_->values;
  if (values.contains("role") || values.contains("session_authorization")) return nullptr;
  if (!(sql_ != nullptr ? *sql_ : sql_statements{}).has_room(text.size())) return nullptr;
  if (protocol::is_statement_name_on_server(name)) return nullptr;  // in the way of other sessions
  const auto& c = worker_.classifier.classify(text, parse_context());
  if (c->use != statement_use::prepares || c->part == nullptr || c->used != name) return nullptr;
  return worker_.sql_statements.intern(
      text, worker_.settings_values.intern(protocol::plan_settings(*settings_)), group_->statements_key);
}

// The server's answer to a PREPARE of our own.
void session::on_sql_prepared(bool failed) {
  auto& b = *backend_;
  if (b.preparing.empty()) return;
  const auto name = std::move(b.preparing.front());
  b.preparing.pop_front();
  if (failed) {
    if (b.own_error.sqlstate == protocol::sqlstate::duplicate_prepared_statement) b.is_spoilt = true;
    erase_from(b.by_sql, name);
    b.unprepared.push_back({name, std::exchange(b.own_error_frame, {})});
  } else {
    worker_.metrics().statements_prepared.add();
  }
}

// The client's statement fails for want of one that could not be made here: for the reason it would have
// failed for where that was made. Null: it fails for another reason.
const std::string* session::reason_unprepared(std::string_view sqlstate, std::string_view message) const {
  for (const auto& one : backend_->wire.disproved) {
    const bool is_named =
        sqlstate == protocol::sqlstate::invalid_sql_statement_name && names(message, one.name);
    if (is_named || sqlstate == protocol::sqlstate::in_failed_sql_transaction) return &one.error;
  }
  const auto& all = backend_->unprepared;
  if (all.empty()) return nullptr;
  if (sqlstate == protocol::sqlstate::in_failed_sql_transaction) return &all.back().error;
  if (sqlstate != protocol::sqlstate::invalid_sql_statement_name) return nullptr;
  const auto at = std::find_if(all.begin(), all.end(), [message](const auto& one) {
    return message.find('"' + one.name + '"') != std::string_view::npos;
  });
  return at == all.end() ? nullptr : &at->error;
}

}  // namespace pgsteer::proxy
