#include "proxy/admin/render_metrics.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "proxy/admin/prometheus.hpp"

namespace pgsteer::proxy {
namespace {

struct metric {
  counter worker_metrics::*field;
  std::string_view name, type, help;
};

constexpr std::array worker_counters{
    metric{&worker_metrics::clients, "pgsteer_clients", "gauge", "Clients logged in."},
    metric{&worker_metrics::clients_waiting, "pgsteer_clients_waiting", "gauge",
           "Clients queued for a backend."},
    metric{&worker_metrics::clients_pinned, "pgsteer_clients_pinned", "gauge",
           "Clients whose session state holds them to one backend."},
    metric{&worker_metrics::clients_total, "pgsteer_clients_accepted_total", "counter", "Clients accepted."},
    metric{&worker_metrics::logins_failed, "pgsteer_logins_failed_total", "counter", "Logins refused."},
    metric{&worker_metrics::protocol_errors, "pgsteer_protocol_errors_total", "counter",
           "Client connections ended because they broke the protocol."},
    metric{&worker_metrics::retries, "pgsteer_retries_total", "counter",
           "Reads run again on another server, unseen by the client."},
    metric{&worker_metrics::statements_learned, "pgsteer_statements_learned_total", "counter",
           "Statements that a replica could not do: they go to the primary for a while."},
    metric{&worker_metrics::lost_writes, "pgsteer_lost_writes_total", "counter",
           "Sessions that have seen WAL which the new primary does not have: writes are lost."},
    metric{&worker_metrics::tokens_issued, "pgsteer_tokens_total", "counter",
           "Tokens given out by SHOW pgsteer.token."},
    metric{&worker_metrics::consistency_waits, "pgsteer_consistency_waits_total", "counter",
           "Reads that waited for a replica to catch up."},
    metric{&worker_metrics::consistency_wait_timeouts, "pgsteer_consistency_wait_timeouts_total", "counter",
           "Reads that waited for a replica in vain and ran on the primary."},
    metric{&worker_metrics::moves, "pgsteer_moves_total", "counter",
           "Read-only blocks moved from a replica to the primary."},
    metric{&worker_metrics::acquire_timeouts, "pgsteer_acquire_timeouts_total", "counter",
           "Clients that got no backend within acquire_timeout."},
    metric{&worker_metrics::failover_timeouts, "pgsteer_failover_timeouts_total", "counter",
           "Units that waited for a primary and got none within failover_wait."},
    metric{&worker_metrics::failover_refusals, "pgsteer_failover_refusals_total", "counter",
           "Units refused because too many waited for a primary already."},
    metric{&worker_metrics::backend_connects, "pgsteer_backend_connects_total", "counter",
           "Backend connections opened."},
    metric{&worker_metrics::backend_connect_failures, "pgsteer_backend_connect_failures_total", "counter",
           "Backend connections that could not be opened."},
    metric{&worker_metrics::backend_losses, "pgsteer_backend_losses_total", "counter",
           "Backend connections that broke while in use."},
    metric{&worker_metrics::ledger_mismatches, "pgsteer_ledger_mismatches_total", "counter",
           "Backend connections closed because a reply did not match what was sent."},
    metric{&worker_metrics::query_timeouts, "pgsteer_query_timeouts_total", "counter",
           "Queries cancelled by query_timeout."},
    metric{&worker_metrics::transaction_timeouts, "pgsteer_transaction_timeouts_total", "counter",
           "Sessions ended by transaction_timeout."},
    metric{&worker_metrics::idle_in_transaction_timeouts, "pgsteer_idle_in_transaction_timeouts_total",
           "counter", "Sessions ended by idle_in_transaction_timeout."},
    metric{&worker_metrics::client_idle_timeouts, "pgsteer_client_idle_timeouts_total", "counter",
           "Sessions ended by client_idle_timeout."},
    metric{&worker_metrics::cancels, "pgsteer_cancels_total", "counter", "Cancel requests served."},
    metric{&worker_metrics::cancels_unknown, "pgsteer_cancels_unknown_total", "counter",
           "Cancel requests with a forged or outdated key."},
    metric{&worker_metrics::state_probes, "pgsteer_state_probes_total", "counter",
           "Questions asked to learn a session's settings and pins."},
    metric{&worker_metrics::settings_replays, "pgsteer_settings_replays_total", "counter",
           "Times a session's settings were brought to another backend."},
    metric{&worker_metrics::statements_prepared, "pgsteer_statements_prepared_total", "counter",
           "Statements prepared on a backend on behalf of a client."},
};

std::uint64_t sum(const admin_view& v, counter worker_metrics::*field) {
  std::uint64_t total = 0;
  for (const auto& board : v.boards)
    total += (board->metrics.*field).get();
  return total;
}

void write_process(prometheus_text& out, const admin_view& v) {
  out.family("pgsteer_build_info", "gauge", "Always 1; the version is a label.");
  out.sample({{"version", v.version}}, 1);
  out.family("pgsteer_start_time_seconds", "gauge", "When the process started, in seconds since 1970.");
  out.sample({}, std::chrono::duration<double>(v.started_at.time_since_epoch()).count());
  out.family("pgsteer_draining", "gauge", "1 while the process drains.");
  out.sample({}, v.is_draining ? 1 : 0);
  out.family("pgsteer_workers", "gauge", "Worker threads.");
  out.sample({}, v.boards.size());
  out.family("pgsteer_failovers_total", "counter", "Times another server became the primary.");
  out.sample({}, v.failovers);
  out.family("pgsteer_log_lines_dropped_total", "counter",
             "Log lines dropped because standard error was blocked.");
  out.sample({}, v.dropped_log_lines);
}

void write_counters(prometheus_text& out, const admin_view& v) {
  for (const auto& m : worker_counters) {
    out.family(m.name, m.type, m.help);
    out.sample({}, sum(v, m.field));
  }
  out.family("pgsteer_client_bytes_total", "counter", "Bytes received from (in) and sent to (out) clients.");
  out.sample({{"direction", "in"}}, sum(v, &worker_metrics::client_bytes_in));
  out.sample({{"direction", "out"}}, sum(v, &worker_metrics::client_bytes_out));
}

void write_units(prometheus_text& out, const admin_view& v) {
  out.family("pgsteer_units_total", "counter", "Units routed, by the kind of server they went to and why.");
  const auto write = [&](std::string_view target, auto field) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(route_reason::count_); ++i) {
      std::uint64_t total = 0;
      for (const auto& board : v.boards)
        total += (board->metrics.*field)[i].get();
      out.sample({{"target", target}, {"reason", to_string(static_cast<route_reason>(i))}}, total);
    }
  };
  write("primary", &worker_metrics::primary_units);
  write("replica", &worker_metrics::replica_units);
}

// Bucket i holds whole microseconds below 2^i, so 2^i is its bound; the last has none.
void write_histogram(prometheus_text& out, const admin_view& v, histogram worker_metrics::*field,
                     std::string_view name, std::string_view help) {
  out.family(name, "histogram", help);
  std::uint64_t count = 0;
  std::uint64_t sum_us = 0;
  for (const auto& board : v.boards)
    sum_us += (board->metrics.*field).sum_us();
  for (std::size_t i = 0; i < histogram::buckets; ++i) {
    for (const auto& board : v.boards)
      count += (board->metrics.*field).count(i);
    const bool is_last = i + 1 == histogram::buckets;
    const auto bound = is_last ? "+Inf" : prometheus_number(std::ldexp(1.0, static_cast<int>(i)) / 1e6);
    out.sample({{"le", bound}}, count, "_bucket");
  }
  out.sample({}, static_cast<double>(sum_us) / 1e6, "_sum");
  out.sample({}, count, "_count");
}

void write_pools(prometheus_text& out, const admin_view& v) {
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, "gauge", help);
    for (const auto& p : v.pools) {
      out.sample({{"server", p.server}, {"role", p.role}, {"user", p.user}, {"database", p.database}},
                 value(p));
    }
  };
  out.family("pgsteer_pool_connections", "gauge", "Backend connections of a pool by state.");
  for (const auto& p : v.pools) {
    const auto write = [&](std::string_view state, int n) {
      out.sample({{"server", p.server},
                  {"role", p.role},
                  {"user", p.user},
                  {"database", p.database},
                  {"state", state}},
                 n);
    };
    write("idle", p.idle);
    write("active", p.active);
    write("connecting", p.connecting);
  }
  gauge("pgsteer_pool_size", "Most connections the pool may have.", [](const auto& p) { return p.size; });
  gauge("pgsteer_pool_waiting", "Clients queued for the pool.", [](const auto& p) { return p.waiting; });
  gauge("pgsteer_pool_oldest_wait_seconds", "How long the longest-waiting client has been queued.",
        [](const auto& p) { return static_cast<double>(p.oldest_wait_ms) / 1e3; });
  gauge("pgsteer_pool_pinned", "Connections of the pool held by pinned clients.",
        [](const auto& p) { return p.pinned; });
  out.family("pgsteer_pinned_sessions", "gauge", "Sessions held to one backend, by reason.");
  for (const auto& [reason, sessions] : v.pins)
    out.sample({{"reason", reason}}, sessions);
}

void write_servers(prometheus_text& out, const admin_view& v) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out.family(name, type, help);
    for (const auto& s : v.servers)
      out.sample({{"server", s.name}, {"role", to_string(s.role)}}, value(s));
  };
  each("pgsteer_server_up", "gauge", "1 where the server's last probe worked.",
       [](const auto& s) { return s.health == server_health::up ? 1 : 0; });
  out.family("pgsteer_server_health", "gauge", "1 for the state the server is in.");
  for (const auto& s : v.servers) {
    for (const auto h :
         {server_health::unknown, server_health::up, server_health::retrying, server_health::failed}) {
      out.sample({{"server", s.name}, {"role", to_string(s.role)}, {"health", to_string(h)}},
                 s.health == h ? 1 : 0);
    }
  }
  each("pgsteer_server_in_recovery", "gauge", "1 where the server said last that it is a standby.",
       [](const auto& s) { return s.in_recovery ? 1 : 0; });
  each("pgsteer_server_excluded", "gauge", "1 where the server gets no traffic: fenced, foreign or unknown.",
       [](const auto& s) { return s.is_excluded ? 1 : 0; });
  each("pgsteer_server_timeline", "gauge", "The timeline the server is on; 0 where unknown.",
       [](const auto& s) { return s.timeline; });
  out.family("pgsteer_server_replay_lag_bytes", "gauge", "WAL the replica has not replayed, where known.");
  for (const auto& s : v.servers) {
    if (s.lag_bytes) out.sample({{"server", s.name}, {"role", to_string(s.role)}}, *s.lag_bytes);
  }
  out.family("pgsteer_server_replay_lag_seconds", "gauge",
             "How long the replica has lacked something the primary has, where known; 0: it lacks nothing.");
  for (const auto& s : v.servers) {
    if (s.lag && *s.lag != s.lag->max())
      out.sample({{"server", s.name}, {"role", to_string(s.role)}},
                 static_cast<double>(s.lag->count()) / 1e3);
  }
  each("pgsteer_server_lagging", "gauge",
       "1 where the replica is further behind than max_lag: it gets no reads.",
       [](const auto& s) { return s.is_lagging ? 1 : 0; });
  each("pgsteer_server_lag_outages_total", "counter",
       "Times the replica was further behind than max_lag and lost its reads.",
       [](const auto& s) { return s.lag_outages; });
  each("pgsteer_server_outstanding", "gauge",
       "Units sent and not answered plus clients queued for the server.",
       [](const auto& s) { return s.outstanding; });
  out.family("pgsteer_server_breaker", "gauge", "1 for the state of the server's circuit breaker.");
  for (const auto& s : v.servers) {
    for (const auto state : {breaker_state::closed, breaker_state::open, breaker_state::half_open}) {
      out.sample({{"server", s.name}, {"role", to_string(s.role)}, {"state", to_string(state)}},
                 s.breaker == state ? 1 : 0);
    }
  }
  each("pgsteer_server_breaker_openings_total", "counter",
       "Times the server's circuit breaker opened: it kept failing.",
       [](const auto& s) { return s.breaker_openings; });
  each("pgsteer_server_read_latency_seconds", "gauge", "How long a read took lately, where one did.",
       [](const auto& s) { return s.latency_us / 1e6; });
  each("pgsteer_server_connects_total", "counter", "Control connections established.",
       [](const auto& s) { return s.connects; });
  each("pgsteer_server_reconnect_attempts_failed_total", "counter",
       "Attempts to reach the server that failed.", [](const auto& s) { return s.connect_failures; });
  each("pgsteer_server_failovers_total", "counter",
       "Times the server became unusable and its traffic had to move.",
       [](const auto& s) { return s.losses; });
  each("pgsteer_server_role_mismatches_total", "counter",
       "Times the server contradicted its configured role.", [](const auto& s) { return s.role_mismatches; });
}

}  // namespace

std::vector<named_counter> named_counters(const worker_metrics& from) {
  std::vector<named_counter> all;
  for (const auto& m : worker_counters)
    all.push_back({m.name, m.help, (from.*m.field).get()});
  return all;
}

std::string render_metrics(const admin_view& v) {
  prometheus_text out;
  write_process(out, v);
  write_counters(out, v);
  write_units(out, v);
  write_histogram(out, v, &worker_metrics::wait_us, "pgsteer_wait_seconds", "Time queued for a backend.");
  write_histogram(out, v, &worker_metrics::unit_us, "pgsteer_unit_seconds",
                  "Time from sending a unit to a server until it was answered.");
  write_pools(out, v);
  write_servers(out, v);
  return out.take();
}

}  // namespace pgsteer::proxy
