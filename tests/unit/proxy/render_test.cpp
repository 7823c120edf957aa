#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/admin/admin_view.hpp"
#include "proxy/admin/prometheus.hpp"
#include "proxy/admin/render_health.hpp"
#include "proxy/admin/render_metrics.hpp"
#include "proxy/admin/render_status.hpp"
#include "proxy/admin/routes.hpp"

namespace pgsteer::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

server_view server_of(server_role role, server_health health, std::string name = "db1:5432") {
  server_view s;
  s.name = std::move(name);
  s.role = role;
  s.health = health;
  return s;
}

admin_view view_of(std::vector<server_view> servers) {
  admin_view v;
  v.servers = std::move(servers);
  v.version = "0.1.0";
  v.started_at = std::chrono::system_clock::time_point{std::chrono::milliseconds{1769860800500}};
  return v;
}

const auto primary_up = server_of(server_role::primary, server_health::up);
const auto replica_up = server_of(server_role::replica, server_health::up, "db2:5432");

TEST(health, everything_connected) {
  const auto report = render_health(view_of({primary_up, replica_up}));
  EXPECT_TRUE(report.is_healthy);
  EXPECT_EQ(report.body,
            R"({"status":"healthy","version":"0.1.0","db_primary":"connected","db_replica":"connected"})");
}

TEST(health, a_server_without_traffic_is_a_replica_that_is_not_connected) {
  auto fenced = replica_up;
  fenced.is_excluded = true;
  const auto report = render_health(view_of({primary_up, fenced}));
  EXPECT_FALSE(report.is_healthy);
  EXPECT_THAT(report.body, HasSubstr(R"("db_primary":"connected","db_replica":"disconnected")"));
}

TEST(health, no_replica_is_null) {
  const auto report = render_health(view_of({primary_up}));
  EXPECT_TRUE(report.is_healthy);
  EXPECT_EQ(report.body,
            R"({"status":"healthy","version":"0.1.0","db_primary":"connected","db_replica":null})");
}

TEST(health, one_replica_down_of_several) {
  for (const auto health : {server_health::unknown, server_health::retrying, server_health::failed}) {
    const auto report =
        render_health(view_of({primary_up, replica_up, server_of(server_role::replica, health, "db3:5432")}));
    EXPECT_FALSE(report.is_healthy);
    EXPECT_EQ(
        report.body,
        R"({"status":"unhealthy","version":"0.1.0","db_primary":"connected","db_replica":"disconnected"})");
  }
}

TEST(health, primary_down) {
  const auto report =
      render_health(view_of({server_of(server_role::primary, server_health::failed), replica_up}));
  EXPECT_FALSE(report.is_healthy);
  EXPECT_EQ(
      report.body,
      R"({"status":"unhealthy","version":"0.1.0","db_primary":"disconnected","db_replica":"connected"})");
}

TEST(health, nothing_known_yet) {
  EXPECT_EQ(render_health(view_of({})).body,
            R"({"status":"unhealthy","version":"0.1.0","db_primary":"disconnected","db_replica":null})");
}

TEST(readiness, says_why_not) {
  EXPECT_EQ(unready_reason(view_of({primary_up})), std::nullopt);
  EXPECT_EQ(unready_reason(view_of({primary_up, server_of(server_role::replica, server_health::failed)})),
            std::nullopt);
  auto draining = view_of({primary_up});
  draining.is_draining = true;
  EXPECT_EQ(unready_reason(draining), "draining");
  auto down = server_of(server_role::primary, server_health::retrying);
  down.last_error = "connection refused";
  EXPECT_EQ(unready_reason(view_of({down})), "primary not reachable: connection refused");
  EXPECT_EQ(unready_reason(view_of({server_of(server_role::primary, server_health::unknown)})),
            "primary not reached yet");
  EXPECT_EQ(unready_reason(view_of({})), "no primary yet");
}

TEST(prometheus, escapes_label_values) {
  prometheus_text out;
  out.family("m", "gauge", "Help.");
  out.sample({{"a", "x\"y\\z\n\xff"}, {"b", ""}}, 1.5);
  out.sample({}, 7);
  EXPECT_EQ(out.take(),
            "# HELP m Help.\n# TYPE m gauge\nm{a=\"x\\\"y\\\\z\\n\xEF\xBF\xBD\",b=\"\"} 1.5\nm 7\n");
}

std::shared_ptr<worker_board> board() {
  return std::make_shared<worker_board>();
}

pool_gauge pool(std::string user, int active, int waiting, std::uint64_t oldest) {
  pool_gauge p;
  p.server = "db1:5432";
  p.role = "primary";
  p.user = std::move(user);
  p.database = "app";
  p.active = active;
  p.waiting = waiting;
  p.oldest_wait_ms = oldest;
  p.size = 10;
  return p;
}

TEST(view, merges_the_pools_of_workers) {
  const auto merged = merge_pools({pool("a", 3, 1, 100), pool("b", 9, 0, 0), pool("a", 2, 4, 50)});
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_EQ(merged[0].user, "a");
  EXPECT_EQ(merged[0].active, 5);
  EXPECT_EQ(merged[0].waiting, 5);
  EXPECT_EQ(merged[0].oldest_wait_ms, 100U);
  EXPECT_EQ(merged[0].size, 10);
  EXPECT_EQ(merged[1].active, 9);
}

TEST(view, is_taken_from_the_sources) {
  auto servers = std::make_shared<topology>();
  const config::server_url url{"", "db1:5432", "", "", ""};
  servers->primary = std::make_shared<server>(url, server_role::primary, 1);
  servers->replicas = {std::make_shared<server>(url, server_role::replica, 2),
                       std::make_shared<server>(url, server_role::replica, 3)};
  servers->primary->set_health(server_health::up);
  servers->replicas[1]->set_last_error("timeout expired");
  const auto one = board();
  const auto two = board();
  one->pins = {{"temporary table", 2}};
  two->pins = {{"temporary table", 1}, {"LISTEN", 1}};
  one->pools = {pool("a", 1, 0, 0)};
  admin_sources sources;
  sources.topology = [&] { return servers; };
  sources.boards = [&] { return std::vector{one, two}; };
  sources.draining = [] { return true; };
  const auto v = take_view(sources);
  ASSERT_EQ(v.servers.size(), 3U);
  EXPECT_EQ(v.servers[0].health, server_health::up);
  EXPECT_EQ(v.servers[1].name, "db1:5432");
  EXPECT_EQ(v.servers[2].name, "db1:5432#2");
  EXPECT_EQ(v.servers[2].last_error, "timeout expired");
  EXPECT_EQ(v.pins.at("temporary table"), 3);
  EXPECT_EQ(v.pools.size(), 1U);
  EXPECT_TRUE(v.is_draining);
}

TEST(view, knows_lag_and_who_gets_no_traffic) {
  auto servers = std::make_shared<topology>();
  const config::server_url url{"", "db1:5432", "", "", ""};
  servers->primary = std::make_shared<server>(url, server_role::primary, 1);
  servers->primary->written_lsn = 0x300;
  const auto make = [&](int id, std::uint64_t replayed) {
    auto s = std::make_shared<server>(url, server_role::replica, id);
    s->publish_replayed(s->replay_epoch(), replayed, 1);
    return s;
  };
  servers->replicas = {make(2, 0x200), make(3, 0x310), make(4, 0)};
  servers->excluded = {make(5, 0)};
  servers->excluded[0]->set_excluded(true);
  const auto v = view_servers(*servers);
  ASSERT_EQ(v.size(), 5U);
  EXPECT_EQ(v[0].lag_bytes, std::nullopt);
  EXPECT_EQ(v[1].lag_bytes, 0x100U);
  EXPECT_EQ(v[2].lag_bytes, 0U) << "asked later than the primary";
  EXPECT_EQ(v[3].lag_bytes, std::nullopt);
  EXPECT_FALSE(v[3].is_excluded);
  EXPECT_TRUE(v[4].is_excluded);
  EXPECT_EQ(v[4].name, "db1:5432#4");
}

TEST(view, bears_missing_sources) {
  const auto v = take_view({});
  EXPECT_TRUE(v.servers.empty());
  EXPECT_FALSE(v.is_draining);
}

TEST(metrics_page, sums_the_workers) {
  auto v = view_of({primary_up});
  v.boards = {board(), board()};
  v.boards[0]->metrics.clients.add(3);
  v.boards[1]->metrics.clients.add(4);
  v.boards[0]->metrics.replica_units[static_cast<std::size_t>(route_reason::read)].add(5);
  v.boards[1]->metrics.replica_units[static_cast<std::size_t>(route_reason::read)].add(6);
  v.boards[1]->metrics.client_bytes_out.add(99);
  const auto page = render_metrics(v);
  EXPECT_THAT(page, HasSubstr("\npgsteer_clients 7\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_units_total{target=\"replica\",reason=\"read\"} 11\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_units_total{target=\"primary\",reason=\"write\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_client_bytes_total{direction=\"out\"} 99\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_build_info{version=\"0.1.0\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_start_time_seconds 1769860800.5\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_workers 2\n"));
}

TEST(metrics_page, histograms_are_cumulative_and_in_seconds) {
  auto v = view_of({});
  v.boards = {board(), board()};
  v.boards[0]->metrics.wait_us.observe(1);
  v.boards[1]->metrics.wait_us.observe(1000);
  v.boards[1]->metrics.wait_us.observe(1'000'000'000);
  const auto page = render_metrics(v);
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"1e-06\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"2e-06\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"0.000512\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"0.001024\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"67.108864\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_sum 1000.001001\n"));
  EXPECT_THAT(page, HasSubstr("\npgsteer_wait_seconds_count 3\n"));
}

TEST(metrics_page, shows_pools_pins_and_servers) {
  auto v = view_of({primary_up, server_of(server_role::replica, server_health::failed, "db2:5432")});
  v.servers[1].connect_failures = 5;
  v.servers[1].losses = 1;
  v.pools = {pool("a\"b", 3, 1, 1500)};
  v.pins = {{"LISTEN", 2}};
  const auto page = render_metrics(v);
  const std::string labels = R"({server="db1:5432",role="primary",user="a\"b",database="app")";
  EXPECT_THAT(page, HasSubstr("pgsteer_pool_connections" + labels + ",state=\"active\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_pool_connections" + labels + ",state=\"idle\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_pool_size" + labels + "} 10\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_pool_oldest_wait_seconds" + labels + "} 1.5\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_pinned_sessions{reason=\"LISTEN\"} 2\n"));
  const std::string replica = R"({server="db2:5432",role="replica")";
  EXPECT_THAT(page, HasSubstr("pgsteer_server_up" + replica + "} 0\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_server_up{server=\"db1:5432\",role=\"primary\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_server_health" + replica + ",health=\"failed\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_server_reconnect_attempts_failed_total" + replica + "} 5\n"));
  EXPECT_THAT(page, HasSubstr("pgsteer_server_failovers_total" + replica + "} 1\n"));
}

// The rules a scraper insists on: each family declared once and before its samples, no sample twice.
TEST(metrics_page, is_well_formed) {
  auto v = view_of({primary_up, replica_up});
  v.boards = {board()};
  v.pools = {pool("a", 1, 1, 1), pool("b", 1, 1, 1)};
  std::istringstream page{render_metrics(v)};
  std::set<std::string> families;
  std::set<std::string> samples;
  std::string family;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
      EXPECT_TRUE(family.starts_with("pgsteer_"));
      const bool is_counter = line.ends_with(" counter");
      EXPECT_EQ(is_counter, family.ends_with("_total")) << line;
    } else if (!line.starts_with("#")) {
      EXPECT_TRUE(line.starts_with(family)) << line;
      EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line;
      std::size_t used = 0;
      const auto value = line.substr(line.rfind(' ') + 1);
      EXPECT_NO_THROW(std::stod(value, &used));
      EXPECT_EQ(used, value.size()) << line;
    }
  }
  EXPECT_GT(families.size(), 30U);
}

std::set<std::string> first_cells(const std::string& text, const std::string& opening) {
  std::set<std::string> names;
  for (auto at = text.find(opening); at != std::string::npos; at = text.find(opening, at + 1)) {
    const auto begin = at + opening.size();
    names.insert(text.substr(begin, text.find_first_of("` \n", begin) - begin));
  }
  return names;
}

TEST(metrics_page, is_documented_to_the_last_family) {
  std::ifstream file{std::string{PGSTEER_SOURCE_DIR} + "/docs/operations.md"};
  const std::string docs{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(first_cells(docs, "\n| `pgsteer_"),
            first_cells(render_metrics(view_of({})), "\n# TYPE pgsteer_"));
}

TEST(status, is_json_of_servers_and_pools) {
  auto v = view_of({primary_up, server_of(server_role::replica, server_health::retrying, "db2:\xff")});
  v.servers[1].last_error = "connection refused";
  v.pools = {pool("a", 3, 1, 7)};
  v.pins = {{"LISTEN", 2}};
  v.boards = {board()};
  v.boards[0]->metrics.clients.add(12);
  const auto o = boost::json::parse(render_status(v, v.started_at + std::chrono::seconds{61}));
  EXPECT_EQ(o.at("uptime_seconds").as_int64(), 61);
  EXPECT_EQ(o.at("servers").at(0).at("health").as_string(), "up");
  EXPECT_TRUE(o.at("servers").at(0).at("last_error").is_null());
  EXPECT_EQ(o.at("servers").at(1).at("name").as_string(), "db2:\xEF\xBF\xBD");
  EXPECT_EQ(o.at("servers").at(1).at("last_error").as_string(), "connection refused");
  EXPECT_EQ(o.at("pools").at(0).at("active").as_int64(), 3);
  EXPECT_EQ(o.at("clients").at("connected").as_int64(), 12);
  EXPECT_EQ(o.at("clients").at("pins").at("LISTEN").as_int64(), 2);
}

TEST(admin_routes, know_their_endpoints) {
  for (const auto* path : {"/", "/livez", "/metrics", "/status", "/livez?probe=1"}) {
    EXPECT_EQ(answer_admin_request("GET", path, {}).status, 200U) << path;
  }
  EXPECT_EQ(answer_admin_request("GET", "/health", {}).status, 503U);
  EXPECT_EQ(answer_admin_request("GET", "/readyz", {}).body, "no primary yet\n");
  EXPECT_EQ(answer_admin_request("GET", "/health", {}).content_type, "application/json");
  EXPECT_EQ(answer_admin_request("POST", "/health", {}).status, 405U);
  EXPECT_EQ(answer_admin_request("GET", "/nothing", {}).status, 404U);
  EXPECT_EQ(answer_admin_request("GET", "", {}).status, 404U);
  const auto page = answer_admin_request("GET", "/", {});
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(page.body, Not(HasSubstr("http"))) << "nothing is loaded from elsewhere";
}

}  // namespace
}  // namespace pgsteer::proxy
