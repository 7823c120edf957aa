// What sessions begin with, by ALTER ROLE and ALTER DATABASE: connections opened before serve nobody any more
// but who has them, and the sessions that were there keep what they began with.
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

void worker::alter_defaults(std::string_view sql, const client_group& by) {
  for (const auto& each : groups_) {
    auto& g = *each;
    const auto& role = g.login == nullptr ? settings().primary.user : g.login->user;
    if (!may_concern(sql, role, g.database, &g == &by)) continue;
    log_info("What sessions begin with was altered: connections are opened anew",
             {{"user", g.user}, {"database", g.database}});
    ++g.defaults_number;
    g.are_defaults_known = g.is_known = false;
    g.profiles.clear();
    for (const auto& p : g.pools)
      p->close_idle();
    for (auto* s : all_sessions()) {
      if (s->is_of(g)) s->see_altered();
    }
  }
  routing::freshness seen;
  seen.see_primary();
  departed.leave(seen, std::chrono::duration_cast<std::chrono::milliseconds>(loop.now().time_since_epoch()));
}

void worker::adopt_defaults(client_group& g, protocol::settings_map now) {
  const auto changed = changed_defaults(g.defaults, now);
  g.defaults = std::move(now);
  g.are_defaults_known = true;
  if (changed.empty()) return;
  for (auto* s : all_sessions()) {
    if (s->is_of(g)) s->keep_defaults(changed);
  }
}

}  // namespace pgsteer::proxy
