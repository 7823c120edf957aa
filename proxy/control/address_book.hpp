// What the names in servers' URLs stand for: the last answer, and for a name of several addresses every one
// that is still believed in. Pure; owned by control/discovery, which looks the names up.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pgsteer::proxy {

class address_book {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using is_up = std::function<bool(const std::string& address)>;

  // A name server may give some of the addresses at a time, another ones next time: those that serve are
  // believed in for so long without being named.
  static constexpr std::chrono::seconds grace{60};
  static constexpr std::size_t most_addresses = 32;  // of one name

  // Of another family than the first one, addresses are most likely the same servers once more.
  void observe(const std::string& name, const std::vector<std::string>& addresses, time_point now,
               const is_up& serves);
  // Other names are forgotten.
  void keep(const std::vector<std::string>& names);

  // The last answer, whole; empty: none yet.
  [[nodiscard]] std::vector<std::string> latest(const std::string& name) const;
  // In order; empty where the name never stood for more than one: that one is best reached by its name.
  [[nodiscard]] std::vector<std::string> servers(const std::string& name) const;

 private:
  struct entry {
    std::vector<std::string> latest;
    std::map<std::string, time_point> seen;
    bool is_several = false;
  };
  std::map<std::string, entry> names_;
};

}  // namespace pgsteer::proxy
