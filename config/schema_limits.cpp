#include <array>

#include <fmt/format.h>

#include "config/schema_parts.hpp"
#include "config/setters.hpp"

namespace pgsteer::config {
namespace {

constexpr choices<pool_mode, 2> mode_words{
    {{"transaction", pool_mode::transaction}, {"session", pool_mode::session}}};
constexpr choices<backend_rotation, 2> rotation_words{
    {{"most_recent", backend_rotation::most_recent}, {"always", backend_rotation::always}}};
constexpr choices<log_level, 4> level_words{{{"debug", log_level::debug},
                                             {"info", log_level::info},
                                             {"warn", log_level::warn},
                                             {"error", log_level::error}}};
constexpr choices<log_format, 2> format_words{{{"text", log_format::text}, {"json", log_format::json}}};

constexpr std::array pool_table{
    setting{.name = "pool_mode",
            .kind = "transaction|session",
            .doc = "How long a client keeps a server connection: for a transaction, or from its login until "
                   "it disconnects; in session mode each has a new one.",
            .set = set_choice<&settings::mode, mode_words>,
            .get = get_choice<&settings::mode, mode_words>},
    setting{.name = "pool_size",
            .kind = "NUMBER",
            .doc = "Most connections to each server for one user and database.",
            .set = set_number<&settings::pool_size, 1, 10000>,
            .get = get_number<&settings::pool_size>},
    setting{
        .name = "min_pool_size",
        .kind = "NUMBER",
        .doc = "Connections kept open to each server for the URL's user and database from the start, and for "
               "others while they have clients.",
        .set = set_number<&settings::min_pool_size, 0, 100000>,
        .get = get_number<&settings::min_pool_size>},
    setting{.name = "backend_rotation",
            .kind = "most_recent|always",
            .doc = "Which idle connection is taken: the one used last, or another for every transaction (for "
                   "tests).",
            .set = set_choice<&settings::rotation, rotation_words>,
            .get = get_choice<&settings::rotation, rotation_words>},
    setting{.name = "pin_warning_share",
            .kind = "FRACTION",
            .doc = "Share of a pool, from 0 to 1; when pinned sessions hold more of it, the log names their "
                   "application. 0: never.",
            .set = set_fraction<&settings::pin_warning_share>,
            .get = get_fraction<&settings::pin_warning_share>},
};

constexpr std::array limit_table{
    setting{.name = "max_clients",
            .kind = "NUMBER",
            .doc = "Most clients connected at once.",
            .set = set_number<&settings::max_clients, 1, 1000000>,
            .get = get_number<&settings::max_clients>},
    setting{.name = "reserved_clients",
            .kind = "NUMBER",
            .doc = "Clients of the console (database pgsteer) that are let in beyond max_clients.",
            .set = set_number<&settings::reserved_clients, 0, 1000>,
            .get = get_number<&settings::reserved_clients>},
    setting{
        .name = "max_prepared_statements",
        .kind = "NUMBER",
        .doc = "Most prepared statements kept on one server connection; the least recently used are closed.",
        .set = set_number<&settings::max_prepared_statements, 1, 1000000>,
        .get = get_number<&settings::max_prepared_statements>},
    setting{.name = "acquire_timeout",
            .kind = "DURATION",
            .doc = "Longest wait for a server connection; then the client gets SQLSTATE 53300, or "
                   "08006 with the server down.",
            .set = set_duration<&settings::acquire_timeout, 1, day>,
            .get = get_duration<&settings::acquire_timeout>},
    setting{.name = "failover_wait",
            .kind = "DURATION",
            .doc =
                "While there is no primary, statements not yet sent to it wait so long for one; then the "
                "client gets SQLSTATE 57P03. 0, or none reached since the start: acquire_timeout and 08006.",
            .set = set_duration<&settings::failover_wait, 0, day>,
            .get = get_duration<&settings::failover_wait>},
    setting{.name = "failover_queue",
            .kind = "NUMBER",
            .doc = "Most clients that wait for a primary at once; those beyond get SQLSTATE 57P03.",
            .set = set_number<&settings::failover_queue, 0, 1000000>,
            .get = get_number<&settings::failover_queue>},
    setting{.name = "failover_queue_memory",
            .kind = "MEMORY",
            .doc = "Most memory of the statements that wait for a primary; those beyond get SQLSTATE 57P03.",
            .set = set_memory<&settings::failover_queue_memory, 0, std::int64_t{1} << 40>,
            .get = get_memory<&settings::failover_queue_memory>},
    setting{.name = "connect_timeout",
            .kind = "DURATION",
            .doc = "Longest time for opening one server connection, login included.",
            .set = set_duration<&settings::connect_timeout, 1, hour>,
            .get = get_duration<&settings::connect_timeout>},
    setting{.name = "login_timeout",
            .kind = "DURATION",
            .doc = "Longest time a client may take to log in.",
            .set = set_duration<&settings::login_timeout, 1, hour>,
            .get = get_duration<&settings::login_timeout>},
    setting{.name = "shutdown_timeout",
            .kind = "DURATION",
            .doc = "How long running transactions may take to finish after SIGTERM.",
            .set = set_duration<&settings::shutdown_timeout, 0, day>,
            .get = get_duration<&settings::shutdown_timeout>},
    time_limit<&settings::query_timeout>(
        "query_timeout",
        "A query that runs longer is cancelled on its server, as by statement_timeout (57014); 0: never."),
    time_limit<&settings::transaction_timeout>(
        "transaction_timeout",
        "A client whose transaction lasts longer is disconnected and the transaction rolled back "
        "(25P04); 0: never."),
    time_limit<&settings::idle_in_transaction_timeout>(
        "idle_in_transaction_timeout",
        "A client that is idle for longer in an open transaction is disconnected and the "
        "transaction rolled back (25P03); 0: never."),
    setting{.name = "client_idle_timeout",
            .kind = "DURATION",
            .doc = "A client idle for longer is disconnected; 0: never.",
            .set = set_duration<&settings::client_idle_timeout, second, 365 * day, true>,
            .get = get_duration<&settings::client_idle_timeout>},
    setting{.name = "server_idle_timeout",
            .kind = "DURATION",
            .doc = "A server connection idle for longer is closed; 0: never.",
            .set = set_duration<&settings::server_idle_timeout, second, 365 * day, true>,
            .get = get_duration<&settings::server_idle_timeout>},
    setting{.name = "server_lifetime",
            .kind = "DURATION",
            .doc = "A server connection older than this is closed when it is next free; 0: never.",
            .set = set_duration<&settings::server_lifetime, second, 365 * day, true>,
            .get = get_duration<&settings::server_lifetime>},
    setting{
        .name = "lifetime_jitter",
        .kind = "FRACTION",
        .doc =
            "By up to this share a server connection's lifetime and idle timeout are shorter, at random, so "
            "that not all end at once.",
        .set = set_fraction<&settings::lifetime_jitter>,
        .get = get_fraction<&settings::lifetime_jitter>},
    setting{
        .name = "server_check_delay",
        .kind = "DURATION",
        .doc =
            "A server connection idle for so long is asked whether it still lives, and closed where it does "
            "not answer; 0: never.",
        .set = set_duration<&settings::server_check_delay, second, day, true>,
        .get = get_duration<&settings::server_check_delay>},
    setting{.name = "tcp_keepalives_idle",
            .kind = "DURATION",
            .reload = effect::at_start,
            .doc =
                "On connections of clients and, where the URL does not say, of servers: idle time before the "
                "first probe whether the peer is there.",
            .set = set_duration<&settings::tcp_keepalives_idle, second, 9 * hour>,
            .get = get_duration<&settings::tcp_keepalives_idle>},
    setting{.name = "tcp_keepalives_interval",
            .kind = "DURATION",
            .reload = effect::at_start,
            .doc = "Time between two such probes.",
            .set = set_duration<&settings::tcp_keepalives_interval, second, hour>,
            .get = get_duration<&settings::tcp_keepalives_interval>},
    setting{.name = "tcp_keepalives_count",
            .kind = "NUMBER",
            .reload = effect::at_start,
            .doc = "Probes without an answer after which a peer counts as gone.",
            .set = set_number<&settings::tcp_keepalives_count, 1, 100>,
            .get = get_number<&settings::tcp_keepalives_count>},
    setting{.name = "tcp_user_timeout",
            .kind = "DURATION",
            .reload = effect::at_start,
            .doc =
                "How long bytes may stay unacknowledged, or a peer not read at all, before its connection is "
                "given up; 0: as the system does.",
            .set = set_duration<&settings::tcp_user_timeout, second, day, true>,
            .get = get_duration<&settings::tcp_user_timeout>},
    setting{.name = "health_interval",
            .kind = "DURATION",
            .doc = "Time between two looks at a server's health.",
            .set = set_duration<&settings::health_interval, 50, minute>,
            .get = get_duration<&settings::health_interval>},
    setting{.name = "reconnect_delay",
            .kind = "DURATION",
            .doc = "Delay before the second attempt to reach a server; it doubles with every further one.",
            .set = set_duration<&settings::reconnect_delay, 1, hour>,
            .get = get_duration<&settings::reconnect_delay>},
    setting{.name = "reconnect_delay_max",
            .kind = "DURATION",
            .doc = "Longest such delay.",
            .set = set_duration<&settings::reconnect_delay_max, 1, day>,
            .get = get_duration<&settings::reconnect_delay_max>},
    setting{.name = "reconnect_attempts",
            .kind = "NUMBER",
            .doc = "Failed attempts after which a server is marked failed.",
            .set = set_number<&settings::reconnect_attempts, 1, 1000>,
            .get = get_number<&settings::reconnect_attempts>},
    setting{.name = "reconnect_jitter",
            .kind = "FRACTION",
            .doc = "Share of the delay, from 0 to 1, by which it is varied at random.",
            .set = set_fraction<&settings::reconnect_jitter>,
            .get = get_fraction<&settings::reconnect_jitter>},
    setting{.name = "failed_probe_interval",
            .kind = "DURATION",
            .doc = "Time between two attempts to reach a server marked failed.",
            .set = set_duration<&settings::failed_probe_interval, second, day>,
            .get = get_duration<&settings::failed_probe_interval>},
    setting{.name = "log_level",
            .kind = "debug|info|warn|error",
            .doc = "Least weight of what is logged.",
            .set = set_choice<&settings::level, level_words>,
            .get = get_choice<&settings::level, level_words>},
    setting{.name = "log_format",
            .kind = "text|json",
            .doc = "How a log line is written.",
            .set = set_choice<&settings::format, format_words>,
            .get = get_choice<&settings::format, format_words>},
};

}  // namespace

std::span<const setting> pool_settings() {
  return pool_table;
}

std::span<const setting> limit_settings() {
  return limit_table;
}

}  // namespace pgsteer::config
