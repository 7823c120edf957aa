#include "proxy/control/lag_gates.hpp"

#include <algorithm>
#include <utility>

namespace pgsteer::proxy {

lag_gates::verdict lag_gates::look(int server, milliseconds limit, std::optional<milliseconds> lag) {
  auto& it = find(server, limit);
  if (!lag) {
    if (it.is == state::open) it.is = state::unknown;
    return {};
  }
  const auto bound = it.is == state::closed ? limit / 2 : limit;
  const auto next = *lag <= bound ? state::open : state::closed;
  const auto before = std::exchange(it.is, next);
  const bool is_first = before == state::unknown && next == state::open;
  return {next == state::open, before != next && !is_first};
}

lag_gates::gate& lag_gates::find(int server, milliseconds limit) {
  const auto at = std::find_if(gates_.begin(), gates_.end(),
                               [&](const gate& g) { return g.server == server && g.limit == limit; });
  if (at != gates_.end()) return *at;
  if (gates_.size() >= most) gates_.clear();
  return gates_.emplace_back(gate{server, limit, state::unknown});
}

}  // namespace pgsteer::proxy
