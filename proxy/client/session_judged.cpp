#include <limits>

#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

// What the unit is found to be is kept while it waits for a backend. Not so where it depends on more than its
// bytes, the catalog and the configuration.
void session::wait_for_backend(const unit_view& u, const routing::classification& c) {
  flow_ = flow::waiting;
  if (u.missing > 0 || is_stalled_ || !c.locals.empty() ||
      u.bytes.size() > std::numeric_limits<std::uint32_t>::max())
    return;
  auto& kept = wait_.judged;
  if (u.is_extended) {
    if (worker_.unit->what() != &c) return;
    kept.what = worker_.unit->shared_what();
    if (kept.what == nullptr && !worker_.unit->is_joined()) return;
    kept.batch = std::exchange(worker_.unit, worker_.take_unit());
  } else {
    if (worker_.classifier.last().get() != &c) return;
    kept.what = worker_.classifier.last();
  }
  kept.facts_number = facts_number();
  kept.group = group_->statements_key;
  kept.size = static_cast<std::uint32_t>(u.bytes.size());
  kept.end = u.end;
  kept.is_granted = false;
}

// As it was judged before it waited. Null: that is not known, or not true any more.
const routing::classification* session::take_judged(const unit_view& u) {
  auto& kept = wait_.judged;
  if (kept.size == 0) return nullptr;
  const bool is_same = kept.size == u.bytes.size() && rules_number_ == worker_.rules_number &&
                       kept.group == group_->statements_key && kept.facts_number == facts_number();
  kept.size = 0;
  worker_.waited = std::move(kept.what);
  if (kept.batch == nullptr) return is_same ? worker_.waited.get() : nullptr;
  worker_.give_unit(std::exchange(worker_.unit, std::move(kept.batch)));
  return is_same ? worker_.unit->what() : nullptr;
}

bool session::is_granted() const {
  return wait_.judged.size > 0 && wait_.judged.is_granted && backend_ != nullptr && in_ != nullptr &&
         phase_ == phase::ready && flow_ == flow::collecting && !gone_ && !is_backed_up();
}

// The unit that waited has a backend now.
void session::run_granted() {
  const auto& kept = wait_.judged;
  const auto bytes = std::string_view(*in_).substr(0, kept.size);
  scanned_ = 0;
  const auto used = start_unit({bytes, kept.end, kept.batch != nullptr, 0});
  if (used > 0) drop_input(used);
  if (flow_ != flow::in_flight) resume();
}

std::uint64_t session::facts_number() const {
  const bool is_known = block_settings_ == nullptr && facts_settings_ == settings_ &&
                        facts_epoch_ == group_->facts->epoch() && group_->facts->has_catalog();
  return is_known ? facts_.number : parse_context().facts_number;
}

void session::forget_judged() {
  wait_.judged.size = 0;
  wait_.judged.what.reset();
  if (wait_.judged.batch != nullptr) worker_.give_unit(std::move(wait_.judged.batch));
}

}  // namespace pgsteer::proxy
