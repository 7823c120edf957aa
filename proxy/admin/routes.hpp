// Which admin endpoint answers what: a method and a target in, status and body out. No socket; called
// by proxy/admin/admin_server for each request.
#pragma once

#include <string>
#include <string_view>

#include "proxy/admin/admin_view.hpp"

namespace pgsteer::proxy {

struct admin_answer {
  unsigned status;
  std::string_view content_type;
  std::string body;
};

// `method` is GET, HEAD or anything; a HEAD gets what a GET gets and the caller leaves the body out.
[[nodiscard]] admin_answer answer_admin_request(std::string_view method, std::string_view target,
                                                const admin_sources& sources);

// {"error":"..."}
[[nodiscard]] admin_answer admin_error(unsigned status, std::string_view text);

}  // namespace pgsteer::proxy
