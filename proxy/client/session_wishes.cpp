// pgsteer.route, pgsteer.consistency and pgsteer.transactions: settings of a session that mean something to
// the proxy. The servers keep them as any custom setting, so that transactions, RESET and startup values are
// theirs to get right.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"
#include "routing/settings_statements.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
using protocol::unit_end;

constexpr std::string_view prefix = "pgsteer.";

struct own_setting {
  std::string_view name;
  std::string_view values;  // between bars
  std::string_view hint;
};

constexpr std::array<own_setting, 3> own_settings{{
    {"pgsteer.consistency", "|eventual|session|global|", "Available values: eventual, session, global."},
    {"pgsteer.route", "|auto|primary|replica|", "Available values: auto, primary, replica."},
    {"pgsteer.transactions", "|primary|split|", "Available values: primary, split."},
}};

const own_setting* find_own_setting(std::string_view name) {
  const auto found = std::ranges::find(own_settings, name, &own_setting::name);
  return found == own_settings.end() ? nullptr : &*found;
}

std::string_view name_of(routing::route_wish wish) {
  switch (wish) {
    case routing::route_wish::primary:
      return "primary";
    case routing::route_wish::replica:
      return "replica";
    case routing::route_wish::automatic:
      break;
  }
  return "auto";
}

std::string_view name_of(config::consistency level) {
  switch (level) {
    case config::consistency::eventual:
      return "eventual";
    case config::consistency::global:
      return "global";
    case config::consistency::session:
      break;
  }
  return "session";
}

}  // namespace

// Nothing where the setting is not the proxy's, or the value is right.
std::optional<protocol::error_report> session::refuse_own_setting(std::string_view name,
                                                                  std::string_view value) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto* known = find_own_setting(name);
  if (known == nullptr) {
    return protocol::statement_error(
        sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name), {},
        "pgsteer has pgsteer.route, pgsteer.consistency and pgsteer.transactions.");
  }
  const auto lower = routing::lower_case(value);
  if (lower.find('|') == std::string::npos && known->values.find('|' + lower + '|') != std::string_view::npos)
    return std::nullopt;
  return protocol::statement_error(sqlstate::invalid_parameter_value,
                                   fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value), {},
                                   std::string(known->hint));
}

// Outside a block a wrong value is refused here: the servers would take any.
bool session::refuse_own_setting(const unit_view& u, const routing::classification& c) {
  const bool is_set = c.kind == routing::statement_kind::set && !c.effects.resets;
  if (!is_set || view_.open != routing::block::none || u.missing > 0) return false;
  const auto why = refuse_own_setting(c.name, c.value);
  if (why) refuse_unit(u, *why);
  return why.has_value();
}

// A server knows such a setting once it has been set there: SHOW must not be its first word of it.
void session::introduce_own_setting(const routing::classification& c, backend& b) {
  if (c.kind != routing::statement_kind::show || find_own_setting(c.name) == nullptr) return;
  if (b.status == 'E' || settings_->values.contains(c.name)) return;
  const auto value = c.name == "pgsteer.route"          ? name_of(view_.wish.wish)
                     : c.name == "pgsteer.transactions" ? std::string_view(view_.splits ? "split" : "primary")
                                                        : name_of(level_);
  if (b.status == 'I') {
    auto values = settings_->values;
    values.emplace(c.name, value);
    group_->custom_settings.insert(c.name);
    settings_ = worker_.settings_values.intern(std::move(values));
    return;
  }
  b.put_own_query(
      own_query::settings_prefix,
      fmt::format("SELECT pg_catalog.set_config({}, coalesce(nullif(pg_catalog.current_setting({}, "
                  "true), ''), {}), true)",
                  protocol::quote_literal(c.name), protocol::quote_literal(c.name),
                  protocol::quote_literal(value)),
      worker_.to_backend);
}

void session::refresh_wishes() {
  rules_ = worker_.config().rules.get();
  view_.wish =
      routing::wish_of_session(settings_->get("pgsteer.route"), group_->user, group_->database, *rules_);
  const auto level = routing::consistency_of_session(settings_->get("pgsteer.consistency"), group_->user,
                                                     group_->database, *rules_);
  view_.splits = routing::splits_transactions(settings_->get("pgsteer.transactions"), group_->user,
                                              group_->database, *rules_);
  level_ = worker_.settings().level_of_reads;
  for (const auto each :
       {config::consistency::eventual, config::consistency::session, config::consistency::global}) {
    if (routing::lower_case(level) == name_of(each)) level_ = each;
  }
}

// The unit is answered with an error and dropped; the session goes on.
void session::refuse_unit(const unit_view& u, const protocol::error_report& why) {
  std::string bytes;
  protocol::write::error_response(bytes, why);
  skip_to_sync_ = u.end == unit_end::flush;
  if (!skip_to_sync_) protocol::write::ready_for_query(bytes, 'I');
  send(bytes);
}

}  // namespace pgsteer::proxy
