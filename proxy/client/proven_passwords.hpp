// Passwords that a server has let a user in with, known by keyed hashes alone: so that not every login of
// such a user needs a connection to the server. Owned by a worker, used by its sessions' logins.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace pgsteer::proxy {

class proven_passwords {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // `key` is secret and random.
  explicit proven_passwords(std::string key) : key_(std::move(key)) {}

  void add(std::string_view user, std::string_view database, std::string_view password, time_point until);
  [[nodiscard]] bool has(std::string_view user, std::string_view database, std::string_view password,
                         time_point now) const;

 private:
  [[nodiscard]] std::string hash(std::string_view user, std::string_view database,
                                 std::string_view password) const;

  std::string key_;
  std::map<std::string, time_point> until_;  // by hash; bounded
};

}  // namespace pgsteer::proxy
