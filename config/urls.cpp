#include "config/urls.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "config/conninfo.hpp"
#include "config/files.hpp"
#include "config/own_parameters.hpp"
#include "config/passfile.hpp"
#include "config/server_places.hpp"
#include "config/url_checks.hpp"

namespace pgsteer::config {
namespace {

bool is_keyword(std::string_view word) {
  return std::ranges::find(conninfo::keywords(), word) != conninfo::keywords().end();
}

// The service's file is the first that has it, in libpq's order of search.
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
    for (const auto& [keyword, value] : *service) {
      if (!is_keyword(keyword))
        return complaint{"names a service with a parameter that libpq does not know", ""};
      info.set_if_missing(keyword, value);
    }
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
  info.set_if_missing("port", std::string(default_server_port));
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

std::string name_of(const conninfo& info) {
  std::string out;
  for (const auto& [host, port] : places(info)) {
    if (!out.empty()) out += ',';
    out += place_name(host, port);
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
  return is_keyword(leading_keyword(text));
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
  server_url out;
  const auto own = take_own_parameters(std::string(trimmed(text)), out);
  if (!own) return own.error();
  auto given = conninfo::parse(*own);
  if (!given) return given.error();
  auto served = with_service(*std::move(given), around);
  if (!served) return served.error();
  auto info = *std::move(served);
  fill_defaults(info, primary, around);
  if (auto wrong = check_server(info)) return *wrong;
  info.set_if_missing("password", explicit_password(info, primary, around));
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
  if (!info) return {};
  std::string text = info->redacted();
  if (server.weight != 1) text += fmt::format(" pgsteer_weight={}", server.weight);
  if (!server.zone.empty()) text += " pgsteer_zone=" + server.zone;
  if (server.role != claimed_role::automatic) {
    text += fmt::format(" pgsteer_role={}", to_text(server.role));
  }
  if (!server.expands) text += " pgsteer_expand=off";
  return text;
}

}  // namespace pgsteer::config
