#include <gmock/gmock.h>

#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::SizeIs;

TEST_F(loading_test, lets_clients_in_without_a_password_only_when_told) {
  environment["DATABASE_URL"] = "postgres://app@db/shop";
  EXPECT_NE(only_problem().suggestion.find("auth: trust"), std::string::npos);
  environment["PGSTEER_AUTH"] = "md5";
  EXPECT_EQ(only_problem().where, "DATABASE_URL");
  environment["PGSTEER_AUTH"] = "trust";
  EXPECT_EQ(values().auth, auth_method::trust);
}

TEST_F(loading_test, trusts_other_machines_only_when_told_twice) {
  environment["PGSTEER_AUTH"] = "trust";
  for (const char* address : {"*:6432", "0.0.0.0:1", "[::]:1", "127.0.0.1:1,10.0.0.1:1", "db.example:1"}) {
    environment["PGSTEER_LISTEN"] = address;
    EXPECT_EQ(only_problem().where, "PGSTEER_AUTH") << address;
  }
  environment["PGSTEER_AUTH_TRUST_ANYWHERE"] = "true";
  EXPECT_TRUE(values().auth_trust_anywhere);
  environment.erase("PGSTEER_AUTH_TRUST_ANYWHERE");
  arguments = {"--auth-trust-anywhere"};
  EXPECT_TRUE(values().auth_trust_anywhere);
  arguments = {"--auth-trust-anywhere=false"};
  EXPECT_EQ(only_problem().where, "PGSTEER_AUTH");
  arguments.clear();
  for (const char* address : {"127.0.0.1:1,[::1]:1,/tmp", "localhost:1"}) {
    environment["PGSTEER_LISTEN"] = address;
    EXPECT_EQ(values().auth, auth_method::trust) << address;
  }
}

TEST_F(loading_test, wants_certificate_and_key_together) {
  const auto cert = write("cert.pem", "x");
  const auto key = write("key.pem", "x");
  environment["PGSTEER_TLS_CERT_FILE"] = cert;
  EXPECT_EQ(only_problem().where, "PGSTEER_TLS_CERT_FILE");
  environment["PGSTEER_TLS_KEY_FILE"] = key;
  EXPECT_EQ(values().tls, client_tls::allow) << "a certificate means that TLS is wanted";
  environment["PGSTEER_TLS"] = "disable";
  EXPECT_EQ(values().tls, client_tls::disable);
  environment.erase("PGSTEER_TLS_CERT_FILE");
  EXPECT_EQ(only_problem().where, "PGSTEER_TLS_KEY_FILE");
  environment.erase("PGSTEER_TLS_KEY_FILE");
  environment["PGSTEER_TLS"] = "require";
  EXPECT_EQ(only_problem().where, "PGSTEER_TLS");
}

TEST_F(loading_test, wants_certificate_files_that_can_be_read) {
  environment["PGSTEER_TLS_CERT_FILE"] = "/nonexistent/cert.pem";
  environment["PGSTEER_TLS_KEY_FILE"] = directory_.string();
  const auto found = wrong();
  EXPECT_TRUE(has_problem(found, "PGSTEER_TLS_CERT_FILE", "/nonexistent/cert.pem"));
  EXPECT_TRUE(has_problem(found, "PGSTEER_TLS_KEY_FILE", "directory"));
  EXPECT_THAT(found, SizeIs(2));
}

TEST_F(loading_test, refuses_addresses_in_each_others_way) {
  environment["PGSTEER_LISTEN"] = "127.0.0.1:6432,*:6432";
  EXPECT_EQ(only_problem().where, "PGSTEER_LISTEN");
  environment["PGSTEER_LISTEN"] = "127.0.0.1:6433";
  EXPECT_EQ(only_problem().where, "PGSTEER_ADMIN_LISTEN") << "not given: named by its variable";
  environment["PGSTEER_ADMIN_LISTEN"] = "off";
  EXPECT_FALSE(values().admin_listen.has_value());
  environment["PGSTEER_LISTEN"] = "127.0.0.1:0,127.0.0.1:0";
  EXPECT_THAT(values().listen, SizeIs(2)) << "port 0 is another port each time";
}

TEST_F(loading_test, refuses_delays_that_shrink) {
  environment["PGSTEER_RECONNECT_DELAY"] = "1min";
  EXPECT_EQ(only_problem().where, "PGSTEER_RECONNECT_DELAY");
  environment["PGSTEER_RECONNECT_DELAY_MAX"] = "1h";
  EXPECT_EQ(values().reconnect_delay, std::chrono::minutes{1});
}

TEST_F(loading_test, refuses_to_keep_more_open_than_a_pool_holds) {
  environment["PGSTEER_MIN_POOL_SIZE"] = "11";
  EXPECT_EQ(only_problem().where, "PGSTEER_MIN_POOL_SIZE");
  environment["PGSTEER_POOL_SIZE"] = "11";
  EXPECT_EQ(values().min_pool_size, 11);
}

TEST_F(loading_test, takes_zero_for_never_only_where_it_means_that) {
  for (const char* name :
       {"CLIENT_IDLE_TIMEOUT", "SERVER_IDLE_TIMEOUT", "SERVER_LIFETIME", "SHUTDOWN_TIMEOUT"}) {
    environment[std::string("PGSTEER_") + name] = "0";
  }
  EXPECT_EQ(values().server_lifetime.count(), 0);
  environment["PGSTEER_ACQUIRE_TIMEOUT"] = "0";
  environment["PGSTEER_HEALTH_INTERVAL"] = "0";
  EXPECT_THAT(wrong(), SizeIs(2));
}

}  // namespace
}  // namespace pgsteer::config
