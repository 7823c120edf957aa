// The first half of every login to a server: libpq resolves, connects and shakes hands, driven by poll on a
// connector's thread. Used by open_backend.cpp, where libpq also logs in, and by open_with_keys.cpp.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include <libpq-fe.h>

#include "config/conninfo.hpp"
#include "proxy/backend/connector.hpp"

namespace pgsteer::proxy {

using connect_deadline = std::chrono::steady_clock::time_point;

// PQconnectStartParams of the conninfo, with the request's database and TCP timeouts. The text is wiped.
[[nodiscard]] pgconn_ptr start_libpq(const connect_request& request, std::string conninfo);

// False: the deadline has come, or all is to stop.
[[nodiscard]] bool wait_for_socket(int fd, PostgresPollingStatusType want, connect_deadline until,
                                   const std::atomic<bool>& stopping);

// What libpq says, as SQLSTATE and one line.
[[nodiscard]] connect_failure to_failure(std::string_view libpq_message);

// Who is at the other end, and libpq's TLS object.
void describe_peer(PGconn* c, connected& out);

// Logs in as request.login, of whom no password is known, with its keys or its md5 secret.
[[nodiscard]] connect_result open_with_keys(const connect_request& request, const config::conninfo& info,
                                            const std::atomic<bool>& stopping);

}  // namespace pgsteer::proxy
