// A read-only block on a replica that meets what only the primary can do. Under READ COMMITTED it moves
// there; a snapshot, or an open cursor, cannot. Its transaction then fails as one that could not be
// serialised, which whoever asks for a snapshot must be prepared for, and for a while those like it begin on
// the primary.
#include <algorithm>

#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::chrono::minutes stay{10};

}  // namespace

// Of a BEGIN that goes to a replica, or a cursor in a block that is there: something like it has failed
// lately.
bool session::needs_home(const routing::classification& c, routing::target where) const {
  if (where == routing::target::replica) {
    if (c.verb != routing::transaction_verb::begin) return false;
    const auto level = c.level == routing::isolation::unspecified ? view_.default_isolation : c.level;
    return level == routing::isolation::repeatable_read && worker_.loop.now() < group_->snapshots_stay_until;
  }
  return where == routing::target::stay && view_.open == routing::block::on_replica && view_.block_may_move &&
         c.kind == routing::statement_kind::declare_cursor_read &&
         worker_.loop.now() < group_->cursors_stay_until;
}

// Of a unit in a block on a replica: what follows, behind a Flush or a large message, is judged when it
// comes, and its block cannot move then any more.
bool session::may_go_on_unfit(const unit_view& u, const routing::classification& c) {
  if (view_.open != routing::block::on_replica) return false;
  if (may_take_names_back(c)) return true;
  const bool is_open_ended = u.end == protocol::unit_end::flush || u.missing > 0;
  if (is_in_split_block()) {
    const bool may_fail =
        (u.is_extended && worker_.unit->leaves_portal()) || awaits_catalog(c) || is_learned(c);
    return is_open_ended || (c.kind == routing::statement_kind::read && may_fail);
  }
  // A driver that has a statement described before it binds it goes on with this one.
  return is_open_ended && view_.block_may_move && !(u.is_extended && worker_.unit->only_prepares());
}

// ROLLBACK TO undoes SET LOCAL of what names depend on, and nobody here knows to when: no block has both.
bool session::may_take_names_back(const routing::classification& c) const {
  if (block_settings_ == nullptr) return false;
  if (c.verb == routing::transaction_verb::savepoint)
    return block_settings_->role || block_settings_->search_path;
  const auto renames = [](const routing::named_value& each) { return routing::changes_names(each.first); };
  return block_settings_->has_savepoint && c.kind == routing::statement_kind::set_local &&
         (routing::changes_names(c.name) ||
          (!c.locals.empty() && std::ranges::any_of(worker_.locals, renames)));
}

// In the middle of a unit that its replica has begun to answer there is no other way out.
bool session::refuse_behind_flush(const unit_view& u, const routing::classification& c) {
  const bool has_failed = view_.failed || refusal_ != nullptr || backend_->wire.owed.is_skipping();
  if (view_.open != routing::block::on_replica || has_failed) return false;
  if (worker_.unit->meets_unknown_name()) return false;  // the server refuses it
  const auto& with = with_values(u, by_settings(c));
  const auto decision = routing::decide(with, view_);
  if (decision.where != routing::target::move_primary && !may_take_names_back(with)) {
    const bool sets = with.kind == routing::statement_kind::set_local && u.bytes.front() == 'B';
    if (sets) static_cast<void>(keep_local_settings(with));
    return false;
  }
  close_after(protocol::fatal_error(
      protocol::sqlstate::serialization_failure,
      "could not serialize access: the transaction reads on a replica, and this statement needs the primary",
      std::string(decision.reason), "Connect again, and send a Sync in front of this statement."));
  return true;
}

void session::refuse_move(std::string_view reason) {
  auto& until = view_.block_is_read_committed ? group_->cursors_stay_until : group_->snapshots_stay_until;
  const auto now = worker_.loop.now();
  if (now >= until) {
    log_info(
        "A read-only transaction on a replica needed the primary: those like it go there for ten minutes",
        {{"user", group_->user}, {"database", group_->database}, {"reason", std::string(reason)}});
  }
  until = now + stay;
  refusal_ = std::make_unique<protocol::error_report>(protocol::statement_error(
      protocol::sqlstate::serialization_failure,
      "could not serialize access: the transaction reads on a replica, and this statement needs the primary",
      std::string(reason), "Run the transaction again: it will run on the primary."));
}

}  // namespace pgsteer::proxy
