// What writing to a relation runs beside the statement itself: triggers, defaults, checks, policies, rules,
// and what foreign keys change elsewhere. Only what that may leave in the session matters here.
#include "routing/catalog_judge.hpp"

namespace pgsteer::routing {
namespace {

session_effects anything() {
  session_effects left;
  left.may_set = true;
  left.may_pin = true;
  return left;
}

}  // namespace

// Not safe where anything is left: an answer that leans on an open question is forgotten then.
verdict catalog_judge::judge_written(const catalog_relation& r, path_number path) {
  session_effects all;
  if (r.schema == pg_catalog_schema && r.id < first_user_object) {
    all = builtin_facts().written({{}, "pg_catalog", r.name});
  }
  for (const auto& use : known_->references(r.written))
    all |= run_by_write(use, path);
  for (const auto& use : known_->references(r.uses)) {  // a view's relations, and partitions
    if (use.kind == object_kind::relation) all |= run_by_write(use, path);
  }
  verdict left;
  left.effects.may_set = all.may_set;
  left.effects.may_pin = all.may_pin;
  left.effects.seeds_random = all.seeds_random;
  left.is_safe = !all.may_set && !all.may_pin && !all.seeds_random;
  return left;
}

session_effects catalog_judge::run_by_write(const reference& use, path_number path) {
  if (use.kind == object_kind::relation) {
    const auto* r = known_->relation(use.id);
    return r == nullptr || r->kind == 'c' ? session_effects{} : written(*r, path).effects;
  }
  if (use.kind != object_kind::trigger) return judge_reference(use, path).effects;
  const auto* f = known_->function(use.id);
  return f == nullptr ? session_effects{} : run_by_trigger(*f, path);
}

// Those in C are PostgreSQL's own and extensions'.
session_effects catalog_judge::run_by_trigger(const catalog_function& f, path_number path) {
  const bool is_listed = listing_of(f) == listing::read;
  if (is_listed || f.id < first_user_object || f.language == routine_language::c) return {};
  if (!known_->details(f).refusal.empty()) return anything();
  const auto body = judge_body(f, path, true);
  return body.executed.empty() ? body.effects : anything();
}

}  // namespace pgsteer::routing
