// SRV records: the hosts and ports of a service by its name, "_postgresql._tcp.db.example.org".
// Used by control/discovery. RFC 2782.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pgsteer::proxy {

struct srv_target {
  std::string host;
  std::string port;
  int weight = 0;
  bool operator==(const srv_target&) const = default;
};

// Of a DNS answer as it came; none where it is broken or has no such records.
[[nodiscard]] std::vector<srv_target> read_srv(std::span<const unsigned char> answer);

// Blocks as long as the system's resolver tries; none where it cannot be looked up.
[[nodiscard]] std::vector<srv_target> look_up_srv(const std::string& name);

}  // namespace pgsteer::proxy
