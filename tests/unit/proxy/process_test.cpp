#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/process/limits.hpp"
#include "proxy/process/notify.hpp"
#include "proxy/process/signals.hpp"

namespace pgsteer::proxy {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// The service manager's end.
class manager_socket {
 public:
  explicit manager_socket(std::string path) : path_(std::move(path)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path_.begin(), path_.end(), std::begin(address.sun_path));
    const bool is_abstract = path_[0] == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    const auto size = offsetof(sockaddr_un, sun_path) + path_.size() + (is_abstract ? 0 : 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)), 0);
  }
  ~manager_socket() {
    ::close(fd_);
    if (path_[0] == '/') ::unlink(path_.c_str());
  }
  manager_socket(const manager_socket&) = delete;
  manager_socket& operator=(const manager_socket&) = delete;

  std::string receive() const {
    std::array<char, 512> buffer{};
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return n < 0 ? "nothing" : std::string{buffer.data(), static_cast<std::size_t>(n)};
  }

 private:
  std::string path_;
  int fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

std::string unique_name() {
  return "pgsteer-test-" + std::to_string(::getpid());
}

void expect_conversation(const std::string& path) {
  const manager_socket manager{path};
  const notify_socket notify{path};
  EXPECT_TRUE(notify.ready());
  EXPECT_EQ(manager.receive(), "READY=1");
  EXPECT_TRUE(notify.reloading());
  EXPECT_THAT(manager.receive(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(notify.status("draining\nREADY=1"));
  EXPECT_EQ(manager.receive(), "STATUS=draining READY=1");
  EXPECT_TRUE(notify.stopping());
  EXPECT_EQ(manager.receive(), "STOPPING=1");
  EXPECT_EQ(manager.receive(), "nothing");
}

TEST(notify, speaks_to_a_path) {
  expect_conversation((std::filesystem::temp_directory_path() / unique_name()).string());
}

TEST(notify, speaks_to_an_abstract_socket) {
  expect_conversation("@" + unique_name());
}

TEST(notify, bears_that_nobody_listens) {
  EXPECT_FALSE(notify_socket{""}.ready());
  EXPECT_FALSE(notify_socket{"/"}.ready());
  EXPECT_FALSE(notify_socket{"relative"}.ready());
  EXPECT_FALSE(notify_socket{"/nowhere/at/all"}.ready());
  EXPECT_FALSE(notify_socket{"/" + std::string(200, 'x')}.ready());
}

TEST(notify, takes_its_socket_from_the_environment_once) {
  const auto path = "@" + unique_name();
  const manager_socket manager{path};
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  EXPECT_TRUE(notify_socket::from_environment().ready());
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_FALSE(notify_socket::from_environment().ready());
}

// Blocks the signals for one test and leaves the runner as it was.
class blocked_signals {
 public:
  blocked_signals() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    block_signals();
  }
  ~blocked_signals() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
  }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

 private:
  sigset_t before_{};
};

TEST(signals, are_handed_over_and_kill_nobody) {
  const blocked_signals blocked;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> seen;
  const signal_listener listener{[&](int s) {
    const std::lock_guard lock{mutex};
    seen.push_back(s);
    changed.notify_all();
  }};
  for (const int s : {SIGHUP, SIGTERM, SIGINT, SIGHUP}) {
    std::unique_lock lock{mutex};
    const auto before = seen.size();
    ASSERT_EQ(::kill(::getpid(), s), 0);
    ASSERT_TRUE(changed.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds{20},
                                   [&] { return seen.size() > before; }));
  }
  EXPECT_THAT(seen, ElementsAre(SIGHUP, SIGTERM, SIGINT, SIGHUP));
  EXPECT_EQ(::raise(SIGPIPE), 0);
}

TEST(limits, the_soft_limit_becomes_the_hard_one) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(limits, each_client_and_each_backend_needs_a_descriptor) {
  EXPECT_GT(descriptors_needed(10000, 20), 10020U);
  EXPECT_EQ(descriptors_needed(10001, 20), descriptors_needed(10000, 20) + 1);
}

TEST(limits, the_reserve_helps_when_there_are_no_more) {
  reserve_descriptor reserve;
  ASSERT_TRUE(reserve.is_held());
  const int next = ::dup(STDERR_FILENO);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  // No number from `next` on may be had.
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const int refused = ::dup(STDERR_FILENO);
  EXPECT_TRUE(reserve.release());
  const int lent = ::dup(STDERR_FILENO);
  EXPECT_FALSE(reserve.take());
  EXPECT_FALSE(reserve.release());
  if (lent >= 0) ::close(lent);
  EXPECT_TRUE(reserve.take());
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(refused, -1);
  EXPECT_GE(lent, 0);
}

}  // namespace
}  // namespace pgsteer::proxy
