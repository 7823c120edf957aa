#include "proxy/control/conninfo.hpp"

#include <string>

#include <gtest/gtest.h>

#include "config/urls.hpp"

namespace pgsteer::proxy {
namespace {

std::string conninfo_of_primary(const char* url, const std::vector<std::string>& addresses) {
  const auto chosen = of_a_primary(*config::parse_server(url, nullptr, {}), addresses);
  return chosen ? chosen->conninfo : "";
}

TEST(of_a_primary, asks_for_one_where_there_is_a_choice) {
  EXPECT_EQ(conninfo_of_primary("postgres://app@db/shop", {"10.0.0.1"}), "");
  EXPECT_EQ(conninfo_of_primary("postgres://app@10.0.0.1/shop", {"10.0.0.1", "10.0.0.2"}), "");
  const auto of_name = conninfo_of_primary("postgres://app@db/shop", {"10.0.0.1", "10.0.0.2"});
  for (const char* part : {"host='db,db'", "hostaddr='10.0.0.1,10.0.0.2'", "target_session_attrs='primary'"})
    EXPECT_NE(of_name.find(part), std::string::npos) << of_name;
  EXPECT_NE(conninfo_of_primary("postgres://app@a,b/shop", {}).find("target_session_attrs='primary'"),
            std::string::npos);
  EXPECT_NE(conninfo_of_primary("postgres://app@a,b/shop?target_session_attrs=read-write", {})
                .find("target_session_attrs='read-write'"),
            std::string::npos)
      << "the operator's word counts";
}

TEST(short_cause, keeps_the_cause_alone) {
  EXPECT_EQ(short_cause("connection to server at \"127.0.0.1\", port 5999 failed: Connection refused\n"
                        "\tIs the server running on that host and accepting TCP/IP connections?\n"),
            "connection refused");
  EXPECT_EQ(short_cause("connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  password "
                        "authentication failed for user \"App\"\n"),
            "password authentication failed for user \"App\"");
  EXPECT_EQ(
      short_cause("connection to server on socket \"/run/.s.PGSQL.5432\" failed: No such file or directory\n"
                  "\tIs the server running locally and accepting connections on that socket?\n"),
      "no such file or directory");
  EXPECT_EQ(short_cause("could not translate host name \"nowhere\" to address: Name or service not known\n"),
            "could not translate host name \"nowhere\" to address: Name or service not known");
  EXPECT_EQ(
      short_cause("connection to server at \"db\", port 5432 failed: SSL error: certificate verify failed\n"),
      "SSL error: certificate verify failed");
  EXPECT_EQ(short_cause("FATAL:  the database system is starting up\nDETAIL:  x\nHINT:  y\n"),
            "the database system is starting up");
  EXPECT_EQ(short_cause("FATAL:  terminating connection due to administrator command\n"
                        "server closed the connection unexpectedly\n"
                        "\tThis probably means the server terminated abnormally\n"
                        "\tbefore or while processing the request.\n"),
            "terminating connection due to administrator command");
  EXPECT_EQ(short_cause("server closed the connection unexpectedly\n\tThis probably means\n"),
            "server closed the connection unexpectedly");
}

TEST(short_cause, takes_the_last_of_several_hosts) {
  EXPECT_EQ(short_cause("connection to server at \"a\", port 1 failed: Connection refused\n"
                        "\tIs the server running?\n"
                        "connection to server at \"b\", port 2 failed: timeout expired\n"),
            "timeout expired");
}

TEST(short_cause, never_repeats_a_connection_string) {
  EXPECT_EQ(short_cause("missing \"=\" after \"hunter2\" in connection info string\n"),
            "invalid connection string");
  EXPECT_EQ(short_cause("invalid URI query parameter: \"hunter2\"\n"), "invalid connection string");
  const config::server_url url{"host=h password=a hunter2", "h:5432", "", "", ""};
  const auto connection = start_connection(url, {});
  ASSERT_EQ(PQstatus(connection.get()), CONNECTION_BAD);
  EXPECT_EQ(short_cause(PQerrorMessage(connection.get())).find("hunter2"), std::string::npos);
}

TEST(short_cause, bears_nothing) {
  EXPECT_EQ(short_cause(""), "unknown error");
  EXPECT_EQ(short_cause("\n\t\n"), "unknown error");
  EXPECT_EQ(short_cause("connection to server at \"x\" failed: "), "unknown error");
}

TEST(host_count, counts_names) {
  EXPECT_EQ(host_count({"", "a:1", "", "", ""}), 1);
  EXPECT_EQ(host_count({"", "a:1,b:2,c:3", "", "", ""}), 3);
}

std::string value_of(const PGconn* connection, const std::string& keyword) {
  std::string value;
  auto* const all = PQconninfo(const_cast<PGconn*>(connection));
  for (auto* o = all; o != nullptr && o->keyword != nullptr; ++o) {
    if (o->val != nullptr && keyword == o->keyword) value = o->val;
  }
  PQconninfoFree(all);
  return value;
}

TEST(start_connection, the_operators_word_counts_more_than_defaults) {
  const config::server_url url{
      "host=127.0.0.1 port=1 keepalives_idle=7 gssencmode=prefer application_name=mine", "", "", "", ""};
  const auto connection = start_connection(url, {std::chrono::milliseconds{1500}});
  EXPECT_EQ(value_of(connection.get(), "keepalives_idle"), "7");
  EXPECT_EQ(value_of(connection.get(), "keepalives_interval"), "10");
  EXPECT_EQ(value_of(connection.get(), "tcp_user_timeout"), "1500");
  EXPECT_EQ(value_of(connection.get(), "gssencmode"), "disable");
  EXPECT_EQ(value_of(connection.get(), "application_name"), "mine");
  EXPECT_EQ(value_of(connection.get(), "fallback_application_name"), "pgsteer");
}

}  // namespace
}  // namespace pgsteer::proxy
