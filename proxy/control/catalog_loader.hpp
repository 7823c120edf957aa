// Reads a database's catalog over a control connection of its own. Called by `pgsteer route --catalog`
// and by catalog_watch, on their own threads.
#pragma once

#include <chrono>
#include <memory>

#include "config/settings.hpp"
#include "proxy/control/control_connection.hpp"
#include "routing/catalog.hpp"

namespace pgsteer::proxy {

using catalog_result = control_connection::result<std::shared_ptr<const routing::catalog>>;

class catalog_loader {
 public:
  // The database is the URL's. Temporary objects of all its sessions are read where they are followed.
  explicit catalog_loader(config::server_url url, bool with_temporary = false)
      : url_(std::move(url)), with_temporary_(with_temporary) {}

  // All of it in one snapshot, or why not. Connects where there is no connection yet; `stop_fd` turns
  // readable when all waiting is to end.
  [[nodiscard]] catalog_result load(control_connection::deadline until, int stop_fd);

  // The next load() connects anew.
  void disconnect() { connection_.reset(); }

 private:
  std::optional<control_failure> run(const char* sql, control_connection::deadline until, int stop_fd);
  [[nodiscard]] catalog_result read(control_connection::deadline until, int stop_fd);

  config::server_url url_;
  bool with_temporary_;
  std::optional<control_connection> connection_;
};

}  // namespace pgsteer::proxy
