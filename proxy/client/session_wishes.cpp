// pgsteer.route and its like: settings of a session that mean something to the proxy. The servers keep them
// as any custom setting, so that transactions, RESET and startup values are theirs to get right.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/routes.hpp"
#include "config/values.hpp"
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
  std::string_view values;  // between bars; empty: see why_wrong()
  std::string_view hint;
};

constexpr std::array<own_setting, 6> own_settings{{
    {"pgsteer.consistency", "|eventual|session|global|", "Available values: eventual, session, global."},
    {"pgsteer.consistency_wait", {}, {}},
    {"pgsteer.max_lag", {}, {}},
    {"pgsteer.route", "|auto|primary|replica|", "Available values: auto, primary, replica."},
    {"pgsteer.token", {}, {}},
    {"pgsteer.transactions", "|primary|split|", "Available values: primary, split."},
}};

const own_setting* find_own_setting(std::string_view name) {
  const auto found = std::ranges::find(own_settings, name, &own_setting::name);
  return found == own_settings.end() ? nullptr : &*found;
}

// The hint, where the value is none of the setting's.
std::optional<std::string> why_wrong(const own_setting& setting, std::string_view value) {
  if (setting.values.empty()) {
    const auto found = setting.name == "pgsteer.max_lag" ? config::parse_max_lag(value)
                                                         : config::parse_consistency_wait(value);
    if (found) return std::nullopt;
    return fmt::format("{}: {}.", found.error().what, found.error().suggestion);
  }
  const auto lower = routing::lower_case(value);
  const bool is_known = lower.find('|') == std::string::npos &&
                        setting.values.find('|' + lower + '|') != std::string_view::npos;
  return is_known ? std::nullopt : std::optional(std::string(setting.hint));
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

std::optional<config::consistency> level_named(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const auto each :
       {config::consistency::eventual, config::consistency::session, config::consistency::global}) {
    if (routing::lower_case(name) == name_of(each)) return each;
  }
  return std::nullopt;
}

}  // namespace

// Nothing where the setting is not the proxy's, or the value is right.
std::optional<protocol::error_report> session::refuse_own_setting(std::string_view name,
                                                                  std::string_view value) const {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto* known = find_own_setting(name);
  if (known == nullptr) {
    return protocol::statement_error(
        sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name), {},
        "pgsteer has pgsteer.route, pgsteer.consistency, pgsteer.consistency_wait, pgsteer.max_lag, "
        "pgsteer.token and pgsteer.transactions.");
  }
  auto why = name == "pgsteer.token" ? why_no_token(value) : why_wrong(*known, value);
  if (!why) return std::nullopt;
  return protocol::statement_error(sqlstate::invalid_parameter_value,
                                   fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value), {},
                                   *std::move(why));
}

// Outside a block a wrong value is refused here: the servers would take any.
bool session::refuse_own_setting(const unit_view& u, const routing::classification& c) {
  const bool is_set = c.kind == routing::statement_kind::set && !c.effects.resets;
  if (!is_set || view_.open != routing::block::none || u.missing > 0) return false;
  const auto why = refuse_own_setting(c.name, c.value);
  if (why) refuse_unit(u, *why);
  return why.has_value();
}

// Inside a block its server must fail, too: a query of our own sees to that in front of the statement, whose
// error is then the right one.
void session::refuse_in_block(const routing::classification& c, backend& b) {
  if (refusal_ == nullptr) refuse_own_value(c, b);
  if (refusal_ == nullptr) return;
  b.put_own_query(own_query::refusal, "SELECT 'pgsteer refuses this'::pg_catalog.int4", worker_.to_backend);
}

void session::refuse_own_value(const routing::classification& c, const backend& b) {
  const bool is_set = c.kind == routing::statement_kind::set || c.kind == routing::statement_kind::set_local;
  if (!is_set || c.effects.resets || b.status != 'T') return;
  auto why = refuse_own_setting(c.name, c.value);
  if (!why) return;
  refusal_ = std::make_unique<protocol::error_report>(*std::move(why));
}

// A server knows such a setting once it has been set there: SHOW must not be its first word of it.
void session::introduce_own_setting(const routing::classification& c, backend& b) {
  if (c.kind != routing::statement_kind::show || find_own_setting(c.name) == nullptr) return;
  if (c.name == "pgsteer.token") return;  // see bring_token()
  if (b.status == 'E' || settings_->values.contains(c.name)) return;
  const auto value = own_value(c.name);
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

// What is in force without its being set.
std::string session::own_value(std::string_view name) const {
  if (name == "pgsteer.route") return std::string(name_of(view_.wish.wish));
  if (name == "pgsteer.transactions") return view_.splits ? "split" : "primary";
  if (name == "pgsteer.max_lag") return config::to_text(max_lag_);
  if (name == "pgsteer.consistency_wait") return config::to_text(consistency_wait_);
  return std::string(name_of(level_));
}

void session::refresh_wishes() {
  const auto first = settings_->values.lower_bound(prefix);
  const bool has_own = first != settings_->values.end() && first->first.starts_with(prefix);
  if (has_own) {
    adopt_wishes(find_wishes(*settings_));
    return adopt_token(settings_->get("pgsteer.token"));
  }
  if (group_->wishes.rules_number != worker_.rules_number) group_->wishes = find_wishes({});
  adopt_wishes(group_->wishes);
}

void session::adopt_wishes(const wishes_in_force& wishes) {
  rules_number_ = wishes.rules_number;
  view_.wish = wishes.route;
  view_.splits = wishes.splits;
  max_lag_ = wishes.max_lag;
  if (max_lag_ != worker_.settings().max_lag) worker_.mind_lag(max_lag_);
  consistency_wait_ = wishes.consistency_wait;
  level_ = wishes.level;
}

wishes_in_force session::find_wishes(const protocol::settings_state& own) const {
  const auto& rules = *worker_.config().rules;
  const auto& general = worker_.settings();
  const auto said = [&](std::string_view name, std::string routing::session_wishes::*setting) {
    return routing::said_of_session(setting, own.get(name), group_->user, group_->database, rules);
  };
  const auto given = [](std::string_view text, auto parse, auto otherwise) {
    if (text.empty()) return otherwise;
    const auto value = parse(text);
    return value ? *value : otherwise;
  };
  wishes_in_force found;
  found.rules_number = worker_.rules_number;
  found.route = routing::wish_of_session(own.get("pgsteer.route"), group_->user, group_->database, rules);
  found.splits =
      routing::splits_transactions(own.get("pgsteer.transactions"), group_->user, group_->database, rules);
  found.max_lag = given(said("pgsteer.max_lag", &routing::session_wishes::max_lag), config::parse_max_lag,
                        general.max_lag);
  found.consistency_wait = given(said("pgsteer.consistency_wait", &routing::session_wishes::consistency_wait),
                                 config::parse_consistency_wait, general.consistency_wait);
  found.level = level_named(said("pgsteer.consistency", &routing::session_wishes::consistency))
                    .value_or(general.level_of_reads);
  return found;
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
