#include "config/schema.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "config/addresses.hpp"
#include "config/routes.hpp"
#include "config/setters.hpp"
#include "config/urls.hpp"
#include "config/users.hpp"

namespace pgsteer::config {
namespace {

constexpr std::uint16_t client_port = 6432;
constexpr std::uint16_t admin_port = 6433;
constexpr long second = 1000;
constexpr long minute = 60 * second;
constexpr long hour = 60 * minute;
constexpr long day = 24 * hour;

constexpr choices<auth_method, 3> auth_words{{{"scram-sha-256", auth_method::scram_sha_256},
                                              {"md5", auth_method::md5},
                                              {"trust", auth_method::trust}}};
constexpr choices<client_tls, 3> tls_words{
    {{"disable", client_tls::disable}, {"allow", client_tls::allow}, {"require", client_tls::require}}};
constexpr choices<pool_mode, 2> mode_words{
    {{"transaction", pool_mode::transaction}, {"session", pool_mode::session}}};
constexpr choices<backend_rotation, 2> rotation_words{
    {{"most_recent", backend_rotation::most_recent}, {"always", backend_rotation::always}}};
constexpr choices<consistency, 3> consistency_words{{{"eventual", consistency::eventual},
                                                     {"session", consistency::session},
                                                     {"global", consistency::global}}};
constexpr choices<load_balancing, 2> balancing_words{
    {{"least_busy", load_balancing::least_busy}, {"round_robin", load_balancing::round_robin}}};
constexpr choices<reads_on_primary, 3> primary_reads_words{{{"never", reads_on_primary::never},
                                                            {"fallback", reads_on_primary::fallback},
                                                            {"share", reads_on_primary::share}}};
constexpr choices<log_level, 4> level_words{{{"debug", log_level::debug},
                                             {"info", log_level::info},
                                             {"warn", log_level::warn},
                                             {"error", log_level::error}}};
constexpr choices<log_format, 2> format_words{{{"text", log_format::text}, {"json", log_format::json}}};

refusal set_primary(settings& to, texts from, const surroundings& around) {
  if (split_servers(from[0]).size() > 1) {
    return complaint{"names several servers",
                     "the replicas belong into DATABASE_REPLICA_URL (database_replica_url)"};
  }
  auto server = parse_server(from[0], nullptr, around);
  if (!server) return server.error();
  to.primary = *std::move(server);
  return std::nullopt;
}

std::vector<std::string> get_primary(const settings& from) {
  if (from.primary.conninfo.empty()) return {};
  return {redacted(from.primary)};
}

refusal set_replicas(settings& to, texts from, const surroundings& around) {
  std::vector<server_url> found;
  for (std::size_t item = 0; item < from.size(); ++item) {
    for (const auto& text : split_servers(from[item])) {
      auto server = parse_server(text, &to.primary, around);
      if (!server) return complaint{server.error().what, server.error().suggestion, item};
      const auto is_same = [&](const server_url& other) { return other.name == server->name; };
      if (std::ranges::any_of(found, is_same)) {
        return complaint{fmt::format("names the replica {} twice", server->name), "name each replica once",
                         item};
      }
      found.push_back(*std::move(server));
    }
  }
  to.replicas = std::move(found);
  return std::nullopt;
}

std::vector<std::string> get_replicas(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.replicas, std::back_inserter(out),
                         [](const auto& each) { return redacted(each); });
  return out;
}

refusal set_listen(settings& to, texts from, const surroundings&) {
  std::vector<listen_address> found;
  for (std::size_t item = 0; item < from.size(); ++item) {
    const auto addresses = parse_addresses(from[item], client_port);
    if (!addresses) return complaint{addresses.error().what, addresses.error().suggestion, item};
    found.insert(found.end(), addresses->begin(), addresses->end());
  }
  if (found.empty()) return complaint{"is an empty list", "name at least one address"};
  to.listen = std::move(found);
  return std::nullopt;
}

std::vector<std::string> get_listen(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.listen, std::back_inserter(out),
                         [](const auto& each) { return to_text(each); });
  return out;
}

refusal set_zone(settings& to, texts from, const surroundings&) {
  constexpr std::size_t longest = 63;
  const auto name = trimmed(from[0]);
  const bool is_word = std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
  if (name.size() > longest || !is_word) {
    return complaint{fmt::format("{} is not the name of a zone", shown(name)),
                     "write letters, digits, '-', '_' and '.'"};
  }
  to.zone = name;
  return std::nullopt;
}

refusal set_admin_listen(settings& to, texts from, const surroundings&) {
  const auto text = trimmed(from[0]);
  if (text.empty() || text == "off") {
    to.admin_listen.reset();
    return std::nullopt;
  }
  const auto address = parse_address(text, admin_port);
  if (!address) return address.error();
  to.admin_listen = *address;
  return std::nullopt;
}

std::vector<std::string> get_admin_listen(const settings& from) {
  return {from.admin_listen ? to_text(*from.admin_listen) : "off"};
}

refusal set_users(settings& to, texts from, const surroundings&) {
  auto users = parse_users({from.begin(), from.end()});
  if (!users) return users.error();
  to.users = *std::move(users);
  return std::nullopt;
}

std::vector<std::string> get_users(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.users, std::back_inserter(out),
                         [](const auto& each) { return redacted(each); });
  return out;
}

template <auto Member>
refusal set_functions(settings& to, texts from, const surroundings&) {
  auto found = parse_functions(from);
  if (!found) return found.error();
  to.*Member = *std::move(found);
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_functions(const settings& from) {
  return from.*Member;
}

refusal set_patterns(settings& to, texts from, const surroundings&) {
  auto found = parse_patterns(from);
  if (!found) return found.error();
  to.patterns = *std::move(found);
  return std::nullopt;
}

template <auto Member>
refusal set_session_defaults(settings& to, texts from, const surroundings&) {
  auto found = parse_session_defaults(from);
  if (!found) return found.error();
  to.*Member = *std::move(found);
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_texts(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.*Member, std::back_inserter(out),
                         [](const auto& each) { return to_text(each); });
  return out;
}

constexpr std::array table{
    setting{
        .name = "database_url",
        .kind = "URL",
        .is_secret = true,
        .doc =
            "The primary, in any form libpq takes: a URL or keyword=value, several hosts included. Required.",
        .set = set_primary,
        .get = get_primary},
    setting{.name = "database_replica_url",
            .kind = "URL,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .is_secret = true,
            .doc = "The replicas, separated by commas; none: everything goes to the primary. "
                   "User, password and database are the primary's where left out.",
            .set = set_replicas,
            .get = get_replicas},
    setting{
        .name = "listen",
        .kind = "ADDRESS,...",
        .form = shape::list,
        .reload = effect::at_start,
        .doc = "Where clients connect: host:port, [IPv6]:port, *:port, or the directory of a unix socket.",
        .set = set_listen,
        .get = get_listen},
    setting{.name = "admin_listen",
            .kind = "ADDRESS",
            .reload = effect::at_start,
            .empty = emptiness::has_meaning,
            .doc = "Where health and metrics are served over HTTP; off or empty: nowhere.",
            .set = set_admin_listen,
            .get = get_admin_listen},
    setting{.name = "auth",
            .kind = "scram-sha-256|md5|trust",
            .doc = "How clients prove who they are. trust asks for nothing, and is needed where the URL has "
                   "no password.",
            .set = set_choice<&settings::auth, auth_words>,
            .get = get_choice<&settings::auth, auth_words>},
    setting{.name = "auth_trust_anywhere",
            .kind = "true|false",
            .form = shape::flag,
            .doc = "Allows auth: trust on addresses that other machines can reach.",
            .set = set_switch<&settings::auth_trust_anywhere>,
            .get = get_switch<&settings::auth_trust_anywhere>},
    setting{.name = "users",
            .kind = "USER",
            .form = shape::list,
            .has_parts = true,
            .empty = emptiness::has_meaning,
            .is_secret = true,
            .doc = "Who may log in besides the user of database_url: name, password or password_file, and "
                   "limits of its own.",
            .set = set_users,
            .get = get_users},
    setting{.name = "tls",
            .kind = "disable|allow|require",
            .doc = "TLS with clients; allow by default once a certificate is given.",
            .set = set_choice<&settings::tls, tls_words>,
            .get = get_choice<&settings::tls, tls_words>},
    setting{.name = "tls_cert_file",
            .kind = "FILE",
            .empty = emptiness::has_meaning,
            .doc = "Certificate chain shown to clients, PEM.",
            .set = set_text<&settings::tls_cert_file>,
            .get = get_text<&settings::tls_cert_file>},
    setting{.name = "tls_key_file",
            .kind = "FILE",
            .empty = emptiness::has_meaning,
            .doc = "Private key of the certificate, PEM.",
            .set = set_text<&settings::tls_key_file>,
            .get = get_text<&settings::tls_key_file>},
    setting{.name = "pool_mode",
            .kind = "transaction|session",
            .doc = "How long a client keeps a server connection: for a transaction, or until it disconnects.",
            .set = set_choice<&settings::mode, mode_words>,
            .get = get_choice<&settings::mode, mode_words>},
    setting{.name = "pool_size",
            .kind = "NUMBER",
            .doc = "Most connections to each server for one user and database.",
            .set = set_number<&settings::pool_size, 1, 10000>,
            .get = get_number<&settings::pool_size>},
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
    setting{
        .name = "consistency",
        .kind = "eventual|session|global",
        .doc = "What a read on a replica must have seen: nothing in particular, the session's own writes, or "
               "all writes through this proxy.",
        .set = set_choice<&settings::level_of_reads, consistency_words>,
        .get = get_choice<&settings::level_of_reads, consistency_words>},
    setting{
        .name = "routing_functions_read",
        .kind = "FUNCTION,...",
        .form = shape::list,
        .empty = emptiness::has_meaning,
        .doc =
            "Functions that only read, whatever their declaration says: schema.name, or schema.name(types) "
            "for one of that name.",
        .set = set_functions<&settings::functions_read>,
        .get = get_functions<&settings::functions_read>},
    setting{.name = "routing_functions_write",
            .kind = "FUNCTION,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Functions whose calls go to the primary, whatever their declaration says.",
            .set = set_functions<&settings::functions_write>,
            .get = get_functions<&settings::functions_write>},
    setting{.name = "routing_patterns",
            .kind = "PATTERN;...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Where statements of a form go, each with its reason: \"primary SELECT * FROM queue * -- "
                   "pollers want the newest\".",
            .set = set_patterns,
            .get = get_texts<&settings::patterns>},
    setting{.name = "routing_users",
            .kind = "WISH,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc =
                "What holds for a user's sessions where they do not say otherwise: \"reports route=replica "
                "consistency=eventual\".",
            .set = set_session_defaults<&settings::of_users>,
            .get = get_texts<&settings::of_users>},
    setting{.name = "routing_databases",
            .kind = "WISH,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "The same for a database's sessions; what routing_users says counts before it.",
            .set = set_session_defaults<&settings::of_databases>,
            .get = get_texts<&settings::of_databases>},
    setting{.name = "load_balancing",
            .kind = "least_busy|round_robin",
            .doc =
                "Which replica a session reads from: of two drawn at random the one with less to do, or each "
                "in turn. pgsteer_weight in a server's URL weighs in both.",
            .set = set_choice<&settings::balancing, balancing_words>,
            .get = get_choice<&settings::balancing, balancing_words>},
    setting{.name = "reads_on_primary",
            .kind = "never|fallback|share",
            .doc = "Whether the primary serves reads that a replica could: never, while no replica is up, or "
                   "always its share.",
            .set = set_choice<&settings::primary_reads, primary_reads_words>,
            .get = get_choice<&settings::primary_reads, primary_reads_words>},
    setting{.name = "zone",
            .kind = "NAME",
            .empty = emptiness::has_meaning,
            .doc =
                "Where this proxy stands: replicas whose URL has the same pgsteer_zone are read from while "
                "one of them is up.",
            .set = set_zone,
            .get = get_text<&settings::zone>},
    setting{.name = "replica_warmup",
            .kind = "DURATION",
            .doc = "How long a replica that has come up gets less than its share of reads, growing; 0: none.",
            .set = set_duration<&settings::replica_warmup, 0, hour>,
            .get = get_duration<&settings::replica_warmup>},
    setting{.name = "max_clients",
            .kind = "NUMBER",
            .doc = "Most clients connected at once.",
            .set = set_number<&settings::max_clients, 1, 1000000>,
            .get = get_number<&settings::max_clients>},
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
                "client gets SQLSTATE 57P03. 0: as for any server that is down, acquire_timeout and 08006.",
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

std::string setting::variable() const {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper.starts_with("DATABASE_") ? upper : "PGSTEER_" + upper;
}

std::string setting::flag() const {
  std::string dashed(name);
  std::ranges::replace(dashed, '_', '-');
  return "--" + dashed;
}

std::string setting::default_text() const {
  return fmt::format("{}", fmt::join(get(settings{}), ","));
}

std::span<const setting> schema() {
  return table;
}

const setting* find_setting(std::string_view name) {
  const auto found = std::ranges::find(table, name, &setting::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgsteer::config
