#include "protocol/settings_state.hpp"

#include <algorithm>
#include <array>

namespace pgsteer::protocol {

namespace {

// Parameters that never change how a statement is parsed, planned or described, so that clients
// that differ only in these share prepared statements.
constexpr std::array<std::string_view, 14> plan_neutral = {"application_name",
                                                           "client_min_messages",
                                                           "deadlock_timeout",
                                                           "extra_float_digits",
                                                           "idle_in_transaction_session_timeout",
                                                           "idle_session_timeout",
                                                           "lock_timeout",
                                                           "log_min_duration_statement",
                                                           "log_statement",
                                                           "statement_timeout",
                                                           "synchronous_commit",
                                                           "tcp_keepalives_idle",
                                                           "track_activities",
                                                           "work_mem"};

std::string serialise(const settings_map& values, bool all) {
  std::string out;
  for (const auto& [name, value] : values) {
    if (!all && is_plan_neutral(name)) continue;
    out.append(name).push_back('\0');
    out.append(value).push_back('\0');
  }
  return out;
}

bool is_identity(std::string_view name) {
  return name == "role" || name == "session_authorization";
}

void append_set(std::string& sql, std::string_view name, std::string_view value) {
  sql.append("SELECT pg_catalog.set_config(").append(quote_literal(name)).append(",");
  sql.append(quote_literal(value)).append(",false);");
}

}  // namespace

// Nothing parses or plans by an extension's or an application's own parameters (`app.user_id`).
bool is_plan_neutral(std::string_view name) {
  return name.find('.') != std::string_view::npos ||
         std::binary_search(plan_neutral.begin(), plan_neutral.end(), name);
}

settings_map plan_settings(const settings_state& state) {
  auto values = state.values;
  std::erase_if(values, [](const auto& one) { return is_plan_neutral(one.first); });
  return values;
}

settings_pool::settings_pool() : none_(intern({})) {}

settings_ref settings_pool::intern(settings_map values) {
  auto key = serialise(values, true);
  const auto at = states_.find(key);
  if (at != states_.end()) return at->second;
  if (states_.size() >= sweep_at_) drop_unused();
  auto plan = serialise(values, false);
  const auto id = static_cast<std::uint32_t>(plan_keys_.size());
  const auto plan_key = plan_keys_.try_emplace(std::move(plan), id).first->second;
  auto state = std::make_shared<const settings_state>(settings_state{std::move(values), plan_key});
  states_.emplace(std::move(key), state);
  return state;
}

void settings_pool::drop_unused() {
  std::erase_if(states_, [](const auto& entry) { return entry.second.use_count() == 1; });
  sweep_at_ = std::max<std::size_t>(256, states_.size() * 2);
}

settings_change change_settings(const settings_state& from, const settings_state& to) {
  settings_change change;
  const auto differs = [&](std::string_view name) { return from.get(name) != to.get(name); };
  const bool authorization = differs("session_authorization");
  const bool role = differs("role") || authorization;
  // Leave foreign identities before anything else: they may not be allowed to undo the rest.
  if (role && !from.get("role").empty()) change.sql += "RESET ROLE;";
  if (authorization && !from.get("session_authorization").empty())
    change.sql += "RESET SESSION AUTHORIZATION;";
  for (const auto& [name, value] : from.values) {
    if (!is_identity(name) && !to.values.contains(name))
      change.sql += "RESET " + quote_identifier(name) + ";";
  }
  for (const auto& [name, value] : to.values) {
    if (!is_identity(name) && (differs(name) || !from.values.contains(name)))
      append_set(change.sql, name, value);
  }
  if (authorization && !to.get("session_authorization").empty()) {
    change.sql += "SET SESSION AUTHORIZATION " + quote_literal(to.get("session_authorization")) + ";";
    change.may_fail = true;
  }
  if (role && !to.get("role").empty()) {
    change.sql += "SET ROLE " + quote_literal(to.get("role")) + ";";
    change.may_fail = true;
  }
  return change;
}

std::string quote_literal(std::string_view text) {
  std::string out;
  if (text.find('\\') != std::string_view::npos) out = " E";
  out.push_back('\'');
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back(c);
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

std::string quote_identifier(std::string_view name) {
  std::string out;
  // A setting may have a dotted name: each part is quoted alone.
  std::size_t begin = 0;
  for (;;) {
    const auto dot = name.find('.', begin);
    out.push_back('"');
    for (const char c : name.substr(begin, dot == std::string_view::npos ? dot : dot - begin)) {
      if (c == '"') out.push_back(c);
      out.push_back(c);
    }
    out.push_back('"');
    if (dot == std::string_view::npos) return out;
    out.push_back('.');
    begin = dot + 1;
  }
}

}  // namespace pgsteer::protocol
