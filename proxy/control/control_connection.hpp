// A libpq connection beside the data path, driven with poll so that nothing but a name look-up can
// hang: each call has a deadline and ends at once when told to stop. Used by the monitors.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "proxy/control/conninfo.hpp"

namespace pgsteer::proxy {

struct control_failure {
  std::string cause;     // short, as short_cause() gives it
  std::string sqlstate;  // of a refused query, after which the connection goes on; empty: it is lost
};

class control_connection {
 public:
  using deadline = std::chrono::steady_clock::time_point;
  template <class T>
  using result = boost::system::result<T, control_failure>;

  // `stop_fd` turns readable when all waiting is to end.
  static result<control_connection> open(const config::server_url& url, const connect_options& options,
                                         deadline until, int stop_fd);

  // The first row, text format, null as an empty text. Fails on anything else.
  result<std::vector<std::string>> ask_row(const char* sql, deadline until, int stop_fd);
  // Its first column.
  result<std::string> ask(const char* sql, deadline until, int stop_fd);

  // Every row as it comes, text format, with these values for $1 and so on; the views are valid in the call
  // alone. Nothing: all went well.
  using row_visitor = std::function<void(std::span<const std::optional<std::string_view>>)>;
  std::optional<control_failure> each_row(const char* sql, const row_visitor& visit, deadline until,
                                          int stop_fd, std::span<const char* const> parameters = {});

  // Where it leads: see connection_place.
  [[nodiscard]] const char* host() const { return text(PQhost(connection_.get())); }
  [[nodiscard]] const char* hostaddr() const { return text(PQhostaddr(connection_.get())); }
  [[nodiscard]] const char* port() const { return text(PQport(connection_.get())); }
  [[nodiscard]] int fd() const { return PQsocket(connection_.get()); }

 private:
  static const char* text(const char* s) { return s == nullptr ? "" : s; }
  explicit control_connection(connection_ptr connection) : connection_(std::move(connection)) {}
  [[nodiscard]] control_failure failure() const;
  std::optional<control_failure> await_result(deadline until, int stop_fd);
  std::optional<control_failure> send(const char* sql, deadline until, int stop_fd,
                                      std::span<const char* const> parameters = {});

  connection_ptr connection_;
};

}  // namespace pgsteer::proxy
