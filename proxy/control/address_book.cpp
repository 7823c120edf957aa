#include "proxy/control/address_book.hpp"

#include <algorithm>

namespace pgsteer::proxy {
namespace {

bool is_ipv6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

}  // namespace

void address_book::observe(const std::string& name, const std::vector<std::string>& addresses, time_point now,
                           const is_up& serves) {
  if (addresses.empty()) return;  // a look-up that failed proves nothing
  auto& e = names_[name];
  e.latest = addresses;
  const bool family = is_ipv6(addresses.front());
  std::erase_if(e.seen, [&](const auto& each) { return is_ipv6(each.first) != family; });
  for (const auto& each : addresses) {
    const bool has_room = e.seen.size() < most_addresses || e.seen.contains(each);
    if (is_ipv6(each) == family && has_room) e.seen[each] = now;
  }
  e.is_several = e.is_several || e.seen.size() > 1;
  std::erase_if(e.seen, [&](const auto& each) {
    return each.second != now && (now - each.second >= grace || !serves(each.first));
  });
}

void address_book::keep(const std::vector<std::string>& names) {
  std::erase_if(names_, [&](const auto& each) {
    return std::find(names.begin(), names.end(), each.first) == names.end();
  });
}

std::vector<std::string> address_book::latest(const std::string& name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? std::vector<std::string>{} : at->second.latest;
}

std::vector<std::string> address_book::servers(const std::string& name) const {
  const auto at = names_.find(name);
  std::vector<std::string> out;
  if (at == names_.end() || !at->second.is_several) return out;
  for (const auto& [address, when] : at->second.seen)
    out.push_back(address);
  return out;
}

}  // namespace pgsteer::proxy
