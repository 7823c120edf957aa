// Keeps the catalogs of the databases that clients use: one thread a database reads it at first use,
// again when told that it has changed, and by a slow timer. Owned by the application; workers call it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/settings.hpp"
#include "proxy/control/wakeup.hpp"
#include "routing/catalog.hpp"

namespace pgsteer::proxy {

using catalog_ref = std::shared_ptr<const routing::catalog>;

class catalog_watch {
 public:
  // `primary` says whom to ask now; `publish` is called on any thread with what was read, and the last
  // request whose changes it surely has.
  using primary_source = std::function<config::server_url()>;
  using publisher = std::function<void(const std::string& database, catalog_ref read, std::uint64_t request)>;
  catalog_watch(primary_source primary, publisher publish);
  ~catalog_watch();
  catalog_watch(const catalog_watch&) = delete;
  catalog_watch& operator=(const catalog_watch&) = delete;

  struct reading {
    catalog_ref catalog;        // null: being read, or beyond the number of databases
    std::uint64_t request = 0;  // the last whose changes it surely has
  };
  // Any thread; neither waits. The database is used: what is known of it; what is not, is read and published.
  reading want(const std::string& database);
  // Its catalog has changed, or a server knows less or more of it than we do. The request's number.
  std::uint64_t reload(const std::string& database);
  // Closes the connections to all other databases until they are read again: one of them may be about to be
  // dropped, renamed or copied, which nobody's connection to it may hinder.
  void rest_elsewhere(const std::string& database);

 private:
  struct watched;

  void watch(watched& one);
  catalog_ref read(watched& one);
  void report(watched& one, const std::string& cause);

  primary_source primary_;
  publisher publish_;
  wakeup stop_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool is_stopping_ = false;                                          // guarded by mutex_
  std::map<std::string, std::unique_ptr<watched>, std::less<>> all_;  // guarded by mutex_
};

}  // namespace pgsteer::proxy
