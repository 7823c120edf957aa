// The answer of /clients: the list of clients as JSON.
// Pure; used by proxy/admin/routes.
#pragma once

#include <string>

#include "proxy/lists.hpp"

namespace pgsteer::proxy {

[[nodiscard]] std::string render_clients(const client_list& list);

}  // namespace pgsteer::proxy
