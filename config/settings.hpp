// What the operator said, validated: one immutable value that the rest of pgsteer reads.
// Made by config/load.hpp at start-up and at each reload; owns every string it names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/hba.hpp"
#include "config/ident_map.hpp"

namespace pgsteer::config {

enum class auth_method : std::uint8_t { scram_sha_256, md5, trust };
enum class pool_mode : std::uint8_t { transaction, session };
enum class backend_rotation : std::uint8_t { most_recent, always };
enum class consistency : std::uint8_t { eventual, session, global };
enum class transaction_routing : std::uint8_t { primary, split };
enum class load_balancing : std::uint8_t { least_busy, round_robin };
enum class reads_on_primary : std::uint8_t { never, fallback, share };
enum class claimed_role : std::uint8_t { automatic, primary, replica };
enum class log_format : std::uint8_t { text, json };
enum class log_level : std::uint8_t { debug, info, warn, error };
enum class client_tls : std::uint8_t { disable, allow, require };

// Where to listen: host and port, or the directory of a unix socket (then the
// socket is `directory/.s.PGSQL.port`, as PostgreSQL names it).
struct listen_address {
  std::string host;  // "127.0.0.1", "::1", "*", or "/run/pgsteer"
  std::uint16_t port = 0;
  [[nodiscard]] bool is_unix() const { return !host.empty() && host.front() == '/'; }
  bool operator==(const listen_address&) const = default;
};

// One DATABASE_URL or one element of DATABASE_REPLICA_URL, parsed as libpq parses it
// (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
struct server_url {
  std::string conninfo;  // keyword/value form for PQconnectStart; holds the password: never log it
  std::string name;      // "host:port" ("h1:p1,h2:p2" for several hosts): for logs and metrics
  std::string user;
  std::string password;  // empty where none was given
  std::string database;
  int weight = 1;      // pgsteer_weight: of the reads, compared with the other servers
  std::string zone{};  // pgsteer_zone: where it stands; empty: not said
  claimed_role role = claimed_role::automatic;  // pgsteer_role: what it should be found to be
  bool expands = true;  // pgsteer_expand: a replica of several addresses is several servers
  bool operator==(const server_url&) const = default;
};

// What one user or one database is allowed; what is missing is as for everybody.
struct own_limits {
  std::optional<pool_mode> mode{};
  std::optional<int> pool_size{};
  std::optional<int> max_clients{};
  std::optional<int> max_connections{};  // to each server, over all pools
  bool operator==(const own_limits&) const = default;
};

// One element of `users`.
struct user_entry {
  std::string name;
  std::string secret;  // a password or its verifier; empty: none is known. Never log it
  own_limits limits;
  bool operator==(const user_entry&) const = default;
};

// One element of `databases`.
struct database_entry {
  std::string name;
  own_limits limits;
  bool operator==(const database_entry&) const = default;
};

// One element of `routing_patterns`.
struct route_pattern {
  std::string target;   // "primary" or "replica"
  std::string pattern;  // of a statement without its literals; `*` for any characters
  std::string reason;
  bool operator==(const route_pattern&) const = default;
};

// One element of `routing_users` or `routing_databases`; what is empty is not said.
struct session_defaults {
  std::string name;
  std::string route;               // "primary", "replica" or "auto"
  std::string consistency;         // as the setting of that name
  std::string transactions{};      // as the setting of that name
  std::string max_lag{};           // as the setting of that name
  std::string consistency_wait{};  // as the setting of that name
  bool operator==(const session_defaults&) const = default;
};

struct settings {
  server_url primary;
  std::vector<server_url> replicas;
  std::vector<user_entry> users;  // besides the primary's own
  std::vector<database_entry> databases;

  std::vector<listen_address> listen{{"127.0.0.1", 6432}};
  std::optional<listen_address> admin_listen{{"127.0.0.1", 6433}};  // empty text or "off": none

  auth_method auth = auth_method::scram_sha_256;
  bool auth_trust_anywhere = false;  // `trust` on more than loopback and unix sockets: said twice

  client_tls tls = client_tls::disable;  // `allow` by default once a certificate is given
  std::string tls_cert_file;
  std::string tls_key_file;

  std::vector<hba_rule> hba;          // none: everybody may come, by `auth`
  std::vector<ident_line> ident_map;  // of certificates
  std::string auth_query;             // empty: only listed users are known
  std::string auth_query_user;        // of `users`; empty: the primary's own
  std::string auth_query_database;    // empty: the primary's own
  std::chrono::milliseconds auth_cache_time{60000};
  std::string tls_client_ca_file;
  std::string tls_client_crl_file;

  pool_mode mode = pool_mode::transaction;
  int pool_size = 10;     // backends per server, user and database
  int min_pool_size = 0;  // kept open, where clients are or the URL's own user
  backend_rotation rotation = backend_rotation::most_recent;
  consistency level_of_reads = consistency::session;
  std::chrono::milliseconds consistency_wait{0};  // so long a read waits for a replica to catch up
  std::chrono::milliseconds max_lag{0};           // of a replica that is read from; 0: any
  transaction_routing transactions = transaction_routing::primary;
  load_balancing balancing = load_balancing::least_busy;
  reads_on_primary primary_reads = reads_on_primary::fallback;
  std::vector<std::string> functions_read;   // "public.rate", "public.rate(integer, text)"
  std::vector<std::string> functions_write;  // in the same way
  std::vector<route_pattern> patterns;
  std::vector<session_defaults> of_users;
  std::vector<session_defaults> of_databases;
  std::string zone;  // where this proxy stands; empty: all servers are equally near
  std::chrono::milliseconds replica_warmup{10000};
  int max_clients = 10000;
  int reserved_clients = 3;           // of the console, beyond max_clients
  int failover_queue = 10000;         // units that wait for a primary
  int max_prepared_statements = 500;  // per backend; least recently used are closed

  std::chrono::milliseconds acquire_timeout{5000};
  std::chrono::milliseconds failover_wait{
      30'000};  // of units not yet sent, while there is no primary; 0: off
  std::int64_t failover_queue_memory = std::int64_t{64} << 20;  // so much of them at most
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds login_timeout{15000};
  std::chrono::milliseconds shutdown_timeout{30000};
  std::chrono::milliseconds query_timeout{0};
  std::chrono::milliseconds transaction_timeout{0};
  std::chrono::milliseconds idle_in_transaction_timeout{0};
  std::chrono::milliseconds client_idle_timeout{0};  // 0: never
  std::chrono::milliseconds server_idle_timeout{600000};
  std::chrono::milliseconds server_lifetime{3600000};
  double lifetime_jitter = 0.1;  // by so much of them a connection's lifetime and idle timeout are shorter
  std::chrono::milliseconds server_check_delay{
      30000};  // an idle connection is asked whether it lives; 0: never
  // How soon a peer that is gone without a word is noticed, on connections of clients and servers.
  std::chrono::milliseconds tcp_keepalives_idle{60000};
  std::chrono::milliseconds tcp_keepalives_interval{10000};
  int tcp_keepalives_count = 6;
  std::chrono::milliseconds tcp_user_timeout{600000};  // of bytes that are not acknowledged; 0: the system's

  std::vector<std::string> patroni;  // URLs of its REST API, of which one is asked for the members
  std::string patroni_ca_file;       // who vouches for those with https; empty: the system's authorities
  std::chrono::milliseconds discovery_interval{5000};  // between two looks at names and at Patroni; 0: never
  std::chrono::milliseconds health_interval{1000};
  std::chrono::milliseconds reconnect_delay{2000};  // first delay; doubles with each failed attempt
  std::chrono::milliseconds reconnect_delay_max{32000};
  int reconnect_attempts = 5;      // then the server is marked failed
  double reconnect_jitter = 0.1;   // share of the delay, either way
  double pin_warning_share = 0.5;  // of a pool, held by pinned sessions; 0: never
  std::chrono::milliseconds failed_probe_interval{60000};

  log_level level = log_level::info;
  log_format format = log_format::text;

  bool operator==(const settings&) const = default;
};

}  // namespace pgsteer::config
