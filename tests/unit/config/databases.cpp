// The setting `databases`: where its elements come from, what they may hold, how they are printed.
#include "config/databases.hpp"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class databases : public loading_test {};

TEST_F(databases, come_from_yaml) {
  arguments = {"--config", write("c.yaml",
                                 "databases:\n  - name: shop\n    pool_size: 3\n    max_connections: 12\n"
                                 "  - {name: 'two words', max_clients: 7, pool_mode: session}\n")};
  EXPECT_THAT(values().databases,
              ElementsAre(database_entry{"shop", {.pool_size = 3, .max_connections = 12}},
                          database_entry{"two words", {.mode = pool_mode::session, .max_clients = 7}}));
}

TEST_F(databases, come_from_lines_elsewhere) {
  environment["PGSTEER_DATABASES"] = "# mine\nname=shop pool_size=1\nname='two words' pool_mode=transaction";
  EXPECT_THAT(values().databases, ElementsAre(database_entry{"shop", {.pool_size = 1}},
                                              database_entry{"two words", {.mode = pool_mode::transaction}}));
  arguments = {"--databases", "name=other max_clients=1"};
  EXPECT_THAT(values().databases, SizeIs(1));
}

TEST_F(databases, are_printed_so_that_they_can_be_read_again) {
  environment["PGSTEER_DATABASES"] =
      "name='it\\'s' max_connections=4 pool_size=3 max_clients=9 pool_mode=session";
  const auto before = values().databases;
  const auto text = to_yaml(values(), [](auto) { return std::string("x"); });
  EXPECT_THAT(text, HasSubstr("pool_mode=session pool_size=3 max_clients=9 max_connections=4"));
  arguments = {"--config", write("printed.yaml", text), "--database-url", "postgres://app:s3cret@db/shop"};
  environment.erase("PGSTEER_DATABASES");
  EXPECT_EQ(values().databases, before);
}

TEST_F(databases, are_refused_with_the_line_and_what_to_write) {
  const std::vector<std::pair<std::string, std::string>> wrong_ones{
      {"{pool_size: 1}", "no name"},
      {"{name: ''}", "empty name"},
      {"{name: " + std::string(64, 'x') + "}", "63 bytes"},
      {"{name: a, pool_sise: 1}", "did you mean \"pool_size\"?"},
      {"{name: a, colour: red}", "the parts are name, pool_mode, pool_size, max_clients, max_connections"},
      {"{name: a, password: x}", "databases do not have"},
      {"{name: a, max_connections: 0}", "out of range"},
      {"{name: a, max_clients: many}", "many"},
      {"{name: a, pool_mode: statement}", "transaction or session"},
      {"name=a pool_size=1 pool_size=2", "twice"},
      {"{name: one, pool_size: 1}", "name each database once"},
      {"one", "name=value"}};
  for (const auto& [text, words] : wrong_ones) {
    const auto file = write("c.yaml", "databases:\n  - {name: one, pool_size: 2}\n  - " + text + "\n");
    arguments = {"--config", file};
    const auto found = only_problem();
    EXPECT_EQ(found.where, file + ":3") << text;
    EXPECT_THAT(found.what + "; " + found.suggestion, HasSubstr(words)) << text;
  }
}

}  // namespace
}  // namespace pgsteer::config
