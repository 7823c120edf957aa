// What a Patroni cluster says of its members, by GET /cluster of its REST API.
// Used by control/discovery. https://patroni.readthedocs.io/en/latest/rest_api.html
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "config/patroni_url.hpp"

namespace pgsteer::proxy {

struct cluster_member {
  std::string host;
  std::string port;
  bool is_leader = false;
  bool takes_reads = true;  // no tag noloadbalance
  bool operator==(const cluster_member&) const = default;
};

// Nothing where it is no such answer, or names nobody.
[[nodiscard]] std::optional<std::vector<cluster_member>> read_cluster(std::string_view json);

struct patroni_failure {
  std::string cause;
};

// The body of a 200 answer, or why there is none. Blocks for so long at most, but for a look-up of the name.
// With https, `ca_file` says who vouches for the certificate; empty: the system's authorities.
[[nodiscard]] boost::system::result<std::string, patroni_failure> ask_patroni(
    const config::patroni_url& url, const std::string& ca_file, std::chrono::milliseconds timeout);

}  // namespace pgsteer::proxy
