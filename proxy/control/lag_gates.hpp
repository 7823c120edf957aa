// Which replicas take no reads because they are too far behind, for each limit in use, with hysteresis:
// out above the limit, in again at half of it. Pure. Belongs to the balancer.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace pgsteer::proxy {

class lag_gates {
 public:
  using milliseconds = std::chrono::milliseconds;
  static constexpr std::size_t most = 256;  // sessions may name any limit

  struct verdict {
    bool admits = false;
    bool has_turned = false;  // it was known to be otherwise before, or turns up too far behind
  };
  // `lag` is nothing where it is not known.
  [[nodiscard]] verdict look(int server, milliseconds limit, std::optional<milliseconds> lag);

 private:
  enum class state : std::uint8_t { unknown, open, closed };
  struct gate {
    int server;
    milliseconds limit;
    state is;
  };
  [[nodiscard]] gate& find(int server, milliseconds limit);

  std::vector<gate> gates_;
};

}  // namespace pgsteer::proxy
