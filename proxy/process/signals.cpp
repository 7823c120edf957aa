#include "proxy/process/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace pgsteer::proxy {
namespace {

sigset_t handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGHUP, SIGTERM, SIGINT})
    sigaddset(&set, s);
  return set;
}

}  // namespace

void block_signals() {
  const auto set = handled();
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    throw std::system_error{error, std::generic_category(), "pthread_sigmask"};
  }
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an EPIPE to whoever wrote
}

signal_listener::signal_listener(std::function<void(int)> on_signal) : on_signal_(std::move(on_signal)) {
  const auto set = handled();
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "signalfd"};
  thread_ = std::jthread{[this] { run(); }};
}

signal_listener::~signal_listener() {
  stopping_.set();
  if (thread_.joinable()) thread_.join();
  ::close(fd_);
}

void signal_listener::run() const {
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{fd_, POLLIN, 0}, pollfd{stopping_.fd(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) == sizeof info) on_signal_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace pgsteer::proxy
