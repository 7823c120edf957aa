// What the clients of one user and database share in a worker: their pools, the parameters a
// server reports at login, and what each kind of startup settings came to on a server.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "protocol/settings_state.hpp"
#include "proxy/backend/backend_login.hpp"
#include "proxy/backend/pool.hpp"
#include "proxy/client/greeting.hpp"
#include "proxy/client/wishes.hpp"
#include "routing/session_facts.hpp"

namespace pgsteer::proxy {

// A client's startup settings after a server has accepted and spelt them.
struct startup_profile {
  protocol::settings_ref settings;
  parameter_map reported;  // ParameterStatus values that differ from the group's
  std::string notices;     // NoticeResponses that come before these
};

struct client_group {
  std::uint32_t id = 0;
  std::uint32_t statements_key = 0;  // changes with DDL: statements parsed before are not shared any more
  std::string user;
  std::string database;
  backend_login_ref login;                                    // null: the user of the servers' URLs
  config::pool_mode mode{};                                   // of its sessions
  std::size_t pool_size = 0;                                  // most connections of each of its pools
  std::optional<std::size_t> most_of_user, most_of_database;  // to a server, shared with other groups
  [[nodiscard]] bool has_shared_limits() const { return most_of_user || most_of_database; }
  std::unique_ptr<routing::session_facts> facts;
  std::uint64_t catalog_wanted = 0;  // the last reload that was asked for
  std::uint64_t catalog_seen = 0;    // the one whose changes the facts have
  bool is_known = false;             // a backend has logged in: the parameters are there
  parameter_map parameters;
  greeting greets;                    // with these parameters
  wishes_in_force wishes;             // of sessions that have none of their own
  std::uint32_t defaults_number = 0;  // grows when ALTER ROLE or DATABASE changes what sessions begin with
  bool are_defaults_known = false;    // `defaults` are what they begin with now, not before
  protocol::settings_map defaults;    // see altered_defaults.hpp
  // Parameters that may be told to a new session.
  [[nodiscard]] bool may_open_unasked() const {
    return is_known && (are_defaults_known || defaults_number == 0);
  }
  std::map<std::string, startup_profile> profiles;  // by serialised startup settings; bounded
  std::vector<std::unique_ptr<pool>> pools;         // by server, in no order
  int sessions = 0;
  clock::time_point snapshots_stay_until, cursors_stay_until;  // on the primary: see session_snapshot.cpp
  bool reads_custom = false;                                   // somebody has asked for one by name
  custom_names custom_settings;  // names that clients may have set; a server does not list them
  std::set<std::string, std::less<>>
      sequence_users;  // application names that asked for currval() or lastval()
};

}  // namespace pgsteer::proxy
