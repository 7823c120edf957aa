// What all new clients of a user and database are told and begin with, by the parameters that a server
// reports at login. Made once, when these come; used by each login.
// https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-ASYNC
#pragma once

#include <map>
#include <string>

#include "protocol/settings_state.hpp"
#include "routing/classification.hpp"

namespace pgsteer::proxy {

using parameter_map = std::map<std::string, std::string, std::less<>>;

// Of settings that the proxy minds while it judges.
struct begun_with {
  bool read_only = false;
  routing::isolation level = routing::isolation::read_committed;
  bool standard_strings = true;
  bool ascii_safe = true;
};

// By the session's own settings, or else by the server's parameters.
[[nodiscard]] begun_with begin_with(const protocol::settings_state& own, const parameter_map& parameters);

// Whether begin_with() is the same as without any.
[[nodiscard]] bool is_as_others(const protocol::settings_state& own);

class greeting {
 public:
  greeting() = default;
  explicit greeting(const parameter_map& parameters);

  // The ParameterStatus messages, with the client's own values where it has some.
  void write(std::string& out, const parameter_map& parameters, const parameter_map& own) const;
  [[nodiscard]] const begun_with& begun() const { return begun_; }

 private:
  std::string before_, after_;  // application_name, which clients differ in
  bool has_name_ = false;
  begun_with begun_;
};

}  // namespace pgsteer::proxy
