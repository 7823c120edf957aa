#include "proxy/control/control_connection.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "scripted_server.hpp"

namespace pgsteer::proxy {
namespace {

TEST(control_connection, says_why_it_was_refused) {
  const loopback closed;
  const wakeup stop;
  auto c = control_connection::open(url_of(closed), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "connection refused");
}

TEST(control_connection, does_not_hang_on_a_server_that_does) {
  const loopback hanging;
  hanging.listen();
  const wakeup stop;
  const auto begin = steady_clock::now();
  auto c = control_connection::open(url_of(hanging), {}, begin + milliseconds{100}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "timeout expired");
  EXPECT_GE(steady_clock::now() - begin, milliseconds{100});
}

TEST(control_connection, stops_when_told) {
  const loopback hanging;
  hanging.listen();
  const wakeup stop;
  stop.set();
  auto c = control_connection::open(url_of(hanging), {}, steady_clock::now() + seconds{600}, stop.fd());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().cause, "stopped");
}

TEST(control_connection, asks_and_times_out) {
  scripted_server peer;
  const wakeup stop;
  auto c = control_connection::open(peer.url(), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(c) << c.error().cause;
  const auto answer = c->ask("SELECT 1", steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(answer) << answer.error().cause;
  EXPECT_EQ(*answer, "t");
  peer.is_silent = true;
  const auto none = c->ask("SELECT 1", steady_clock::now() + milliseconds{50}, stop.fd());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().cause, "timeout expired");
}

TEST(control_connection, goes_on_after_a_refused_query) {
  scripted_server peer;
  peer.is_restricted = true;
  const wakeup stop;
  auto c = control_connection::open(peer.url(), {}, steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_TRUE(c) << c.error().cause;
  const auto refused = c->ask("SELECT pg_control_system()", steady_clock::now() + seconds{20}, stop.fd());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate, "42501");
  EXPECT_TRUE(c->ask("SELECT 1", steady_clock::now() + seconds{20}, stop.fd()));
}

}  // namespace
}  // namespace pgsteer::proxy
