// What the process was started in, as a value: so that loading is a function of its sources.
// Made by config/load.cpp; read by config/urls.cpp for the defaults that libpq documents.
#pragma once

#include <map>
#include <string>

namespace pgsteer::config {

struct surroundings {
  std::map<std::string, std::string> environment;
  std::string os_user;
  std::string home;

  /// The variable's value; empty where it is not set.
  [[nodiscard]] std::string variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  }
};

}  // namespace pgsteer::config
