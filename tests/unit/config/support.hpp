// Loading with sources written down in the test, and files that vanish with it.
// Used by the tests of config/load.hpp.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.hpp"

namespace pgsteer::config {

class loading_test : public testing::Test {
 protected:
  loading_test() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pgsteer-config-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    environment["HOME"] = directory_.string();
    environment["DATABASE_URL"] = "postgres://app:s3cret@db.example/shop";
  }
  ~loading_test() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = (directory_ / name).string();
    std::ofstream(path) << text;
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }

  [[nodiscard]] loaded load_all() const { return load({arguments, environment}); }

  // The settings, or defaults and a failed test.
  [[nodiscard]] settings values() const {
    const auto result = load_all();
    if (result.has_error()) {
      ADD_FAILURE() << to_text(result.error());
      return {};
    }
    return *result->values;
  }

  // What is wrong; none of it may hold the secret.
  [[nodiscard]] problems wrong() const {
    const auto result = load_all();
    if (result.has_value()) {
      ADD_FAILURE() << "was accepted";
      return {};
    }
    EXPECT_EQ(to_text(result.error()).find("s3cret"), std::string::npos) << to_text(result.error());
    return result.error();
  }

  // The only problem there is.
  [[nodiscard]] problem only_problem() const {
    const auto found = wrong();
    if (found.size() != 1) {
      ADD_FAILURE() << to_text(found);
      return {};
    }
    return found.front();
  }

  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::filesystem::path directory_;
};

inline bool has_problem(const problems& found, const std::string& where, const std::string& words) {
  return std::ranges::any_of(found, [&](const problem& each) {
    return each.where == where && (each.what + each.suggestion).find(words) != std::string::npos;
  });
}

}  // namespace pgsteer::config
