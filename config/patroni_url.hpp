// Where a Patroni node's REST API is: one element of the setting `patroni`.
// Used by the setter and by who asks it.
#pragma once

#include <string>

#include "config/values.hpp"

namespace pgsteer::config {

struct patroni_url {
  std::string host;
  std::string port;
  std::string target;  // "/cluster"
  bool is_tls = false;
};

/// http://host:8008 or https://host:8008, or with a path, which is asked in place of /cluster.
[[nodiscard]] parsed<patroni_url> parse_patroni_url(const std::string& text);

}  // namespace pgsteer::config
