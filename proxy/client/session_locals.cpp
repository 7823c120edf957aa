// What a block on a replica has set for itself: kept, so that it can be said again on the primary, and
// followed in what names mean.
#include <fmt/format.h>

#include "protocol/bind_message.hpp"
#include "protocol/settings_state.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/sql_words.hpp"
#include "proxy/worker.hpp"
#include "routing/local_settings.hpp"

namespace pgsteer::proxy {

namespace {

using protocol::quote_literal;

constexpr std::size_t most_parameters = 200;
constexpr std::size_t most_kept_sql = std::size_t{64} << 10;  // bytes of SQL that says it again

// As the wire has it: the text itself, in whichever format, where the type is one of text.
std::optional<std::string_view> text_of(const protocol::bound_value& value, std::uint32_t type) {
  constexpr std::uint32_t unknown = 705;
  constexpr std::uint32_t text = 25;
  constexpr std::uint32_t varchar = 1043;
  const bool is_text = type == 0 || type == unknown || type == text || type == varchar;
  return value.is_binary && !is_text ? std::nullopt : value.bytes;
}

void follow(local_settings& kept, std::string_view name, std::string value) {
  kept.names.emplace(name);
  if (name == "role") {
    kept.role = std::move(value);
  } else if (name == "search_path") {
    kept.search_path = std::move(value);
  }
}

}  // namespace

// What set_config() sets in a block on a replica is collected; where it cannot be known, the unit is one for
// the primary.
const routing::classification& session::with_values(const unit_view& u, const routing::classification& c) {
  if (c.locals.empty() || view_.open != routing::block::on_replica) return c;
  worker_.locals.clear();
  if (u.missing == 0 && collect_values(u, c)) return c;
  auto is = c;
  is.kind = routing::statement_kind::write;
  is.locals.clear();
  worker_.executing = std::move(is);
  return worker_.executing;
}

bool session::collect_values(const unit_view& u, const routing::classification& c) {
  std::size_t size = block_settings_ == nullptr ? 0 : block_settings_->sql.size();
  const auto collect = [&](const auto& parameter) {
    auto values = routing::local_values(c, parameter);
    if (!values) return false;
    for (auto& [name, value] : *values) {
      size += 2 * (name.size() + value.size());
      worker_.locals.emplace_back(std::move(name), std::move(value));
    }
    return size <= most_kept_sql;
  };
  if (!u.is_extended) return collect([](int) { return std::optional<std::string_view>(); });
  bool is_known = true;
  worker_.unit->each_bind(u.bytes, [&](std::string_view frame, const prepared_statement* statement) {
    const auto values = protocol::bound_values(frame, most_parameters);
    is_known = is_known && statement != nullptr && values && collect([&](int number) {
                 const auto at = static_cast<std::size_t>(number) - 1;
                 if (at >= values->size()) return std::optional<std::string_view>();
                 return text_of((*values)[at], protocol::declared_type(statement->parse_tail, number));
               });
  });
  return is_known;
}

// Of a SET LOCAL that goes to the block's replica. False: it cannot be said again.
bool session::keep_local_settings(const routing::classification& c) {
  if (c.value.empty() && c.locals.empty()) return false;
  if (block_settings_ == nullptr) block_settings_ = std::make_unique<local_settings>();
  auto& kept = *block_settings_;
  if (c.locals.empty()) {
    kept.sql += fmt::format("; SET LOCAL \"{}\" TO {}", c.name, quote_literal(c.value));
    follow(kept, c.name, c.name == "search_path" ? quoted_name(c.value) : c.value);
    return true;
  }
  for (auto& [name, value] : worker_.locals) {
    kept.sql += fmt::format("; SELECT pg_catalog.set_config({}, {}, true)", quote_literal(name),
                            quote_literal(value));
    follow(kept, name, std::move(value));
  }
  worker_.locals.clear();
  return true;
}

std::string_view session::role_in_force(std::string_view role) const {
  if (role.empty() || role == "none") role = settings_->get("session_authorization");
  return role.empty() || role == "default" ? std::string_view(group_->user) : role;
}

std::optional<std::string_view> session::own_search_path() const {
  if (!settings_->values.contains("search_path")) return std::nullopt;
  return settings_->get("search_path");
}

routing::chosen_facts session::facts_in_block(const local_settings& kept) const {
  const auto role = role_in_force(kept.role ? std::string_view(*kept.role) : settings_->get("role"));
  const auto path = kept.search_path ? std::optional<std::string_view>(*kept.search_path) : own_search_path();
  return group_->facts->of(role, path);
}

}  // namespace pgsteer::proxy
