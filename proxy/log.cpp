#include "proxy/log.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <mutex>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/log_line.hpp"

namespace pgsteer::proxy {
namespace {

// How standard error can be written to without waiting. Its open file description may be shared with
// other processes, so O_NONBLOCK must not be set on it.
enum class way : std::uint8_t {
  polled,    // terminals, files: asked for room before each write
  socket,    // systemd's journal: MSG_DONTWAIT
  own_pipe,  // a pipe opened once more, as a description of our own that does not block
};

// A process has one standard error; this is the one piece of state that belongs to it.
struct sink {
  std::atomic<config::log_level> level{config::log_level::info};
  std::atomic<config::log_format> format{config::log_format::text};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<way> how{way::polled};
  std::atomic<int> pipe_fd{-1};
  std::mutex events_mutex;
  std::deque<log_event> events;  // guarded by events_mutex
  std::mutex polled_mutex;       // two threads that both saw room for one line would block the second
};

sink& standard_error() {
  static sink the_sink;
  return the_sink;
}

// The descriptor number is kept for the life of the process and dup3 puts each later pipe in its
// place, so that a thread that is just writing never meets a closed descriptor.
bool open_own_pipe(sink& s) {
  const int fd = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  const int kept = s.pipe_fd.load();
  if (kept < 0) {
    s.pipe_fd.store(fd);
    return true;
  }
  const bool replaced = ::dup3(fd, kept, O_CLOEXEC) >= 0;
  ::close(fd);
  return replaced;
}

way choose_way(sink& s) {
  struct stat st {};
  if (::fstat(STDERR_FILENO, &st) != 0) return way::polled;
  if (S_ISSOCK(st.st_mode)) return way::socket;
  if (S_ISFIFO(st.st_mode) && open_own_pipe(s)) return way::own_pipe;
  return way::polled;
}

ssize_t write_polled(sink& s, std::string_view line) {
  const std::lock_guard lock{s.polled_mutex};
  pollfd p{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0) return -1;
  return ::write(STDERR_FILENO, line.data(), line.size());
}

ssize_t write_once(sink& s, std::string_view line) {
  switch (s.how.load(std::memory_order_acquire)) {
    case way::socket:
      return ::send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    case way::own_pipe:
      return ::write(s.pipe_fd.load(std::memory_order_acquire), line.data(), line.size());
    case way::polled:
      break;
  }
  return write_polled(s, line);
}

bool write_line(sink& s, std::string_view line) {
  while (!line.empty()) {
    const auto n = write_once(s, line);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

constexpr std::size_t most_events = 20;

// Lines of single backend connections would crowd out what they are about.
bool is_server_event(config::log_level level, std::span<const log_field> fields) {
  const auto has = [&](std::string_view name) {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
  };
  return level != config::log_level::debug && (has("server") || has("timeline")) && !has("database") &&
         !has("message_type");
}

void keep_event(sink& s, config::log_level level, std::string_view message,
                std::span<const log_field> fields) {
  log_event e{std::chrono::system_clock::now(), level, std::string(message)};
  for (const auto& [name, value] : fields)
    e.text.append(" ").append(name).append("=").append(value);
  const std::lock_guard lock{s.events_mutex};
  s.events.push_front(std::move(e));
  if (s.events.size() > most_events) s.events.pop_back();
}

}  // namespace

std::vector<log_event> recent_server_events() {
  auto& s = standard_error();
  const std::lock_guard lock{s.events_mutex};
  return {s.events.begin(), s.events.end()};
}

void configure_log(config::log_level level, config::log_format format) {
  auto& s = standard_error();
  s.level.store(level, std::memory_order_relaxed);
  s.format.store(format, std::memory_order_relaxed);
  s.how.store(choose_way(s), std::memory_order_release);
}

bool is_logged(config::log_level level) {
  return level >= standard_error().level.load(std::memory_order_relaxed);
}

void log(config::log_level level, std::string_view message, std::initializer_list<log_field> fields) {
  auto& s = standard_error();
  const std::span all{fields.begin(), fields.size()};
  if (is_server_event(level, all)) keep_event(s, level, message, all);
  if (!is_logged(level)) return;
  const auto line = format_log_line(s.format.load(std::memory_order_relaxed),
                                    std::chrono::system_clock::now(), level, message, all);
  const int kept_errno = errno;
  if (!write_line(s, line)) s.dropped.fetch_add(1, std::memory_order_relaxed);
  errno = kept_errno;
}

std::uint64_t dropped_log_lines() {
  return standard_error().dropped.load(std::memory_order_relaxed);
}

}  // namespace pgsteer::proxy
