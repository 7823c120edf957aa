#include <array>

#include <fmt/format.h>

#include "config/addresses.hpp"
#include "config/conninfo.hpp"
#include "config/databases.hpp"
#include "config/patroni_url.hpp"
#include "config/schema_parts.hpp"
#include "config/server_places.hpp"
#include "config/setters.hpp"
#include "config/urls.hpp"
#include "config/users.hpp"

namespace pgsteer::config {
namespace {

constexpr std::uint16_t client_port = 6432;
constexpr std::uint16_t admin_port = 6433;

constexpr choices<auth_method, 3> auth_words{{{"scram-sha-256", auth_method::scram_sha_256},
                                              {"md5", auth_method::md5},
                                              {"trust", auth_method::trust}}};
constexpr choices<client_tls, 3> tls_words{
    {{"disable", client_tls::disable}, {"allow", client_tls::allow}, {"require", client_tls::require}}};

refusal set_primary(settings& to, texts from, const surroundings& around) {
  if (split_servers(from[0]).size() > 1) {
    return complaint{"names several servers",
                     "the replicas belong into DATABASE_REPLICA_URL (database_replica_url)"};
  }
  auto server = parse_server(from[0], nullptr, around);
  if (!server) return server.error();
  if (!srv_name(*server).empty()) {
    return complaint{"names the servers of a SRV record, and the primary is one server",
                     "name the primary here and the record in database_replica_url"};
  }
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

refusal set_patroni(settings& to, texts from, const surroundings&) {
  std::vector<std::string> found;
  for (std::size_t item = 0; item < from.size(); ++item) {
    for (const auto& each : split_list(from[item])) {
      const std::string text(trimmed(each));
      if (text.empty()) continue;
      const auto url = parse_patroni_url(text);
      if (!url) return complaint{url.error().what, url.error().suggestion, item};
      found.push_back(text);
    }
  }
  to.patroni = std::move(found);
  return std::nullopt;
}

std::vector<std::string> get_patroni(const settings& from) {
  return from.patroni;
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
  auto users = parse_users(from);
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

refusal set_databases(settings& to, texts from, const surroundings&) {
  auto databases = parse_databases(from);
  if (!databases) return databases.error();
  to.databases = *std::move(databases);
  return std::nullopt;
}

std::vector<std::string> get_databases(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.databases, std::back_inserter(out),
                         [](const auto& each) { return to_text(each); });
  return out;
}

constexpr std::array server_table{
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
    setting{.name = "patroni",
            .kind = "URL,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc =
                "Patroni's REST API, http://host:8008 (or https) of one node or of several: its members are "
                "servers too, besides those of the URLs.",
            .set = set_patroni,
            .get = get_patroni},
    setting{.name = "patroni_ca_file",
            .kind = "FILE",
            .empty = emptiness::has_meaning,
            .doc = "Authorities that the certificates of https:// URLs in patroni must come from, PEM; none: "
                   "those of the system.",
            .set = set_text<&settings::patroni_ca_file>,
            .get = get_text<&settings::patroni_ca_file>},
    setting{.name = "discovery_interval",
            .kind = "DURATION",
            .doc = "Time between two looks at what the names in the URLs stand for, and at Patroni's "
                   "members; 0: never.",
            .set = set_duration<&settings::discovery_interval, 100, hour, true>,
            .get = get_duration<&settings::discovery_interval>},
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
    setting{.name = "databases",
            .kind = "DATABASE",
            .form = shape::list,
            .has_parts = true,
            .empty = emptiness::has_meaning,
            .doc = "Limits of single databases: name, and any of pool_size, max_clients, pool_mode and "
                   "max_connections.",
            .set = set_databases,
            .get = get_databases},
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
};

}  // namespace

std::span<const setting> server_settings() {
  return server_table;
}

}  // namespace pgsteer::config
