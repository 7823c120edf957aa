// The reference says what the code does: every setting with its names, default and meaning, and no other.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/environment_source.hpp"
#include "config/schema.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

const std::filesystem::path root = PGSTEER_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// One row of the table of all settings, as docs/configuration.md must hold it.
std::string row(const setting& each) {
  const std::string value = each.default_text();
  return fmt::format("| `{}` | `{}` | `{}` {} | {} | {} | {} |", each.name, each.variable(), each.flag(),
                     replaced(std::string(each.kind), "|", "\\|"), value.empty() ? "none" : "`" + value + "`",
                     each.reload == effect::on_reload ? "yes" : "no", each.doc);
}

std::set<std::string> found_in(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::set<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), expression); at != std::sregex_iterator();
       ++at) {
    out.insert(at->str());
  }
  return out;
}

std::set<std::string> known_variables() {
  std::set<std::string> known{config_variable};
  for (const auto& each : schema())
    known.insert({each.variable(), each.variable() + "_FILE"});
  return known;
}

TEST(reference, has_a_row_for_every_setting_and_no_other) {
  const auto text = text_of(root / "docs/configuration.md");
  ASSERT_FALSE(text.empty());
  std::string expected;
  for (const auto& each : schema()) {
    expected += row(each) + "\n";
    EXPECT_NE(text.find(row(each) + "\n"), std::string::npos) << "missing or out of date:\n" << row(each);
  }
  EXPECT_EQ(found_in(text, R"(\n\| `[a-z_]+` \| `[A-Z_]+` \|)").size(), schema().size());
  EXPECT_NE(text.find(expected), std::string::npos) << "the rows stand in the order of the table:\n"
                                                    << expected;
}

TEST(reference, names_no_variable_or_flag_that_is_not_there) {
  const auto text = text_of(root / "docs/configuration.md");
  const auto known = known_variables();
  for (const auto& name : found_in(text, R"(\b(PGSTEER|DATABASE)_[A-Z_]*[A-Z])")) {
    EXPECT_TRUE(known.contains(name)) << name;
  }
  std::set<std::string> flags{"--config",  "--check-config", "--print-config", "--help",
                              "--version", "--json",         "--catalog"};
  for (const auto& each : schema()) {
    flags.insert(each.flag());
    if (each.is_secret) flags.insert(each.flag() + "-file");
  }
  for (const auto& flag : found_in(text, R"(--[a-z][a-z-]*[a-z])"))
    EXPECT_TRUE(flags.contains(flag)) << flag;
}

TEST(environment_examples, name_no_variable_that_is_not_there) {
  const auto known = known_variables();
  if (!std::filesystem::exists(root / "deploy")) GTEST_SKIP() << "no examples in this tree";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "deploy")) {
    if (!entry.is_regular_file() || entry.path().filename().string().find(".env") == std::string::npos)
      continue;
    for (const auto& name : found_in(text_of(entry.path()), R"(\b(PGSTEER|DATABASE)_[A-Z_]+(?==))")) {
      EXPECT_TRUE(known.contains(name)) << entry.path() << ": " << name;
    }
  }
}

// deploy/pgsteer.yaml with every comment that is a setting taken for one.
TEST_F(loading_test, takes_the_commented_example_file) {
  const auto example = root / "deploy/pgsteer.yaml";
  if (!std::filesystem::exists(example)) GTEST_SKIP() << "no example in this tree";
  const std::regex commented(R"((^|\n)#(?=[a-z_]+:|  - ))");
  auto text = std::regex_replace(text_of(example), commented, "$1");
  text = std::regex_replace(text, std::regex(R"(\ntls_(cert|key)_file: [^\n]*)"),
                            "\ntls_$1_file: " + write("pem", "x"));
  text = std::regex_replace(text, std::regex(R"(\nusers_file: [^\n]*)"),
                            "\nusers_file: " + write("users", "name=one password=x\n"));
  arguments = {"--config", write("example.yaml", text)};
  EXPECT_EQ(values().replicas.size(), 2U) << text;
}

}  // namespace
}  // namespace pgsteer::config
