#include "proxy/admin/render_status.hpp"

#include <cmath>

#include <boost/json.hpp>

#include "config/own_parameters.hpp"
#include "proxy/log_line.hpp"
#include "proxy/utf8.hpp"
#include "routing/lsn.hpp"

namespace pgsteer::proxy {
namespace {

namespace json = boost::json;

json::value text(std::string_view s) {
  return json::string{to_utf8(s)};
}

json::object server_json(const server_view& s) {
  json::object o;
  o["name"] = text(s.name);
  o["role"] = to_string(s.role);
  o["configured_role"] = config::to_text(s.claimed);
  o["health"] = to_string(s.health);
  o["in_recovery"] = s.in_recovery;
  o["excluded"] = s.is_excluded;
  o["timeline"] = s.timeline == 0 ? json::value{} : json::value(s.timeline);
  o["replayed_lsn"] = s.replayed_lsn ? text(routing::format_lsn(*s.replayed_lsn)) : json::value{};
  o["lag_bytes"] = s.lag_bytes ? json::value(*s.lag_bytes) : json::value{};
  o["lag_ms"] = s.lag && *s.lag != s.lag->max() ? json::value(s.lag->count()) : json::value{};
  o["lagging"] = s.is_lagging;
  o["outstanding"] = s.outstanding;
  o["breaker"] = to_string(s.breaker);
  o["read_latency_ms"] = std::round(s.latency_us) / 1000;
  o["connects"] = s.connects;
  o["failed_attempts"] = s.connect_failures;
  o["failovers"] = s.losses;
  o["last_error"] = s.last_error.empty() ? json::value{} : text(s.last_error);
  return o;
}

json::object pool_json(const pool_gauge& p) {
  json::object o;
  o["server"] = text(p.server);
  o["role"] = text(p.role);
  o["user"] = text(p.user);
  o["database"] = text(p.database);
  o["idle"] = p.idle;
  o["active"] = p.active;
  o["connecting"] = p.connecting;
  o["size"] = p.size;
  o["waiting"] = p.waiting;
  o["pinned"] = p.pinned;
  o["oldest_wait_ms"] = p.oldest_wait_ms;
  return o;
}

json::object clients_json(const admin_view& v) {
  std::uint64_t connected = 0;
  std::uint64_t waiting = 0;
  std::uint64_t pinned = 0;
  for (const auto& board : v.boards) {
    connected += board->metrics.clients.get();
    waiting += board->metrics.clients_waiting.get();
    pinned += board->metrics.clients_pinned.get();
  }
  json::object pins;
  for (const auto& [reason, sessions] : v.pins)
    pins[to_utf8(reason)] = sessions;
  return {{"connected", connected}, {"waiting", waiting}, {"pinned", pinned}, {"pins", std::move(pins)}};
}

json::array events_json(const admin_view& v) {
  json::array all;
  for (const auto& e : v.events) {
    all.emplace_back(json::object{
        {"time", text(log_time(e.time))}, {"level", level_name(e.level)}, {"text", text(e.text)}});
  }
  return all;
}

}  // namespace

std::string render_status(const admin_view& v, std::chrono::system_clock::time_point now) {
  json::array servers;
  for (const auto& s : v.servers)
    servers.push_back(server_json(s));
  json::array pools;
  for (const auto& p : v.pools)
    pools.push_back(pool_json(p));
  json::object o;
  o["version"] = text(v.version);
  o["uptime_seconds"] = std::chrono::floor<std::chrono::seconds>(now - v.started_at).count();
  o["draining"] = v.is_draining;
  o["failovers"] = v.failovers;
  o["workers"] = v.boards.size();
  o["clients"] = clients_json(v);
  o["servers"] = std::move(servers);
  o["pools"] = std::move(pools);
  o["events"] = events_json(v);
  return json::serialize(o);
}

}  // namespace pgsteer::proxy
