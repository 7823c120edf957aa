#include "config/checks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/addresses.hpp"
#include "config/files.hpp"
#include "config/users.hpp"

namespace pgsteer::config {
namespace {

void check_auth(const settings& values, const place_of& place, problems& out) {
  if (!values.hba.empty()) return;  // it says itself who is let in and from where
  if (values.auth != auth_method::trust) {
    if (!values.auth_query.empty()) return;
    const bool has_user =
        std::ranges::any_of(values.users, [](const auto& each) { return !each.secret.empty(); });
    if (!values.primary.password.empty() || has_user) return;
    out.push_back({place("database_url"), "holds no password to check clients against",
                   "add the password, name users, or set \"auth: trust\" (PGSTEER_AUTH=trust) to let clients "
                   "in without one"});
    return;
  }
  const auto open = std::ranges::find_if_not(values.listen, is_local);
  if (open == values.listen.end() || values.auth_trust_anywhere) return;
  out.push_back({place("auth"), fmt::format("trust on {} lets in everybody who can reach it", to_text(*open)),
                 "listen on 127.0.0.1 or a unix socket, or set \"auth_trust_anywhere: true\" as well"});
}

bool needs_secret(const hba_rule& rule) {
  return rule.method == hba_method::scram_sha_256 || rule.method == hba_method::md5;
}

// Whether a listed user without a password could never log in.
bool needs_secrets(const settings& values) {
  if (!values.auth_query.empty()) return false;
  if (values.hba.empty()) return values.auth != auth_method::trust;
  return std::ranges::all_of(values.hba, needs_secret);
}

bool offers_md5(const settings& values) {
  if (values.hba.empty()) return values.auth == auth_method::md5;
  return std::ranges::any_of(values.hba, [](const auto& rule) {
    return rule.method == hba_method::md5 || rule.method == hba_method::password;
  });
}

void check_users(const settings& values, const place_of& place, problems& out) {
  for (const auto& each : values.users) {
    if (each.name == values.primary.user && !each.secret.empty()) {
      out.push_back({place("users"),
                     fmt::format("gives {} a password, and database_url gives it one too", shown(each.name)),
                     "leave it out here: of this user, users may only have limits"});
    }
    if (each.name != values.primary.user && each.secret.empty() && needs_secrets(values)) {
      out.push_back({place("users"),
                     fmt::format("gives {} no password to check it against", shown(each.name)),
                     "write password=... or password_file=..."});
    }
    if (is_md5_verifier(each.secret) && !offers_md5(values)) {
      out.push_back(
          {place("users"),
           fmt::format("gives {} an md5 verifier, which cannot be checked by SCRAM", shown(each.name)),
           "write the password or its SCRAM verifier, or set \"auth: md5\""});
    }
  }
}

void check_access(const settings& values, const place_of& place, problems& out) {
  const bool has_ca = !values.tls_client_ca_file.empty();
  for (const auto& rule : values.hba) {
    if (rule.certificate != hba_certificate::not_asked && !has_ca)
      out.push_back({place("hba"),
                     fmt::format("{} needs certificates that nothing can vouch for", shown(rule.text)),
                     "set tls_client_ca_file"});
    const auto is_of = [&](const ident_line& line) { return line.map == rule.map; };
    if (!rule.map.empty() && std::ranges::none_of(values.ident_map, is_of))
      out.push_back({place("hba"), fmt::format("{} names a map that is not there", shown(rule.text)),
                     "give ident_map a line for it"});
  }
  if (!values.tls_client_crl_file.empty() && !has_ca)
    out.push_back(
        {place("tls_client_crl_file"), "a revocation list without authorities", "set tls_client_ca_file"});
  const auto asks = [&](const user_entry& user) { return user.name == values.auth_query_user; };
  if (!values.auth_query_user.empty() && values.auth_query_user != values.primary.user &&
      std::ranges::none_of(values.users, asks)) {
    out.push_back({place("auth_query_user"),
                   fmt::format("{} is no user of users", shown(values.auth_query_user)),
                   "list it there with its password"});
  }
}

void check_pools(const settings& values, const place_of& place, problems& out) {
  if (values.min_pool_size <= values.pool_size) return;
  out.push_back({place("min_pool_size"),
                 fmt::format("{} connections cannot be kept open in a pool of {}", values.min_pool_size,
                             values.pool_size),
                 "raise pool_size, or lower min_pool_size"});
}

void check_file(std::string_view name, const std::string& path, const place_of& place, problems& out) {
  if (path.empty()) return;
  if (const auto error = check_readable(path)) {
    out.push_back({place(name), fmt::format("{} {} cannot be read: {}", name, shown(path), error.message()),
                   "check the path and who may read it"});
  }
}

void check_tls(const settings& values, const place_of& place, problems& out) {
  const bool has_cert = !values.tls_cert_file.empty();
  const bool has_key = !values.tls_key_file.empty();
  if (has_cert && !has_key)
    out.push_back({place("tls_cert_file"), "a certificate without its key", "set tls_key_file"});
  if (has_key && !has_cert)
    out.push_back({place("tls_key_file"), "a key without its certificate", "set tls_cert_file"});
  if (!has_cert && !has_key && values.tls != client_tls::disable) {
    out.push_back({place("tls"), "TLS needs a certificate", "set tls_cert_file and tls_key_file"});
  }
  check_file("tls_cert_file", values.tls_cert_file, place, out);
  check_file("tls_key_file", values.tls_key_file, place, out);
  check_file("tls_client_ca_file", values.tls_client_ca_file, place, out);
  check_file("tls_client_crl_file", values.tls_client_crl_file, place, out);
  check_file("patroni_ca_file", values.patroni_ca_file, place, out);
}

void check_addresses(const settings& values, const place_of& place, problems& out) {
  for (auto one = values.listen.begin(); one != values.listen.end(); ++one) {
    for (auto other = values.listen.begin(); other != one; ++other) {
      if (!is_same_place(*one, *other)) continue;
      out.push_back({place("listen"),
                     fmt::format("{} and {} are in each other's way", to_text(*other), to_text(*one)),
                     "keep one of them"});
    }
    if (values.admin_listen && is_same_place(*one, *values.admin_listen)) {
      out.push_back({place("admin_listen"),
                     fmt::format("{} is taken by listen", to_text(*values.admin_listen)),
                     "give the admin port an address of its own"});
    }
  }
}

void check_times(const settings& values, const place_of& place, problems& out) {
  if (values.reconnect_delay > values.reconnect_delay_max) {
    out.push_back({place("reconnect_delay"),
                   fmt::format("reconnect_delay ({}) is longer than reconnect_delay_max ({})",
                               to_text(values.reconnect_delay), to_text(values.reconnect_delay_max)),
                   "raise reconnect_delay_max or lower reconnect_delay"});
  }
}

}  // namespace

problems check(const settings& values, const place_of& place) {
  problems out;
  check_auth(values, place, out);
  check_users(values, place, out);
  check_access(values, place, out);
  check_tls(values, place, out);
  check_addresses(values, place, out);
  check_pools(values, place, out);
  check_times(values, place, out);
  return out;
}

}  // namespace pgsteer::config
