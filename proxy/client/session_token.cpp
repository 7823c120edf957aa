// pgsteer.token: a session that SHOWs it gets the position in the WAL of everything it has written or seen;
// one that SETs it reads what the other has. Nothing undoes what it raises.
#include <limits>

#include <fmt/format.h>

#include "protocol/unit.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"
#include "routing/token.hpp"

namespace pgsteer::proxy {

namespace {

using routing::statement_kind;

constexpr std::string_view token_setting = "pgsteer.token";

}  // namespace

// In front of a SHOW on the primary, in the same write: the server's answer to it is the token of now.
void session::bring_token(const routing::classification& c, backend& b) {
  if (c.kind != statement_kind::show || c.name != token_setting) return;
  if (b.status == 'E' || b.home.is_replica()) return;
  worker_.metrics().tokens_issued.add();
  b.put_own_query(own_query::settings_prefix,
                  routing::token_query(worker_.config().servers->system, b.status == 'T'),
                  worker_.to_backend);
}

// What the unit leaves in its session, but for a token: its effect is the proxy's, and no server needs to
// keep it.
routing::session_effects session::see_token(const unit_view& u, const routing::classification& c,
                                            backend& b) {
  auto effects = c.effects;
  if (c.name != token_setting || refusal_) return effects;
  const bool is_whole = u.end != protocol::unit_end::flush && u.missing == 0;
  if (c.kind == statement_kind::set || c.kind == statement_kind::set_local) {
    adopt_token(c.value);
    if (is_whole) effects.may_set = effects.may_set && effects.resets;
  }
  if (is_whole) forget_token(c, b);
  return effects;
}

// Behind a SHOW or SET of it nothing stays on the server.
void session::forget_token(const routing::classification& c, backend& b) {
  const bool is_set = c.kind == statement_kind::set && !c.effects.resets;
  const bool is_shown = c.kind == statement_kind::show && b.status == 'I' && !b.home.is_replica();
  if (b.status == 'E' || (!is_set && !is_shown)) return;
  b.put_own_query(own_query::settings_prefix, "SELECT pg_catalog.set_config('pgsteer.token', '', false)",
                  worker_.to_backend);
}

// The hint, where it is no token for this session.
std::optional<std::string> session::why_no_token(std::string_view text) const {
  if (text.empty()) return std::nullopt;
  const auto token = routing::parse_token(text);
  if (!token) return "A token is what SHOW pgsteer.token answers, unchanged.";
  const auto own = worker_.config().servers->system;
  if (token->system == own || token->system == 0 || own == 0) return std::nullopt;
  return fmt::format("The token is of another database system ({}) than this pgsteer's primary ({}).",
                     token->system, own);
}

void session::adopt_token(std::string_view text) {
  if (text.empty() || text == token_text_ || why_no_token(text)) return;
  token_text_ = text;
  const auto token = *routing::parse_token(text);
  const auto& servers = *worker_.config().servers;
  routing::freshness seen{.floor = routing::normalise_insert_lsn(token.at, servers.wal),
                          .timeline = token.timeline};
  if (token.timeline <= servers.timeline) settle_timeline(seen);
  settle_timeline(freshness_);
  token_.raise(seen.floor, seen.timeline);
  token_.timeline = std::max(token_.timeline, seen.timeline);
  freshness_.raise(seen.floor, seen.timeline);
  // Of a promotion that is not known here yet: the primary is asked.
  if (seen.is_sampled && seen.timeline <= servers.timeline) return;
  freshness_.see_primary();
  last_sight_ = std::numeric_limits<std::uint64_t>::max();  // this session alone, and itself
}

}  // namespace pgsteer::proxy
