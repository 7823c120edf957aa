#include "config/load.hpp"

#include <gmock/gmock.h>

#include "config/schema.hpp"
#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(loading_test, needs_nothing_but_the_primary) {
  const auto found = values();
  EXPECT_EQ(found.primary.name, "db.example:5432");
  EXPECT_THAT(found.replicas, IsEmpty());
  EXPECT_EQ(found.listen, (std::vector<listen_address>{{"127.0.0.1", 6432}}));
  EXPECT_EQ(found.admin_listen, (listen_address{"127.0.0.1", 6433}));
  settings expected;
  expected.primary = found.primary;
  EXPECT_EQ(found, expected) << "everything else is as settings{} says";
}

TEST_F(loading_test, takes_replicas_and_an_empty_variable_for_none) {
  environment["DATABASE_REPLICA_URL"] = "postgres://r1,r2, postgres://r3:1/other";
  const auto found = values();
  ASSERT_THAT(found.replicas, SizeIs(2));
  EXPECT_EQ(found.replicas[0].name, "r1:5432,r2:5432");
  EXPECT_EQ(found.replicas[0].password, "s3cret");
  EXPECT_EQ(found.replicas[1].database, "other");
  environment["DATABASE_REPLICA_URL"] = "";
  EXPECT_THAT(values().replicas, IsEmpty());
}

TEST_F(loading_test, takes_replicas_of_the_file_and_the_primary_of_the_environment) {
  arguments = {"--config", write("c.yaml", "database_replica_url: [\"postgres://r1\", \"host=r2\"]\n")};
  const auto found = values();
  ASSERT_THAT(found.replicas, SizeIs(2));
  EXPECT_EQ(found.replicas[1].user, "app");
  environment["DATABASE_REPLICA_URL"] = "";
  EXPECT_THAT(values().replicas, IsEmpty()) << "an empty variable overrides the file";
}

TEST_F(loading_test, lets_the_command_line_win_over_environment_over_file) {
  const auto file = write("c.yaml", "pool_size: 1\nmax_clients: 1\nlog_level: debug\nlisten: 1001\n");
  environment["PGSTEER_CONFIG"] = file;
  environment["PGSTEER_POOL_SIZE"] = "2";
  environment["PGSTEER_MAX_CLIENTS"] = "2";
  environment["PGSTEER_LISTEN"] = "1002,1003";
  arguments = {"--pool-size", "3"};
  const auto found = values();
  EXPECT_EQ(found.pool_size, 3);
  EXPECT_EQ(found.max_clients, 2);
  EXPECT_EQ(found.level, log_level::debug);
  EXPECT_THAT(found.listen, SizeIs(2)) << "a list is replaced, not added to";
}

TEST_F(loading_test, prefers_the_flag_to_the_variable_for_the_file) {
  environment["PGSTEER_CONFIG"] = write("a.yaml", "pool_size: 1\n");
  arguments = {"-c", write("b.yaml", "pool_size: 2\n")};
  EXPECT_EQ(values().pool_size, 2);
  EXPECT_EQ(load_all()->config_file, arguments[1]);
}

// Every setting through every source: what the table promises.
TEST_F(loading_test, takes_every_setting_from_every_source) {
  for (const auto& each : schema()) {
    if (each.is_secret) continue;
    const auto texts = each.get(settings{});
    const std::string text = texts.empty() ? std::string() : texts.front();
    const auto plain_sources = environment;
    environment[each.variable()] = text;
    EXPECT_EQ(each.get(values()), texts) << each.name;
    environment = plain_sources;
    if (text.empty()) continue;
    environment[each.variable() + "_FILE"] = write("value", text + "\n");
    EXPECT_EQ(each.get(values()), texts) << each.name;
    environment = plain_sources;
    arguments = {each.flag() + "=" + text};
    EXPECT_EQ(each.get(values()), texts) << each.name;
    arguments = {"--config", write("c.yaml", std::string(each.name) + ": \"" + text + "\"\n")};
    EXPECT_EQ(each.get(values()), texts) << each.name;
    arguments.clear();
  }
}

TEST_F(loading_test, refuses_a_bad_text_for_every_setting_and_names_the_place) {
  for (const auto& each : schema()) {
    if (each.kind == "FILE" || each.kind == "NAME") continue;
    const auto plain_sources = environment;
    environment[each.variable()] = "?!";
    EXPECT_EQ(only_problem().where, each.variable()) << each.name;
    environment = plain_sources;
    arguments = {each.flag() + "=?!"};
    EXPECT_EQ(only_problem().where, each.flag()) << each.name;
    const auto file = write("c.yaml", "\n" + std::string(each.name) + ": \"?!\"\n");
    arguments = {"--config", file};
    EXPECT_EQ(only_problem().where, file + ":2") << each.name;
    arguments.clear();
  }
}

TEST_F(loading_test, reads_secrets_from_files) {
  environment.erase("DATABASE_URL");
  const auto file = write("url", "postgres://app:fromfile@db/shop\r\n\n");
  environment["DATABASE_URL_FILE"] = file;
  EXPECT_EQ(values().primary.password, "fromfile");
  environment.erase("DATABASE_URL_FILE");
  arguments = {"--database-url-file", file};
  EXPECT_EQ(values().primary.password, "fromfile");
  arguments = {"--config", write("c.yaml", "database_url_file: " + file + "\n")};
  EXPECT_EQ(values().primary.password, "fromfile");
}

TEST_F(loading_test, reports_files_it_cannot_read) {
  environment["DATABASE_REPLICA_URL_FILE"] = "/nonexistent/url";
  environment["PGSTEER_CONFIG"] = directory_.string();
  arguments = {"--database-url-file", "/nonexistent/other"};
  const auto found = wrong();
  EXPECT_TRUE(has_problem(found, "DATABASE_REPLICA_URL_FILE", "/nonexistent/url"));
  EXPECT_TRUE(has_problem(found, "PGSTEER_CONFIG", "directory"));
  EXPECT_TRUE(has_problem(found, "--database-url-file", "/nonexistent/other"));
  EXPECT_THAT(found, SizeIs(3));
}

TEST_F(loading_test, reports_a_value_given_twice_in_one_source) {
  environment["DATABASE_URL_FILE"] = write("url", "postgres://app:s3cret@db/shop");
  EXPECT_TRUE(has_problem(wrong(), "DATABASE_URL_FILE", "DATABASE_URL"));
  environment.erase("DATABASE_URL_FILE");
  arguments = {"--pool-size", "1", "--pool-size", "2"};
  EXPECT_EQ(only_problem().where, "--pool-size");
}

TEST_F(loading_test, finds_the_password_where_libpq_would) {
  environment["DATABASE_URL"] = "postgres://app@db.example/shop";
  EXPECT_TRUE(has_problem(wrong(), "DATABASE_URL", "auth: trust"));
  write(".pgpass", "db.example:5432:shop:app:s3cret\n");
  EXPECT_EQ(values().primary.password, "s3cret");
  EXPECT_EQ(values().primary.conninfo.find("s3cret"), std::string::npos) << "libpq reads the file itself";
  std::filesystem::permissions(directory_ / ".pgpass", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(wrong(), SizeIs(1)) << "libpq ignores a file that others may read";
  environment["PGPASSWORD"] = "s3cret";
  EXPECT_EQ(values().primary.password, "s3cret");
}

TEST_F(loading_test, resolves_a_service) {
  write(".pg_service.conf", "[shop]\nhost=db\nport=7\nuser=app\npassword=s3cret\n");
  environment["DATABASE_URL"] = "service=shop port=8";
  EXPECT_EQ(values().primary.name, "db:8");
  EXPECT_EQ(values().primary.password, "s3cret");
}

TEST_F(loading_test, reports_a_missing_primary_except_for_route) {
  environment.erase("DATABASE_URL");
  EXPECT_EQ(only_problem().where, "DATABASE_URL");
  environment["DATABASE_URL"] = "";
  EXPECT_EQ(only_problem().where, "DATABASE_URL");
  arguments = {"route", "SELECT 1"};
  const auto result = load_all();
  ASSERT_TRUE(result.has_value()) << to_text(result.error());
  EXPECT_EQ(result->what, command::route);
  EXPECT_EQ(result->route_sql, "SELECT 1");
}

TEST_F(loading_test, reports_everything_at_once) {
  const auto file = write("c.yaml",
                          "pol_size: 3\n"
                          "pool_size: 0\n"
                          "listen:\n"
                          "  - \"[::1]:5000\"\n"
                          "  - host:none\n"
                          "pool_size: 4\n"
                          "auth: [md5]\n"
                          "tls: {a: b}\n"
                          "[1]: 2\n"
                          "listen: [[a]]\n");
  environment["PGSTEER_POOLSIZE"] = "1";
  arguments = {"--config", file, "--max-client", "9", "--login-timeout", "5"};
  const auto found = wrong();
  EXPECT_TRUE(has_problem(found, file + ":1", "\"pool_size\""));
  EXPECT_TRUE(has_problem(found, file + ":2", "out of range"));
  EXPECT_TRUE(has_problem(found, file + ":5", "port"));
  EXPECT_TRUE(has_problem(found, file + ":6", "line 2"));
  EXPECT_TRUE(has_problem(found, file + ":7", "one value"));
  EXPECT_TRUE(has_problem(found, file + ":8", "nested"));
  EXPECT_TRUE(has_problem(found, file + ":9", "not a word"));
  EXPECT_TRUE(has_problem(found, file + ":10", "line 3"));
  EXPECT_TRUE(has_problem(found, "PGSTEER_POOLSIZE", "\"PGSTEER_POOL_SIZE\""));
  EXPECT_TRUE(has_problem(found, "command line", "\"--max-clients\""));
  EXPECT_TRUE(has_problem(found, "--login-timeout", "5s"));
  EXPECT_THAT(found, SizeIs(11)) << to_text(found);
}

TEST_F(loading_test, reports_a_bad_value_that_another_source_overrides) {
  environment["PGSTEER_POOL_SIZE"] = "none";
  arguments = {"--pool-size", "3"};
  EXPECT_EQ(only_problem().where, "PGSTEER_POOL_SIZE");
}

TEST_F(loading_test, reports_broken_yaml_with_its_line) {
  for (const char* text : {"pool_size: 3\n  listen: x: y\n", "a: [1\n", "\"", "- 1\n- 2\n", "just words\n"}) {
    const auto file = write("c.yaml", text);
    arguments = {"--config", file};
    EXPECT_TRUE(only_problem().where.starts_with(file + ":")) << text;
  }
  arguments = {"--config", write("c.yaml", "pool_size: 3\n---\npool_size: 4\n")};
  EXPECT_NE(only_problem().what.find("second document"), std::string::npos);
  arguments = {"--config", write("c.yaml", "pool_size: 3\n]\n")};  // yaml-cpp's LoadAll never ended here
  EXPECT_THAT(wrong(), SizeIs(1));
  arguments = {"--config", write("c.yaml", std::string(100000, '['))};
  EXPECT_THAT(wrong(), SizeIs(1));
}

TEST_F(loading_test, takes_an_empty_file) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n"}) {
    arguments = {"--config", write("c.yaml", text)};
    EXPECT_EQ(values().pool_size, 10) << text;
  }
}

TEST_F(loading_test, ignores_what_kubernetes_sets_for_a_service_of_that_name) {
  environment["PGSTEER_SERVICE_HOST"] = "10.0.0.1";
  environment["PGSTEER_SERVICE_PORT"] = "6432";
  environment["PGSTEER_SERVICE_PORT_POSTGRES"] = "6432";
  environment["PGSTEER_PORT"] = "tcp://10.0.0.1:6432";
  environment["PGSTEER_PORT_6432_TCP"] = "tcp://10.0.0.1:6432";
  environment["PGSTEER_PORT_6432_TCP_ADDR"] = "10.0.0.1";
  environment["PGSTEER_ADMIN_PORT"] = "tcp://10.0.0.1:6433";
  EXPECT_EQ(values().pool_size, 10);
  environment["PGSTEER_PORT"] = "6432";
  EXPECT_EQ(only_problem().where, "PGSTEER_PORT");
}

TEST_F(loading_test, points_from_a_prefixed_famous_variable_to_the_famous_one) {
  environment["PGSTEER_DATABASE_URL"] = "postgres://u:s3cret@h/d";
  EXPECT_NE(only_problem().suggestion.find("\"DATABASE_URL\""), std::string::npos);
}

TEST_F(loading_test, treats_an_empty_variable_as_unset_unless_emptiness_says_something) {
  for (const auto& each : schema()) {
    if (each.variable() != "DATABASE_URL") environment[each.variable()] = "";
  }
  const auto found = values();
  EXPECT_FALSE(found.admin_listen.has_value());
  EXPECT_EQ(found.pool_size, 10);
  environment.erase("PGSTEER_ADMIN_LISTEN");
  arguments = {"--admin-listen=", "--pool-size=20"};
  EXPECT_FALSE(values().admin_listen.has_value());
  EXPECT_EQ(values().pool_size, 20);
  arguments = {"--admin-listen", "off"};
  EXPECT_FALSE(values().admin_listen.has_value());
  arguments = {"--pool-size="};
  EXPECT_EQ(only_problem().where, "--pool-size");
}

TEST_F(loading_test, refuses_two_servers_as_primary_and_a_replica_named_twice) {
  environment["DATABASE_REPLICA_URL"] = "postgres://r1,postgres://app:s3cret@r1/shop";
  EXPECT_NE(only_problem().what.find("r1:5432"), std::string::npos);
  environment.erase("DATABASE_REPLICA_URL");
  environment["DATABASE_URL"] = "postgres://u:s3cret@a/d,postgres://u:s3cret@b/d";
  EXPECT_NE(only_problem().suggestion.find("DATABASE_REPLICA_URL"), std::string::npos);
}

TEST_F(loading_test, names_the_line_of_a_bad_replica) {
  const auto file =
      write("c.yaml", "database_replica_url:\n  - postgres://r1\n  - postgres://u:s3cret@r2:99999\n");
  arguments = {"--config", file};
  EXPECT_EQ(only_problem().where, file + ":3");
}

TEST_F(loading_test, knows_what_a_reload_cannot_change) {
  const auto running = values();
  auto wanted = running;
  wanted.pool_size = 50;
  EXPECT_THAT(needs_restart(running, wanted), IsEmpty());
  wanted.listen[0].port = 1;
  wanted.admin_listen.reset();
  EXPECT_THAT(needs_restart(running, wanted), ElementsAre("listen", "admin_listen"));
}

TEST_F(loading_test, gives_the_same_value_for_the_same_sources) {
  environment["DATABASE_REPLICA_URL"] = "postgres://r1";
  EXPECT_EQ(values(), values());
}

}  // namespace
}  // namespace pgsteer::config
