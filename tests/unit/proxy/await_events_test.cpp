// What is there when a thread gets to look counts, though its time is over.
#include "proxy/io/await_events.hpp"

#include <array>
#include <atomic>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/backend/libpq_start.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class AwaitEvents : public testing::Test {
 protected:
  AwaitEvents() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }
  ~AwaitEvents() override {
    for (const int end : ends_)
      ::close(end);
  }
  void say() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  [[nodiscard]] int fd() const { return ends_[0]; }
  [[nodiscard]] int peer() const { return ends_[1]; }

 private:
  std::array<int, 2> ends_{};
};

TEST_F(AwaitEvents, an_answer_that_is_there_counts_after_its_time) {
  const auto over = steady_clock::now() - milliseconds{1000};
  EXPECT_EQ(await_events(fd(), POLLIN, over, -1), awaited::late);
  say();
  EXPECT_EQ(await_events(fd(), POLLIN, over, -1), awaited::ready);
}

TEST_F(AwaitEvents, what_never_ends_is_given_up) {
  say();
  EXPECT_EQ(await_events(fd(), POLLIN, steady_clock::now() - 2 * await_grace, -1), awaited::late);
}

TEST_F(AwaitEvents, waits_for_its_time_and_no_longer) {
  const auto until = steady_clock::now() + milliseconds{20};
  EXPECT_EQ(await_events(fd(), POLLIN, until, -1), awaited::late);
  EXPECT_GE(steady_clock::now(), until);
}

TEST_F(AwaitEvents, an_end_comes_before_an_answer) {
  say();
  EXPECT_EQ(await_events(peer(), POLLOUT, steady_clock::now() + milliseconds{1000}, fd()), awaited::stopped);
}

TEST_F(AwaitEvents, a_login_goes_on_with_what_has_come) {
  const std::atomic<bool> stopping{false};
  const auto over = steady_clock::now() - milliseconds{1000};
  EXPECT_FALSE(wait_for_socket(fd(), PGRES_POLLING_READING, over, stopping));
  say();
  EXPECT_TRUE(wait_for_socket(fd(), PGRES_POLLING_READING, over, stopping));
}

}  // namespace
}  // namespace pgsteer::proxy
