#include "proxy/client/greeting.hpp"

#include "protocol/message_writer.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::string_view name_of_client = "application_name";

bool is_only_named(const parameter_map& own) {
  return own.empty() || (own.size() == 1 && own.begin()->first == name_of_client);
}

}  // namespace

begun_with begin_with(const protocol::settings_state& own, const parameter_map& parameters) {
  const auto in_force = [&](std::string_view name, std::string_view fallback) {
    const auto said = own.get(name);
    if (!said.empty()) return said;
    const auto at = parameters.find(name);
    return at != parameters.end() ? std::string_view(at->second) : fallback;
  };
  const auto level = in_force("default_transaction_isolation", "read committed");
  return {.read_only = in_force("default_transaction_read_only", "off") == "on",
          .level = level == "serializable"      ? routing::isolation::serializable
                   : level == "repeatable read" ? routing::isolation::repeatable_read
                                                : routing::isolation::read_committed,
          .standard_strings = in_force("standard_conforming_strings", "on") == "on",
          .ascii_safe = routing::is_ascii_safe_encoding(in_force("client_encoding", "UTF8"))};
}

bool is_as_others(const protocol::settings_state& own) {
  return own.values.empty() || (own.values.size() == 1 && own.values.begin()->first == name_of_client);
}

greeting::greeting(const parameter_map& parameters) : begun_(begin_with({}, parameters)) {
  for (const auto& [name, value] : parameters) {
    if (name == name_of_client) {
      has_name_ = true;
    } else {
      protocol::write::parameter_status(has_name_ ? after_ : before_, name, value);
    }
  }
}

void greeting::write(std::string& out, const parameter_map& parameters, const parameter_map& own) const {
  if (!is_only_named(own) || !has_name_) {
    for (const auto& [name, value] : parameters) {
      const auto at = own.find(name);
      protocol::write::parameter_status(out, name, at != own.end() ? at->second : value);
    }
    return;
  }
  out += before_;
  const auto& name = own.empty() ? parameters.find(name_of_client)->second : own.begin()->second;
  protocol::write::parameter_status(out, name_of_client, name);
  out += after_;
}

}  // namespace pgsteer::proxy
