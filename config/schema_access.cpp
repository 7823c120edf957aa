// Settings about who may log in besides the users that the configuration lists.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/hba.hpp"
#include "config/ident_map.hpp"
#include "config/records.hpp"
#include "config/schema_parts.hpp"
#include "config/setters.hpp"

namespace pgsteer::config {
namespace {

// Elements of a list that may hold several lines each.
template <auto Member, auto Parse>
refusal set_lines(settings& to, texts from, const surroundings&) {
  std::remove_reference_t<decltype(to.*Member)> found;
  for (std::size_t item = 0; item < from.size(); ++item) {
    for (const auto& line : lines_of(from[item])) {
      auto one = Parse(line);
      if (!one) return complaint{one.error().what, one.error().suggestion, item};
      found.push_back(*std::move(one));
    }
  }
  to.*Member = std::move(found);
  return std::nullopt;
}

std::vector<std::string> get_hba(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.hba, std::back_inserter(out), [](const auto& each) { return each.text; });
  return out;
}

std::vector<std::string> get_ident_map(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.ident_map, std::back_inserter(out),
                         [](const auto& each) { return to_text(each); });
  return out;
}

refusal set_auth_query(settings& to, texts from, const surroundings&) {
  const std::string text(trimmed(from[0]));
  if (!text.empty() && text.find("$1") == std::string::npos) {
    return complaint{
        "does not ask for a user",
        "put $1 where the user's name goes: SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE "
        "usename = $1"};
  }
  to.auth_query = text;
  return std::nullopt;
}

constexpr std::array access_table{
    setting{.name = "hba",
            .kind = "RULE",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Who may log in from where and how, in lines of pg_hba.conf; the first that fits decides, "
                   "and without one that fits nobody comes in. None: everybody may, as auth says.",
            .set = set_lines<&settings::hba, parse_hba_rule>,
            .get = get_hba},
    setting{.name = "ident_map",
            .kind = "LINE",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Which roles the name in a client's certificate may log in as, in lines of pg_ident.conf, "
                   "for rules with map=.",
            .set = set_lines<&settings::ident_map, parse_ident_line>,
            .get = get_ident_map},
    setting{.name = "auth_query",
            .kind = "SQL",
            .empty = emptiness::has_meaning,
            .doc =
                "Asked on a server about a user who is not listed: $1 is the name, the answer its name, its "
                "password or verifier, and until when that is valid, if there is a third column.",
            .set = set_auth_query,
            .get = get_text<&settings::auth_query>},
    setting{.name = "auth_query_user",
            .kind = "ROLE",
            .empty = emptiness::has_meaning,
            .doc = "The user of users who asks auth_query; empty: the one of database_url.",
            .set = set_text<&settings::auth_query_user>,
            .get = get_text<&settings::auth_query_user>},
    setting{.name = "auth_query_database",
            .kind = "NAME",
            .empty = emptiness::has_meaning,
            .doc = "Where auth_query is asked; empty: in the database of database_url.",
            .set = set_text<&settings::auth_query_database>,
            .get = get_text<&settings::auth_query_database>},
    setting{
        .name = "auth_cache_time",
        .kind = "DURATION",
        .doc = "So long an answer of auth_query, or a server's to a password passed on to it, is believed.",
        .set = set_duration<&settings::auth_cache_time, second, day>,
        .get = get_duration<&settings::auth_cache_time>},
    setting{.name = "tls_client_ca_file",
            .kind = "FILE",
            .empty = emptiness::has_meaning,
            .doc = "Authorities that clients' certificates must come from, PEM; none: clients are not asked "
                   "for one.",
            .set = set_text<&settings::tls_client_ca_file>,
            .get = get_text<&settings::tls_client_ca_file>},
    setting{.name = "tls_client_crl_file",
            .kind = "FILE",
            .empty = emptiness::has_meaning,
            .doc = "Certificates of clients that have been revoked, PEM.",
            .set = set_text<&settings::tls_client_crl_file>,
            .get = get_text<&settings::tls_client_crl_file>},
};

}  // namespace

std::span<const setting> access_settings() {
  return access_table;
}

}  // namespace pgsteer::config
