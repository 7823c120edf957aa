#include "routing/decide.hpp"

#include "routing/asked_settings.hpp"

namespace pgsteer::routing {
namespace {

constexpr std::string_view in_primary_block = "in a transaction on the primary";
constexpr std::string_view in_replica_block = "in a read-only transaction on a replica";
constexpr std::string_view in_split_block = "in a transaction that has only read so far";

// Its value, or the transaction's that stands there; what sessions set is theirs on every server:
// for_settings().
bool may_show(std::string_view parameter) {
  return is_same_everywhere(parameter) || parameter == "transaction_read_only";
}

bool is_harmless(const classification& unit) {
  return unit.kind == statement_kind::read || unit.kind == statement_kind::empty;
}

// Of what would go to a replica otherwise: a wish for the primary gives no better reason to the rest.
bool is_routable(const classification& unit) {
  return is_harmless(unit) || unit.verb == transaction_verb::begin;
}

bool is_refused_by_standby(isolation level) {
  return level == isolation::serializable;
}

bool begins_read_only(const classification& unit, const session_view& session) {
  if (unit.access == access_mode::unspecified) return session.default_read_only;
  return unit.access == access_mode::read_only;
}

// The comment counts before the session's own setting, that before a pattern, that before the session's user
// and database.
decision wish_for(const classification& unit, const session_view& session, route_wish& wish) {
  const auto& own = session.wish;
  const bool is_own = own.is_own && own.wish != route_wish::automatic;
  const bool is_of_unit = unit.wish != route_wish::automatic && (unit.is_wish_of_comment || !is_own);
  wish = is_of_unit ? unit.wish : own.wish;
  return {wish == route_wish::replica ? target::replica : target::primary,
          is_of_unit ? std::string_view(unit.wish_reason) : own.reason};
}

// Under READ COMMITTED each statement has a snapshot of its own, on whichever server.
bool may_split(const classification& unit, const session_view& session) {
  const auto level = unit.level == isolation::unspecified ? session.default_isolation : unit.level;
  return session.splits && unit.access == access_mode::unspecified && !unit.deferrable &&
         level == isolation::read_committed;
}

decision decide_begin(const classification& unit, const session_view& session) {
  if (!begins_read_only(unit, session)) {
    if (may_split(unit, session)) return {target::replica, in_split_block};
    return {target::primary, "transaction may write"};
  }
  const auto level = unit.level == isolation::unspecified ? session.default_isolation : unit.level;
  if (is_refused_by_standby(level)) return {target::primary, "SERIALIZABLE cannot run on a standby"};
  return {target::replica, "read-only transaction"};
}

decision decide_set_transaction(const classification& unit) {
  const bool may_go_on = unit.access != access_mode::read_write && !is_refused_by_standby(unit.level);
  if (may_go_on) return {target::stay, in_replica_block};
  return {target::move_primary, unit.reason};
}

// What the block does with it is known, and can be done again: the session follows what names mean then.
bool is_followed(const classification& unit) {
  return !unit.locals.empty() || (!unit.value.empty() && unit.name != "session_authorization");
}

// Only what moves along unseen stays: what was read, and SET LOCAL of one value.
decision decide_in_split_block(const classification& unit) {
  const bool is_lifted = unit.wish == route_wish::replica && unit.is_liftable;
  bool stays = is_lifted;
  switch (unit.kind) {
    case statement_kind::empty:
      stays = true;
      break;
    case statement_kind::read:
      if (unit.wish == route_wish::primary) return {target::move_primary, unit.wish_reason};
      stays = true;
      break;
    case statement_kind::set_local:
      stays = is_followed(unit);
      break;
    case statement_kind::transaction:
      stays = unit.verb == transaction_verb::commit || unit.verb == transaction_verb::rollback ||
              (unit.verb == transaction_verb::set_transaction && unit.access == access_mode::unspecified &&
               unit.level == isolation::read_committed);
      break;
    case statement_kind::show:
      stays = may_show(unit.name) && unit.name != "transaction_read_only";
      break;
    default:
      break;
  }
  return stays ? decision{target::stay, in_split_block} : decision{target::move_primary, unit.reason};
}

decision decide_in_replica_block(const classification& unit, const session_view& session) {
  // What names mean from then on is not known here.
  if (unit.kind == statement_kind::set_local && changes_names(unit.name) && !is_followed(unit) &&
      session.block_may_move)
    return {target::move_primary, unit.reason};
  if (unit.is_dml) return {target::stay, in_replica_block};
  if (unit.wish == route_wish::replica && unit.is_liftable) return {target::stay, in_replica_block};
  switch (unit.kind) {
    case statement_kind::empty:
    case statement_kind::read:
    case statement_kind::set_local:
    case statement_kind::declare_cursor_read:
    case statement_kind::cursor_use:
      return {target::stay, in_replica_block};
    case statement_kind::transaction:
      if (unit.verb == transaction_verb::set_transaction) return decide_set_transaction(unit);
      // A block with savepoints cannot move any more, and nobody knows what comes.
      if (unit.verb == transaction_verb::savepoint && session.block_may_move)
        return {target::move_primary, unit.reason};
      return {target::stay, in_replica_block};
    case statement_kind::show:
      if (may_show(unit.name)) return {target::stay, in_replica_block};
      return {target::move_primary, unit.reason};
    case statement_kind::write:
    case statement_kind::explain_route:
    case statement_kind::set:
    case statement_kind::deallocate:
      break;
  }
  return {target::move_primary, unit.reason};
}

decision decide_outside(const classification& unit, const session_view& session) {
  route_wish wish{};
  const auto wished = wish_for(unit, session, wish);
  if (wish == route_wish::primary && is_routable(unit)) return wished;
  if (unit.kind == statement_kind::transaction && unit.verb == transaction_verb::begin) {
    return decide_begin(unit, session);
  }
  const bool is_lifted = wish == route_wish::replica && unit.is_liftable;
  if (!is_harmless(unit) && !is_lifted) return {target::primary, unit.reason};
  // Outside a block each statement is a transaction of the default isolation.
  if (unit.kind != statement_kind::empty && is_refused_by_standby(session.default_isolation)) {
    return {target::primary, "SERIALIZABLE cannot run on a standby"};
  }
  if (is_lifted) return wished;
  return {target::replica, unit.reason};
}

bool is_plain_control(const classification& unit) {
  return unit.kind == statement_kind::transaction &&
         (unit.verb == transaction_verb::commit || unit.verb == transaction_verb::rollback ||
          unit.verb == transaction_verb::chain || unit.verb == transaction_verb::savepoint ||
          unit.verb == transaction_verb::mixed);
}

// Belongs to the block it stands in, on whichever server that is.
bool is_of_block(const classification& unit) {
  return unit.kind == statement_kind::cursor_use || unit.kind == statement_kind::declare_cursor_read ||
         unit.kind == statement_kind::set_local || is_plain_control(unit);
}

// What other statements name may be something else behind it.
bool renames_in_block(const classification& unit) {
  return unit.kind == statement_kind::set_local && (!unit.locals.empty() || changes_names(unit.name));
}

// Of two statements in one unit: for the primary where one of them is.
void join_wishes(classification& unit, const classification& next) {
  const bool can_lift = (is_harmless(unit) || unit.is_liftable) && (is_harmless(next) || next.is_liftable);
  unit.is_liftable = can_lift && (unit.is_liftable || next.is_liftable);
  const bool is_taken = unit.wish == route_wish::automatic || next.wish == route_wish::primary;
  if (!is_taken || next.wish == route_wish::automatic) return;
  unit.wish = next.wish;
  unit.wish_reason = next.wish_reason;
  unit.is_wish_of_comment = next.is_wish_of_comment;
}

void become(classification& unit, statement_kind kind, const classification& next) {
  if (is_harmless(unit)) unit.reason = next.reason;
  unit.kind = kind;
  unit.access = access_mode::unspecified;
  unit.level = isolation::unspecified;
  unit.deferrable = false;
  unit.name.clear();
  unit.value.clear();
  unit.locals.clear();
}

// Before the effects are joined: what runs unknown code may name any statement.
void join_uses(classification& unit, const classification& next) {
  unit.part.reset();
  if (unit.use == statement_use::none && next.use == statement_use::none) return;
  const auto is_one = [](const classification& c) { return c.use != statement_use::none; };
  const auto is_any = [&](const classification& c) { return !is_one(c) && c.effects.may_pin; };
  const bool is_several = (is_one(unit) && is_one(next)) || is_any(unit) || is_any(next);
  if (is_one(next)) unit.used = next.used;
  unit.use = is_several ? statement_use::several : is_one(next) ? next.use : unit.use;
}

void join_verbs(classification& unit, const classification& next) {
  const bool any = unit.verb != transaction_verb::none || next.verb != transaction_verb::none;
  unit.verb = any ? transaction_verb::mixed : transaction_verb::none;
}

}  // namespace

bool changes_names(std::string_view parameter) {
  return parameter == "search_path" || parameter == "role" || parameter == "session_authorization";
}

decision decide(const classification& unit, const session_view& session) {
  if (session.open == block::on_primary) {
    return {target::stay, session.pin.empty() ? in_primary_block : session.pin};
  }
  if (session.open == block::on_replica) {
    if (session.failed) return {target::stay, in_replica_block};
    return session.block_is_split ? decide_in_split_block(unit) : decide_in_replica_block(unit, session);
  }
  const bool may_leave = session.reads_may_leave && unit.kind == statement_kind::read;
  if (!session.pin.empty() && !may_leave) return {target::primary, session.pin};
  return decide_outside(unit, session);
}

bool begins_split_block(const classification& unit, const session_view& session) {
  return unit.verb == transaction_verb::begin && !begins_read_only(unit, session);
}

void join_text(classification& unit, const classification& next) {
  if (unit.kind == statement_kind::empty) {
    const auto effects = unit.effects;
    unit = next;
    unit.effects |= effects;
    return;
  }
  join_uses(unit, next);
  unit.effects |= next.effects;
  unit.bodies |= next.bodies;
  unit.asks |= next.asks;
  unit.needs_catalog |= next.needs_catalog;
  if (next.kind == statement_kind::empty) return;
  join_wishes(unit, next);
  unit.is_query = unit.is_query && next.is_query;
  unit.mark = {};
  unit.is_dml = false;  // what comes before it has run already
  if (unit.kind == statement_kind::read && next.kind == statement_kind::read) return;
  const bool renames = renames_in_block(unit) || renames_in_block(next);
  const bool stays =
      !renames && (is_harmless(unit) || is_of_block(unit)) && (is_harmless(next) || is_of_block(next));
  join_verbs(unit, next);
  const bool has_verb = unit.verb != transaction_verb::none;
  const auto of_block = has_verb ? statement_kind::transaction : statement_kind::cursor_use;
  become(unit, stays ? of_block : statement_kind::write, next);
}

classification as_executed(const classification& unit, const classification& target) {
  const bool is_plain = target.use == statement_use::none && target.verb == transaction_verb::none &&
                        (target.kind == statement_kind::read || target.kind == statement_kind::write);
  if (!is_plain || unit.part == nullptr) return unit;
  classification is = unit;
  if (unit.use == statement_use::executes) {
    is = target;
    is.use = unit.use;
    is.used = unit.used;
    is.mark = unit.mark;
    is.wish = unit.wish;
    is.wish_reason = unit.wish_reason;
    is.is_wish_of_comment = unit.is_wish_of_comment;
  }
  is.part.reset();
  is.effects = unit.part->effects;
  is.effects |= target.effects;
  is.bodies |= unit.part->bodies;
  is.asks |= unit.part->asks;
  is.needs_catalog |= unit.part->needs_catalog;
  return is;
}

void join(classification& unit, const classification& next) {
  const bool opens = unit.kind == statement_kind::transaction && unit.verb == transaction_verb::begin;
  if (opens && is_harmless(next)) {  // BEGIN READ ONLY and its reads in one pipeline
    join_uses(unit, next);
    unit.effects |= next.effects;
    unit.bodies |= next.bodies;
    unit.asks |= next.asks;
    unit.needs_catalog |= next.needs_catalog;
    return;
  }
  join_text(unit, next);
}

}  // namespace pgsteer::routing
