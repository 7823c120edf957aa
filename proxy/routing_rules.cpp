#include "proxy/routing_rules.hpp"

namespace pgsteer::proxy {

namespace {

routing::route_wish wish(std::string_view word) {
  return routing::wish_named(word).value_or(routing::route_wish::automatic);
}

std::vector<routing::session_wishes> wishes(const std::vector<config::session_defaults>& from) {
  std::vector<routing::session_wishes> out;
  for (const auto& each : from)
    out.push_back({each.name, wish(each.route), each.consistency, each.transactions, each.max_lag,
                   each.consistency_wait});
  return out;
}

}  // namespace

std::shared_ptr<const routing::routing_rules> make_routing_rules(const config::settings& s) {
  auto rules = std::make_shared<routing::routing_rules>();
  for (const auto& name : s.functions_read)
    rules->functions.reads.insert(routing::listed_function(name));
  for (const auto& name : s.functions_write)
    rules->functions.writes.insert(routing::listed_function(name));
  for (const auto& each : s.patterns)
    rules->patterns.push_back({wish(each.target), each.pattern, each.reason});
  rules->users = wishes(s.of_users);
  rules->databases = wishes(s.of_databases);
  rules->splits_transactions = s.transactions == config::transaction_routing::split;
  return rules;
}

}  // namespace pgsteer::proxy
