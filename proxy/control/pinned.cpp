#include "proxy/control/pinned.hpp"

#include "config/conninfo.hpp"
#include "proxy/control/conninfo.hpp"

namespace pgsteer::proxy {

config::server_url pinned_url(const server& s) {
  auto url = s.url();
  if (s.pin_number() == 0) {
    const auto chosen = s.role() == server_role::primary ? of_a_primary(url, s.addresses()) : std::nullopt;
    return chosen.value_or(url);
  }
  auto info = config::conninfo::parse(url.conninfo);
  if (!info) return url;
  const auto to = s.place();
  info->set("host", to.host);
  info->set("port", to.port);
  info->remove("hostaddr");
  if (!to.hostaddr.empty()) info->set("hostaddr", to.hostaddr);
  url.conninfo = info->text();
  return url;
}

}  // namespace pgsteer::proxy
