#include "proxy/log.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/log_line.hpp"
#include "proxy/utf8.hpp"

namespace pgsteer::proxy {
namespace {

using config::log_format;
using config::log_level;
using std::chrono::milliseconds;
using std::chrono::system_clock;

const system_clock::time_point at{milliseconds{1769860800123}};  // 2026-01-31T12:00:00.123Z

std::string line(log_format format, std::string_view message, std::vector<log_field> fields = {}) {
  return format_log_line(format, at, log_level::info, message, fields);
}

TEST(log_line, text_is_time_level_message_and_fields) {
  EXPECT_EQ(line(log_format::text, "Database connection established", {{"server", "db1:5432"}}),
            "2026-01-31T12:00:00.123Z INFO Database connection established server=db1:5432\n");
}

TEST(log_line, text_quotes_what_would_be_misread) {
  EXPECT_EQ(line(log_format::text, "m", {{"a", "two words"}, {"b", ""}, {"c", "x=\"y\""}, {"d", "1\n2"}}),
            "2026-01-31T12:00:00.123Z INFO m a=\"two words\" b=\"\" c=\"x=\\\"y\\\"\" d=\"1\\n2\"\n");
}

TEST(log_line, a_newline_in_a_message_cannot_forge_a_line) {
  const auto text = line(log_format::text, "a\nERROR forged");
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(log_line, json_parses_and_carries_everything) {
  const auto value = boost::json::parse(line(log_format::json, "a \"b\"\\", {{"k", "v\x01\xff"}}));
  EXPECT_EQ(value.at("time").as_string(), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(value.at("level").as_string(), "INFO");
  EXPECT_EQ(value.at("message").as_string(), "a \"b\"\\");
  EXPECT_EQ(value.at("k").as_string(), "v\x01\xEF\xBF\xBD");
}

TEST(log_line, is_never_longer_than_a_pipe_takes_whole) {
  for (const auto format : {log_format::text, log_format::json}) {
    for (std::size_t n = 3900; n < 4200; ++n) {
      const auto by_value = line(format, "m", {{"k", std::string(n, 'x')}, {"l", "y y"}});
      const auto by_message = line(format, std::string(n, '\n'), {{"k", "v"}});
      const auto wide =
          line(format, "m", {{"k", std::string(n - 3900, 'x') + "€€" + std::string(n, '\xE2')}});
      for (const auto& each : {by_value, by_message, wide}) {
        EXPECT_LE(each.size(), max_log_line);
        EXPECT_EQ(each.back(), '\n');
        if (format == log_format::json) {
          EXPECT_NO_THROW(boost::json::parse(each)) << each;
        }
      }
    }
  }
}

TEST(log_line, a_cut_value_is_marked) {
  EXPECT_TRUE(line(log_format::text, std::string(9000, 'x')).ends_with("xxx...\n"));
}

TEST(utf8, tells_sequences_from_stray_bytes) {
  EXPECT_EQ(to_utf8("a\xC3\xA9€\xF0\x9F\x98\x80"), "a\xC3\xA9€\xF0\x9F\x98\x80");
  EXPECT_EQ(to_utf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");         // overlong
  EXPECT_EQ(utf8_sequence_length("\xED\xA0\x80"), 0U);                // surrogate
  EXPECT_EQ(utf8_sequence_length("\xF4\x90\x80\x80"), 0U);            // above U+10FFFF
  EXPECT_EQ(utf8_sequence_length(std::string_view{"\xE2\x82"}), 0U);  // cut short
  EXPECT_EQ(to_utf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

// Puts another descriptor in place of standard error while it lives.
class redirected_stderr {
 public:
  explicit redirected_stderr(int fd) : saved_(::dup(STDERR_FILENO)) {
    ::dup2(fd, STDERR_FILENO);
    configure_log(log_level::info, log_format::text);
  }
  ~redirected_stderr() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    configure_log(log_level::info, log_format::text);
  }
  redirected_stderr(const redirected_stderr&) = delete;
  redirected_stderr& operator=(const redirected_stderr&) = delete;

 private:
  int saved_;
};

std::string drain(int fd) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const auto n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    const auto m = n < 0 && errno == ENOTSOCK ? ::read(fd, buffer, sizeof buffer) : n;
    if (m <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(m));
  }
}

void expect_drops_when_blocked(int read_end, int write_end) {
  const auto before = dropped_log_lines();
  {
    const redirected_stderr redirected{write_end};
    for (int i = 0; i < 20000 && dropped_log_lines() < before + 10; ++i)
      log_warn(std::string(200, 'x'));
  }
  EXPECT_GE(dropped_log_lines(), before + 10);
  EXPECT_EQ(::fcntl(write_end, F_GETFL) & O_NONBLOCK, 0) << "the description belongs to others too";
  const auto all = drain(read_end);
  EXPECT_TRUE(all.ends_with("x\n"));  // whole lines only
}

TEST(log, a_blocked_pipe_drops_and_counts_lines) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  expect_drops_when_blocked(fds[0], fds[1]);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(log, a_blocked_socket_drops_and_counts_lines) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  expect_drops_when_blocked(fds[0], fds[1]);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(log, lines_of_many_threads_stay_whole) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  {
    const redirected_stderr redirected{fds[1]};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 100; ++i)
          log_info("hello", {{"k", "v"}});
      });
    }
  }
  auto all = drain(fds[0]);
  int lines = 0;
  for (std::size_t start = 0; start < all.size(); ++lines) {
    const auto end = all.find('\n', start);
    ASSERT_NE(end, std::string::npos);
    EXPECT_TRUE(all.substr(start, end - start).ends_with("Z INFO hello k=v"));
    start = end + 1;
  }
  EXPECT_EQ(lines, 400);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(log, level_is_honoured) {
  configure_log(log_level::warn, log_format::text);
  EXPECT_FALSE(is_logged(log_level::info));
  EXPECT_TRUE(is_logged(log_level::warn));
  EXPECT_TRUE(is_logged(log_level::error));
  configure_log(log_level::info, log_format::text);
}

TEST(recent_events, are_the_last_twenty_that_speak_of_a_server) {
  configure_log(config::log_level::error, config::log_format::text);
  log_info("Reload", {{"problems", "none"}});
  log_warn("Backend connection failed", {{"server", "db1"}, {"database", "shop"}});
  for (int n = 0; n < 25; ++n)
    log_info("Something", {{"server", "db1"}, {"n", std::to_string(n)}});
  const auto events = recent_server_events();
  ASSERT_EQ(events.size(), 20U);
  EXPECT_EQ(events[0].text, "Something server=db1 n=24");
  EXPECT_EQ(events[19].text, "Something server=db1 n=5");
  EXPECT_EQ(events[0].level, config::log_level::info);
}

}  // namespace
}  // namespace pgsteer::proxy
