#include "config/urls.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "config/conninfo.hpp"
#include "config/files.hpp"
#include "config/passfile.hpp"
#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

constexpr std::string_view default_port = "5432";

// Path of the service file that has the service, in libpq's order of search.
parsed<conninfo> with_service(conninfo info, const surroundings& around) {
  std::string name = info.get("service");
  if (name.empty()) name = around.variable("PGSERVICE");
  if (name.empty()) return info;
  const std::string own = around.variable("PGSERVICEFILE");
  const std::string directory = around.variable("PGSYSCONFDIR");
  const std::array paths{
      own.empty() ? around.home + "/.pg_service.conf" : own,
      (directory.empty() ? std::string("/etc/postgresql-common") : directory) + "/pg_service.conf"};
  for (const auto& path : paths) {
    const auto text = read_file(path);
    const auto service = text ? find_service(*text, name) : std::nullopt;
    if (!service) continue;
    for (const auto& [keyword, value] : *service)
      info.set_if_missing(keyword, value);
    info.remove("service");
    return info;
  }
  return complaint{"names a service that no service file defines",
                   "define it in ~/.pg_service.conf or PGSERVICEFILE"};
}

void fill_defaults(conninfo& info, const server_url* primary, const surroundings& around) {
  if (info.get("host").empty() && info.get("hostaddr").empty()) {
    info.set_if_missing("host", around.variable("PGHOST"));
    info.set_if_missing("hostaddr", around.variable("PGHOSTADDR"));
  }
  info.set_if_missing("port", around.variable("PGPORT"));
  info.set_if_missing("port", std::string(default_port));
  if (primary != nullptr) {
    info.set_if_missing("user", primary->user);
    info.set_if_missing("dbname", primary->database);
  }
  info.set_if_missing("user", around.variable("PGUSER"));
  info.set_if_missing("user", around.os_user);
  info.set_if_missing("dbname", around.variable("PGDATABASE"));
  info.set_if_missing("dbname", info.get("user"));
  info.set("gssencmode", "disable");  // a GSS layer would keep us from relaying the socket's bytes
}

// Hosts as libpq pairs them: `hostaddr` stands in where `host` is missing; one port serves all.
std::vector<std::pair<std::string, std::string>> places(const conninfo& info) {
  const auto hosts = split_list(info.get("host").empty() ? info.get("hostaddr") : info.get("host"));
  const auto ports = split_list(info.get("port"));
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string& port = ports.size() == 1 ? ports[0] : ports[std::min(i, ports.size() - 1)];
    out.emplace_back(hosts[i], port.empty() ? std::string(default_port) : port);
  }
  return out;
}

std::string name_of(const conninfo& info) {
  std::string out;
  for (const auto& [host, port] : places(info)) {
    const bool brackets = host.find(':') != std::string::npos;
    if (!out.empty()) out += ',';
    out += fmt::format("{}{}{}:{}", brackets ? "[" : "", host.empty() ? "[local]" : host, brackets ? "]" : "",
                       port);
  }
  return out;
}

// libpq looks a unix socket in its usual directory up as "localhost".
std::string passfile_host(const std::string& host) {
  const bool is_usual =
      host.empty() || host == "/var/run/postgresql" || host == "/run/postgresql" || host == "/tmp";
  return is_usual ? "localhost" : host;
}

// Left out of the conninfo: libpq reads the file itself and takes each host's own line.
std::string password_beside(const conninfo& info, const surroundings& around) {
  std::string path = info.get("passfile");
  if (path.empty()) path = around.variable("PGPASSFILE");
  if (path.empty() && !around.home.empty()) path = around.home + "/.pgpass";
  for (const auto& [host, port] : places(info)) {
    const auto found =
        password_from_file(path, {passfile_host(host), port, info.get("dbname"), info.get("user")});
    if (found) return *found;
  }
  return {};
}

std::string explicit_password(const conninfo& info, const server_url* primary, const surroundings& around) {
  if (!info.get("password").empty()) return info.get("password");
  if (primary != nullptr && primary->user == info.get("user")) {
    const auto other = conninfo::parse(primary->conninfo);
    if (other && !other->get("password").empty()) return other->get("password");
  }
  return around.variable("PGPASSWORD");
}

std::optional<complaint> check_choice(const conninfo& info, std::string_view keyword,
                                      const std::vector<std::string>& choices) {
  const std::string value = info.get(keyword);
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return std::nullopt;
  const std::string near = did_you_mean(value, choices);
  return complaint{fmt::format("{}={} is not valid", keyword, shown(value)),
                   near.empty() ? fmt::format("write one of {}", fmt::join(choices, ", ")) : near};
}

std::optional<complaint> check_places(const conninfo& info) {
  const auto ports = split_list(info.get("port"));
  const auto hosts = places(info).size();
  if (ports.size() > 1 && ports.size() != hosts) {
    return complaint{fmt::format("has {} ports for {} hosts", ports.size(), hosts),
                     "give one port, or one for each host"};
  }
  const auto addresses = split_list(info.get("hostaddr")).size();
  if (!info.get("hostaddr").empty() && !info.get("host").empty() &&
      addresses != split_list(info.get("host")).size()) {
    return complaint{"has not as many hostaddr as host", "give one hostaddr for each host"};
  }
  for (const auto& port : ports) {
    if (!port.empty() && !parse_number(port, 1, 65535)) {
      return complaint{fmt::format("port {} is not a number from 1 to 65535", shown(port)), ""};
    }
  }
  return std::nullopt;
}

std::optional<complaint> check_files(const conninfo& info) {
  for (const auto* keyword : {"sslrootcert", "sslcert", "sslkey", "sslcrl"}) {
    const std::string path = info.get(keyword);
    if (path.empty() || path == "system") continue;
    if (const auto error = check_readable(path)) {
      return complaint{fmt::format("{} {} cannot be read: {}", keyword, shown(path), error.message()),
                       "check the path and who may read it"};
    }
  }
  return std::nullopt;
}

// What PQconninfoParse lets pass and PQconnectStart would refuse, and what a pool cannot serve.
std::optional<complaint> check(const conninfo& info) {
  if (auto wrong = check_places(info)) return wrong;
  if (auto wrong = check_choice(info, "sslmode",
                                {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})) {
    return wrong;
  }
  if (auto wrong = check_choice(info, "target_session_attrs",
                                {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"})) {
    return wrong;
  }
  if (!info.get("replication").empty()) {
    return complaint{"asks for a replication connection",
                     "leave \"replication\" out: clients ask for it themselves"};
  }
  return check_files(info);
}

// The keyword in front of a `=`, or empty.
std::string_view leading_keyword(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (std::isalpha(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
    ++end;
  const auto rest = text.find_first_not_of(" \t\r\n", end);
  return rest != std::string_view::npos && text[rest] == '=' ? text.substr(0, end) : std::string_view();
}

bool begins_url(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(", \t\r\n"), text.size()));
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

bool begins_server(std::string_view text) {
  if (begins_url(text)) return true;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  const auto keyword = leading_keyword(text);
  return !keyword.empty() && std::ranges::find(conninfo::keywords(), keyword) != conninfo::keywords().end();
}

std::string_view without_commas(std::string_view text) {
  text = trimmed(text);
  while (text.ends_with(','))
    text = trimmed(text.substr(0, text.size() - 1));
  while (text.starts_with(','))
    text = trimmed(text.substr(1));
  return text;
}

}  // namespace

std::vector<std::string> split_servers(std::string_view text) {
  std::vector<std::string> out;
  std::size_t start = 0;
  bool in_quotes = false;
  bool is_url = begins_url(text);
  const auto take = [&](std::size_t end) {
    const auto piece = without_commas(text.substr(start, end - start));
    if (!piece.empty()) out.emplace_back(piece);
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_url && text[at] == '\\') {
      ++at;
    } else if (!is_url && text[at] == '\'') {
      in_quotes = !in_quotes;
    } else if (text[at] == ',' && !in_quotes && begins_server(text.substr(at + 1))) {
      take(at);
      start = at + 1;
      is_url = begins_url(text.substr(start));
    }
  }
  take(text.size());
  return out;
}

parsed<server_url> parse_server(const std::string& text, const server_url* primary,
                                const surroundings& around) {
  auto given = conninfo::parse(std::string(trimmed(text)));
  if (!given) return given.error();
  auto served = with_service(*std::move(given), around);
  if (!served) return served.error();
  auto info = *std::move(served);
  fill_defaults(info, primary, around);
  if (auto wrong = check(info)) return *wrong;
  info.set_if_missing("password", explicit_password(info, primary, around));
  server_url out;
  out.name = name_of(info);
  out.user = info.get("user");
  out.database = info.get("dbname");
  out.password = info.get("password");
  if (out.password.empty()) out.password = password_beside(info, around);
  if (out.password.empty() && primary != nullptr && primary->user == out.user) {
    out.password = primary->password;
    info.set_if_missing("password", out.password);
  }
  out.conninfo = info.text();
  return out;
}

std::string redacted(const server_url& server) {
  const auto info = conninfo::parse(server.conninfo);
  return info ? info->redacted() : std::string();
}

}  // namespace pgsteer::config
