// What a session keeps only while its client logs in: what it has sent, and how far it has come.
// Owned by the session, and gone when its client is told that it may send queries.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/hba.hpp"
#include "protocol/client_login.hpp"
#include "protocol/settings_state.hpp"
#include "protocol/startup.hpp"
#include "proxy/client/identity.hpp"

namespace pgsteer::proxy {

struct login_state {
  protocol::startup_negotiation done;
  protocol::startup_packet packet;
  std::optional<protocol::client_login> conversation;
  protocol::settings_map wanted;  // startup settings not yet known to a server
  std::string notices;            // what a server has said about them
  std::string accepted;           // the last message of the conversation: leaves with the answer
  config::hba_method method{};    // by which it must prove who it is
  identity_ref who;               // who it says it is; null: unknown
  bool is_applied = false;
  bool is_direct_tls = false;  // without asking: `postgresql` must be agreed on by ALPN
};

// A NoticeResponse to the startup settings, which the client is told too. Where it came: session_relay.cpp.
void keep_login_notice(login_state& login, std::string_view frame);

}  // namespace pgsteer::proxy
