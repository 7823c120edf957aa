#include "proxy/admin/console.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/frame.hpp"
#include "protocol/message_writer.hpp"
#include "proxy/admin/render_clients.hpp"
#include "proxy/admin/routes.hpp"

namespace pgsteer::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace write = protocol::write;

// Clients see no setting's secret, whatever the sources hold.
console_sources sources() {
  console_sources s;
  s.clients = [] {
    client_list list;
    for (std::uint64_t id = 1; id <= 3; ++id)
      list.clients.push_back({id, "app", "shop", "worker", "127.0.0.1:5000", "idle", "", "", {}, {}});
    list.total = 3;
    return list;
  };
  s.pools = [] { return std::vector<pool_gauge>{}; };
  s.backends = [] { return std::vector<backend_entry>{}; };
  s.stats = [] { return std::vector<console_row>{{"pgsteer_clients", "3", "Clients logged in."}}; };
  s.statements = [] {
    statement_table::entry read;
    read.sql = "SELECT a FROM t WHERE b = 'secret'";
    read.reason = "read";
    read.is_query = true;
    read.replica_times = 7;
    read.times[static_cast<std::size_t>(held_by::pin)] = 2;
    read.us[static_cast<std::size_t>(held_by::pin)] = 3000;
    return std::vector{read};
  };
  static const config::settings values = [] {
    config::settings v;
    v.primary.conninfo = "host=db user=app password=geheim dbname=shop";
    v.primary.password = "geheim";
    return v;
  }();
  s.settings = []() -> const config::settings& { return values; };
  s.version = "1.2.3";
  return s;
}

std::string frame(char type, const std::string& body) {
  std::string out(1, type);
  const auto length = static_cast<std::uint32_t>(body.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(length >> shift & 0xFFU));
  return out + body;
}

std::string zero(std::string_view text) {
  return std::string(text) + '\0';
}

std::string bind(std::string_view portal, std::string_view statement) {
  return frame('B', zero(portal) + zero(statement) + std::string(6, '\0'));
}

std::string execute(std::string_view portal, char limit) {
  return frame('E', zero(portal) + std::string(3, '\0') + limit);
}

class console_test : public testing::Test {
 protected:
  std::string answer(const std::string& unit) {
    std::string out;
    console_.answer(unit, out);
    return out;
  }
  std::string types(const std::string& unit) {
    const auto out = answer(unit);
    std::string all;
    for (std::string_view rest = out; !rest.empty();) {
      const auto f = protocol::peek_frame(rest);
      all.push_back(f.type);
      rest.remove_prefix(f.size);
    }
    return all;
  }
  std::string ask(std::string_view sql) {
    std::string unit;
    write::query(unit, sql);
    return answer(unit);
  }
  std::string types_of(std::string_view sql) {
    std::string unit;
    write::query(unit, sql);
    return types(unit);
  }

  console_sources sources_ = sources();
  console console_{sources_, "app"};
};

TEST_F(console_test, answers_every_command_of_its_table) {
  for (const auto& c : console_commands()) {
    const auto seen = types_of(c.name);
    EXPECT_EQ(seen.front(), 'T') << c.name;
    EXPECT_TRUE(seen.ends_with("CZ")) << c.name << ' ' << seen;
    EXPECT_THAT(ask("SHOW HELP"), HasSubstr(std::string(c.name)));
    EXPECT_EQ(find_console_command(c.name), &c);
  }
}

TEST_F(console_test, takes_any_case_blanks_and_semicolons) {
  for (const auto* sql : {"show clients", " Show\n\tCLIENTS ; ", "SHOW  CLIENTS;;"})
    EXPECT_EQ(types_of(sql), "TDDDCZ") << sql;
}

TEST_F(console_test, gives_every_row_a_value_for_each_column) {
  for (const auto& c : console_commands()) {
    const auto columns = static_cast<std::size_t>(std::count(c.columns.begin(), c.columns.end(), ',')) + 1;
    for (const auto& row : c.rows(sources_))
      EXPECT_EQ(row.size(), columns) << c.name;
  }
}

TEST_F(console_test, shows_no_secret) {
  EXPECT_THAT(ask("SHOW CONFIG"), HasSubstr("pool_size"));
  EXPECT_THAT(ask("SHOW CONFIG"), Not(HasSubstr("geheim")));
}

TEST_F(console_test, refuses_what_it_does_not_know_with_state_and_hint) {
  const auto out = ask("SELECT 'literal'");
  EXPECT_THAT(out, HasSubstr(std::string("C42601\0", 7)));
  EXPECT_THAT(out, HasSubstr("SHOW CLIENTS"));
  EXPECT_THAT(out, Not(HasSubstr("literal")));
  EXPECT_EQ(types_of("SELECT 1"), "EZ");
  EXPECT_EQ(types_of("SHOW VERSION; SELECT 1; SHOW VERSION"), "TDCEZ");
  EXPECT_EQ(types_of(std::string(100000, 'x')), "EZ");
}

TEST_F(console_test, accepts_what_drivers_say_by_the_way) {
  EXPECT_EQ(types_of(""), "IZ");
  EXPECT_EQ(types_of(" ; "), "IZ");
  EXPECT_EQ(types_of("SET x = 'a;b'; SHOW VERSION"), "CTDCZ");
  EXPECT_TRUE(ask("BEGIN").ends_with(std::string("Z\0\0\0\5T", 6)));
  EXPECT_TRUE(ask("SHOW VERSION").ends_with(std::string("Z\0\0\0\5T", 6)));
  EXPECT_TRUE(ask("COMMIT").ends_with(std::string("Z\0\0\0\5I", 6)));
}

TEST_F(console_test, speaks_the_extended_protocol) {
  const auto parse = frame('P', zero("s") + zero("SHOW CLIENTS") + std::string(2, '\0'));
  const auto sync = frame('S', "");
  EXPECT_EQ(types(parse + frame('D', zero("Ss")) + sync), "1tTZ");
  EXPECT_EQ(types(bind("", "s") + frame('D', zero("P")) + execute("", 0) + sync), "2TDDDCZ");
  EXPECT_EQ(types(bind("", "s") + execute("", 2) + execute("", 2) + sync), "2DDsDCZ");
  EXPECT_EQ(types(frame('C', zero("Ss")) + bind("", "s") + execute("", 0) + sync), "3EZ");
  EXPECT_EQ(types(frame('P', zero("") + zero("SELECT 1") + std::string(2, '\0')) + bind("", "") + sync),
            "EZ");
  EXPECT_EQ(types(parse + frame('H', "")), "1");
}

TEST_F(console_test, survives_broken_messages) {
  const auto sync = frame('S', "");
  for (const char type : {'P', 'B', 'D', 'E', 'C'})
    EXPECT_EQ(types(frame(type, "") + sync), "EZ") << type;
  EXPECT_EQ(types(frame('F', "")), "EZ");
  EXPECT_EQ(types_of(std::string("\0x", 2)), "IZ");
}

TEST_F(console_test, keeps_a_bounded_number_of_statements) {
  std::string unit;
  for (int i = 0; i < 101; ++i)
    unit += frame('P', zero(std::to_string(i)) + zero("SHOW HELP") + std::string(2, '\0'));
  EXPECT_EQ(types(unit + frame('S', "")), std::string(100, '1') + "EZ");
}

TEST(clients_endpoint, lists_as_many_as_asked_for) {
  admin_sources s;
  std::size_t asked = 0;
  s.clients = [&](std::size_t limit) -> std::optional<client_list> {
    asked = limit;
    client_list list;
    list.total = 7;
    list.clients.push_back(
        {5, "app", "shop", "web\xff", "unix", "waiting", "LISTEN", "db:5432", std::uint64_t{12}, {}});
    return list;
  };
  const auto answer = answer_admin_request("GET", "/clients", s);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(asked, 1000U);
  EXPECT_EQ(answer.body,
            R"({"total":7,"listed":1,"clients":[{"id":5,"user":"app","database":"shop","application_name":)"
            "\"web\xef\xbf\xbd\""
            R"(,"address":"unix","state":"waiting","pin":"LISTEN","wait_ms":12,"target":"db:5432",)"
            R"("transaction_ms":null}]})");
  EXPECT_EQ(answer_admin_request("GET", "/clients?limit=20", s).status, 200U);
  EXPECT_EQ(asked, 20U);
  (void)answer_admin_request("GET", "/clients?limit=99999999", s);
  EXPECT_EQ(asked, most_listed_clients);
  for (const auto* query : {"?limit=0", "?limit=x", "?limit=", "?limit=5x", "?other=1"})
    EXPECT_EQ(answer_admin_request("GET", std::string("/clients") + query, s).status, 400U) << query;
}

TEST(clients_endpoint, says_so_when_the_worker_does_not_answer) {
  admin_sources s;
  s.clients = [](std::size_t) { return std::nullopt; };
  EXPECT_EQ(answer_admin_request("GET", "/clients", s).status, 503U);
}

}  // namespace
}  // namespace pgsteer::proxy
