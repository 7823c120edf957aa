// The setting `hba`: which clients may log in as whom and how, in the lines of PostgreSQL's pg_hba.conf.
// Read by config/schema_access.cpp; asked by proxy/client/session_access.cpp at each login; pure.
// https://www.postgresql.org/docs/15/auth-pg-hba-conf.html
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.hpp"

namespace pgsteer::config {

enum class hba_connection : std::uint8_t { local, host, host_tls, host_plain };
enum class hba_method : std::uint8_t { trust, reject, scram_sha_256, md5, password, cert };
enum class hba_certificate : std::uint8_t { not_asked, from_authority, of_user };

// IPv4 addresses have 4 bytes that count, IPv6 ones 16.
struct hba_network {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> address{};
  std::array<std::uint8_t, 16> mask{};
  bool operator==(const hba_network&) const = default;
};

struct hba_rule {
  hba_connection connection{};
  std::vector<std::string> databases;  // none: see the next three
  bool all_databases = false;          // but not physical replication
  bool same_database = false;          // the one named as the user
  bool replication = false;            // physical
  std::vector<std::string> users;
  bool all_users = false;
  std::optional<hba_network> network;  // none: any address
  hba_method method{};
  hba_certificate certificate{};
  std::string map;   // of ident_map; empty: the certificate names the user
  std::string text;  // as it was written
  bool operator==(const hba_rule&) const = default;
};

/// One line.
[[nodiscard]] parsed<hba_rule> parse_hba_rule(std::string_view line);

// Who asks to be let in.
struct hba_question {
  bool is_local = false;  // by a unix socket
  bool has_tls = false;
  std::string_view database;
  std::string_view user;
  bool is_physical_replication = false;
  std::span<const std::uint8_t> address;  // 4 or 16 bytes, in network order; of a unix socket none
};

/// The first rule that fits; null: none does.
[[nodiscard]] const hba_rule* find_hba_rule(std::span<const hba_rule> rules, const hba_question& about);

}  // namespace pgsteer::config
