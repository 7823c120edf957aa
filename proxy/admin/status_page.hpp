// The page that GET / shows: proxy/admin/status.html, put into the binary by CMake.
// Used by proxy/admin/routes.
#pragma once

#include <string_view>

namespace pgsteer::proxy {

[[nodiscard]] std::string_view status_page();

}  // namespace pgsteer::proxy
