// ALTER ROLE ... SET and ALTER DATABASE ... SET: what sessions begin with changes, of those that begin
// afterwards. A server reads these at login, so a pool's connections are opened anew, and the sessions that
// are there carry on the new ones what they began with. Used by sessions, for the texts they run, and by
// their worker. https://www.postgresql.org/docs/15/config-setting.html#CONFIG-SETTING-SQL
#pragma once

#include <string>
#include <string_view>

#include "protocol/settings_state.hpp"

namespace pgsteer::proxy {

// Of a session: what it has run that is not committed yet.
struct alteration {
  std::string text;
  bool is_done = false;  // the server has said so of one that may be it
};

// Whether a text, or code within it, looks as if it did this; comments may hide it.
[[nodiscard]] bool may_alter_defaults(std::string_view sql);
// A command tag that such a text may come to.
[[nodiscard]] bool is_tag_of_alteration(std::string_view tag);
// Whether it names this role or this database, or all, or in a way that cannot be told; or the role that runs
// it.
[[nodiscard]] bool may_concern(std::string_view sql, std::string_view role, std::string_view database,
                               bool is_own);

// Gives name and value of what a new session has begun with.
[[nodiscard]] std::string_view defaults_question();
// Of what sessions began with before, what they do not begin with any more.
[[nodiscard]] protocol::settings_map changed_defaults(const protocol::settings_map& before,
                                                      const protocol::settings_map& now);

}  // namespace pgsteer::proxy
