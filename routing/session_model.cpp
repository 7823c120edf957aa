#include "routing/session_model.hpp"

#include <algorithm>

#include "routing/settings_statements.hpp"
#include "routing/temporary_names.hpp"

namespace pgsteer::routing {
namespace {

// A log may hold any number of names: beyond this a session stays pinned by those it has.
constexpr std::size_t max_names = 10000;
constexpr std::size_t max_savepoints = 100;

template <class Names>
void keep(Names& names, const std::string& name) {
  if (names.size() < max_names) names.insert(name);
}

// Of `a, b` or `"a", b`: the first schema.
std::string_view first_schema(std::string_view path) {
  const auto from = path.find_first_not_of(" \"");
  if (from == std::string_view::npos) return {};
  path.remove_prefix(from);
  return path.substr(0, path.find_first_of(" \","));
}

}  // namespace

parse_context session_model::context() const {
  return {now_.current.standard_conforming_strings, now_.current.ascii_safe_encoding};
}

session_view session_model::view() const {
  session_view view;
  view.open = open_;
  view.block_is_read_committed = level_ == isolation::read_committed || level_ == isolation::read_uncommitted;
  view.block_is_split = block_is_split_;
  view.default_read_only = now_.current.read_only;
  view.default_isolation = now_.current.level;
  if (!now_.temporary.empty() || !now_.until_commit.empty()) {
    view.pin = "session has a temporary object";
  } else if (locks_ != 0) {
    view.pin = "session holds an advisory lock";
  } else if (!prepared_.empty()) {
    view.pin = "session has a statement made by PREPARE";
  } else if (!now_.held_cursors.empty()) {
    view.pin = "session has a cursor WITH HOLD";
  } else if (!now_.channels.empty()) {
    view.pin = "session listens for notifications";
  } else if (is_loaded_) {
    view.pin = "session loaded a library";
  } else if (is_seeded_) {
    view.pin = "session seeded random()";
  }
  return view;
}

bool session_model::may_read_elsewhere(std::string_view sql, const classification& is, sql_parser& parser,
                                       const temporary_names* known) const {
  if (is_loaded_ || is_seeded_) return false;
  if (now_.temporary.empty() && now_.until_commit.empty()) return true;
  const bool is_told = known != nullptr && open_ == block::none;
  if (is_told && known->is_empty()) return true;
  if (now_.has_temporary_child && !is_told) return false;
  temporary_names all;
  if (is_told) {
    all = *known;
  } else {
    for (const auto* some : {&now_.temporary, &now_.until_commit}) {
      for (const auto& name : *some)
        all.add(name);
    }
  }
  return !all.may_be_meant(sql, parser) && !all.may_be_in(is.bodies.text);
}

void session_model::apply(target where, const std::vector<session_change>& changes) {
  if (where == target::move_primary) open_ = block::on_primary;
  if (open_ != block::on_replica) block_is_split_ = false;
  next_block_ = where == target::replica ? block::on_replica : block::on_primary;
  for (const auto& change : changes)
    apply(change);
  // What is dropped at commit does not outlive a statement of its own.
  if (open_ == block::none) now_.until_commit.clear();
}

void session_model::apply(const session_change& change) {
  if (change.kind <= change_kind::set_transaction) return apply_transaction(change);
  if (change.kind <= change_kind::reset) return set_parameter(change);
  if (change.kind <= change_kind::rename) return apply_relation(change);
  apply_state(change);
}

void session_model::apply_transaction(const session_change& change) {
  switch (change.kind) {
    case change_kind::begin:
      return begin(change);
    case change_kind::commit:
      return end(false);
    case change_kind::rollback:
      if (change.value != "chain") return end(true);
      now_ = at_begin_;
      savepoints_.clear();
      return;
    case change_kind::chain:
      now_.current = now_.kept;
      now_.until_commit.clear();
      at_begin_ = now_;
      savepoints_.clear();
      return;
    case change_kind::savepoint:
      if (open_ != block::none && savepoints_.size() < max_savepoints)
        savepoints_.emplace_back(change.name, now_);
      return;
    case change_kind::release:
      return release(change.name);
    case change_kind::rollback_to:
      return rollback_to(change.name);
    case change_kind::set_transaction:
      if (open_ != block::none && change.level != isolation::unspecified) level_ = change.level;
      return;
    default:
      return;
  }
}

void session_model::begin(const session_change& change) {
  if (open_ != block::none) return;
  open_ = next_block_;
  const bool is_read_only = change.access == access_mode::read_only ||
                            (change.access == access_mode::unspecified && now_.current.read_only);
  block_is_split_ = open_ == block::on_replica && !is_read_only;
  level_ = change.level == isolation::unspecified ? now_.current.level : change.level;
  at_begin_ = now_;
  savepoints_.clear();
}

void session_model::end(bool is_rolled_back) {
  if (open_ == block::none) return;
  if (is_rolled_back) now_ = at_begin_;
  open_ = block::none;
  now_.current = now_.kept;
  now_.until_commit.clear();
  savepoints_.clear();
}

void session_model::rollback_to(std::string_view name) {
  while (!savepoints_.empty()) {
    if (savepoints_.back().first == name) {
      now_ = savepoints_.back().second;
      return;
    }
    savepoints_.pop_back();
  }
}

void session_model::release(std::string_view name) {
  const auto found = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                                  [&](const auto& savepoint) { return savepoint.first == name; });
  if (found != savepoints_.rend()) savepoints_.erase(std::prev(found.base()), savepoints_.end());
}

void session_model::set_parameter(const session_change& change) {
  const bool is_local = change.kind == change_kind::set_local;
  if (is_local && open_ == block::none) return;
  const bool is_reset = change.kind == change_kind::reset;
  const settings defaults;
  const bool is_all = is_reset && change.name == "all";
  const auto set = [&](settings& into) {
    if (change.name == "default_transaction_read_only" || is_all) {
      into.read_only = is_reset ? defaults.read_only : truth_of(change.value) == truth::yes;
    }
    if (change.name == "default_transaction_isolation" || is_all) {
      into.level = is_reset ? defaults.level : isolation_named(change.value);
    }
    if (change.name == "standard_conforming_strings" || is_all) {
      into.standard_conforming_strings = is_reset || truth_of(change.value) == truth::yes;
    }
    if (change.name == "client_encoding" || is_all) {
      into.ascii_safe_encoding = is_reset || is_ascii_safe_encoding(change.value);
    }
    if (change.name == "search_path" || is_all) {
      into.makes_temporary = !is_reset && first_schema(change.value).starts_with("pg_temp");
      into.search_path = is_reset ? std::nullopt : std::optional(change.value);
    }
    if (is_all) into.set.clear();
    if (is_reset) into.set.erase(change.name);
    if (!is_reset) keep(into.set, change.name);
    if (change.name == "pgsteer.route" || is_all) {
      into.route = is_reset ? std::nullopt : std::optional(change.value);
    }
    if (change.name == "pgsteer.transactions" || is_all) {
      into.transactions = is_reset ? std::nullopt : std::optional(change.value);
    }
    if (change.name == "role" || change.name == "session_authorization" || is_all) {
      const bool is_none = is_reset || change.value == "none";
      into.role = is_none ? std::nullopt : std::optional(change.value);
    }
  };
  set(now_.current);
  if (!is_local) set(now_.kept);
}

bool session_model::is_temporary(std::string_view name) const {
  return now_.temporary.contains(name) || now_.until_commit.contains(name);
}

void session_model::apply_relation(const session_change& change) {
  switch (change.kind) {
    case change_kind::inherit:
      now_.has_temporary_child |= is_temporary(change.name) && !is_temporary(change.value);
      return;
    case change_kind::make_temporary:
      return keep(now_.temporary, change.name);
    case change_kind::make_temporary_until_commit:
      return keep(now_.until_commit, change.name);
    case change_kind::make_relation:
      if (now_.current.makes_temporary) keep(now_.temporary, change.name);
      return;
    case change_kind::drop:
      now_.temporary.erase(change.name);
      now_.until_commit.erase(change.name);
      return;
    case change_kind::rename:
      if (now_.temporary.erase(change.name) != 0) keep(now_.temporary, change.value);
      return;
    default:
      return;
  }
}

void session_model::apply_state(const session_change& change) {
  switch (change.kind) {
    case change_kind::listen:
      return keep(now_.channels, change.name);
    case change_kind::unlisten:
      if (change.name.empty()) return now_.channels.clear();
      now_.channels.erase(change.name);
      return;
    case change_kind::hold_cursor:
      return keep(now_.held_cursors, change.name);
    case change_kind::close_cursor:
      if (change.name.empty()) return now_.held_cursors.clear();
      now_.held_cursors.erase(change.name);
      return;
    case change_kind::lock:
      ++locks_;
      return;
    case change_kind::unlock:
      locks_ -= locks_ == 0 ? 0 : 1;
      return;
    case change_kind::unlock_all:
      locks_ = 0;
      return;
    case change_kind::prepare:
      return keep(prepared_, change.name);
    case change_kind::deallocate:
      if (change.name.empty()) return prepared_.clear();
      prepared_.erase(change.name);
      return;
    case change_kind::load:
      is_loaded_ = true;
      return;
    case change_kind::seed:
      is_seeded_ = true;
      return;
    case change_kind::discard_all:
      return discard_all();
    case change_kind::discard_temporary:
      now_.temporary.clear();
      now_.until_commit.clear();
      return;
    default:
      return;
  }
}

// Keeps what DISCARD ALL cannot undo: a loaded library, the seed of random().
void session_model::discard_all() {
  now_ = {};
  prepared_.clear();
  locks_ = 0;
}

}  // namespace pgsteer::routing
