#include "proxy/client/time_limits.hpp"

#include <string>

#include "config/values.hpp"

namespace pgsteer::proxy {

namespace {

bool exceeds(std::chrono::nanoseconds age, std::chrono::milliseconds limit) {
  return limit.count() > 0 && age >= limit;
}

}  // namespace

time_limit exceeded_limit(const client_activity& activity, const config::settings& limits) {
  using kind = client_activity::kind;
  const auto what = activity.what;
  const bool in_transaction = what == kind::running || what == kind::idle_in_transaction;
  if (in_transaction && exceeds(activity.transaction, limits.transaction_timeout))
    return time_limit::transaction;
  if (what == kind::idle_in_transaction && exceeds(activity.lasting, limits.idle_in_transaction_timeout))
    return time_limit::idle_in_transaction;
  if (what == kind::running && exceeds(activity.lasting, limits.query_timeout)) return time_limit::query;
  if (what == kind::idle && exceeds(activity.lasting, limits.client_idle_timeout))
    return time_limit::client_idle;
  return time_limit::none;
}

bool has_time_limits(const config::settings& limits) {
  return limits.query_timeout.count() > 0 || limits.transaction_timeout.count() > 0 ||
         limits.idle_in_transaction_timeout.count() > 0;
}

std::optional<std::chrono::milliseconds> statement_timeout_of(const protocol::settings_state& settings) {
  const auto text = settings.get("statement_timeout");
  if (text.empty()) return std::nullopt;
  const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
  const auto value = config::parse_duration(is_number ? std::string(text) + "ms" : std::string(text));
  if (!value || value->count() == 0) return std::nullopt;
  return *value;
}

}  // namespace pgsteer::proxy
