#include "proxy/control/monitor.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include <poll.h>

#include "proxy/control/control_connection.hpp"
#include "proxy/control/health_judge.hpp"
#include "proxy/control/wakeup.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* probe_query = "SELECT pg_catalog.pg_is_in_recovery()";

steady_clock::time_point probe_deadline(const config::settings& s) {
  return steady_clock::now() + std::max(milliseconds{1000}, s.health_interval);
}

void write_line(const server& s, const health_judge::log_line& line) {
  if (line.cause.empty()) {
    log(line.level, line.message, {{"server", s.name()}});
  } else {
    log(line.level, line.message, {{"server", s.name()}, {"cause", line.cause}});
  }
}

}  // namespace

// Outlives the monitor where a worker pokes a server that is no longer watched.
struct monitor_shared {
  wakeup poked;
  wakeup stopping;
  std::atomic<bool> is_stopping{false};
  std::mutex mutex;
  std::optional<config::settings> adopted;  // guarded by mutex
};

namespace {

// The monitor's thread: performs what the judge plans and reports what came of it.
class watch {
 public:
  watch(server_ref watched, config::settings settings, monitor::health_listener on_change,
        std::shared_ptr<monitor_shared> shared)
      : server_(std::move(watched)),
        settings_(std::move(settings)),
        on_change_(std::move(on_change)),
        shared_(std::move(shared)),
        judge_(server_->role(), settings_) {}

  void run() {
    while (!shared_->is_stopping) {
      hear();
      const auto plan = judge_.next();
      if (plan.when > steady_clock::now()) {
        wait_until(plan.when);
        continue;
      }
      if (plan.what == health_judge::action::connect) {
        connect();
      } else {
        probe();
      }
    }
  }

 private:
  void hear() {
    shared_->poked.clear();
    adopt();
    health_judge::news n;
    n.failure_reported = server_->failure_reported.exchange(false, std::memory_order_acq_rel);
    n.wanted = server_->wanted.exchange(false, std::memory_order_acq_rel);
    n.socket_stirred = std::exchange(has_socket_stirred_, false);
    judge_.hear(n, steady_clock::now());
    if (!judge_.is_connected()) connection_.reset();
    // A report that came while the last success was being noted.
    if (n.failure_reported) server_->change_health(server_health::up, server_health::retrying);
    tell();
  }

  void adopt() {
    const std::lock_guard lock{shared_->mutex};
    if (!shared_->adopted) return;
    settings_ = *std::exchange(shared_->adopted, std::nullopt);
    judge_.adopt(settings_);
  }

  void wait_until(steady_clock::time_point when) {
    const int socket = connection_ ? connection_->fd() : -1;  // poll ignores -1
    std::array<pollfd, 3> fds{pollfd{shared_->poked.fd(), POLLIN, 0},
                              pollfd{shared_->stopping.fd(), POLLIN, 0}, pollfd{socket, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(when - steady_clock::now());
    const auto timeout = std::clamp(left, milliseconds{0}, milliseconds{60'000});
    if (::poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) > 0) {
      has_socket_stirred_ = fds[2].revents != 0;
    }
  }

  void connect() {
    const auto timeout = settings_.connect_timeout * host_count(server_->url());
    auto opened = control_connection::open(server_->url(), {settings_.connect_timeout},
                                           steady_clock::now() + timeout, shared_->stopping.fd());
    if (!opened) return connect_failed(opened.error());
    connection_.emplace(std::move(*opened));
    const auto answer = ask();
    if (!answer) return connect_failed(answer.error());
    server_->counters.connects.fetch_add(1, std::memory_order_relaxed);
    apply(judge_.connected(*answer == "t", steady_clock::now()), *answer == "t");
  }

  void connect_failed(const control_failure& failure) {
    connection_.reset();
    if (shared_->is_stopping) return;
    server_->counters.connect_failures.fetch_add(1, std::memory_order_relaxed);
    server_->set_last_error(failure.cause);
    apply(judge_.connect_failed(failure.cause, steady_clock::now(), spread()), std::nullopt);
  }

  void probe() {
    const auto answer = ask();
    if (answer) return apply(judge_.probed(*answer == "t", steady_clock::now()), *answer == "t");
    connection_.reset();
    if (shared_->is_stopping) return;
    server_->set_last_error(answer.error().cause);
    apply(judge_.probe_failed(answer.error().cause, steady_clock::now()), std::nullopt);
  }

  control_connection::result<std::string> ask() {
    return connection_->ask(probe_query, probe_deadline(settings_), shared_->stopping.fd());
  }

  void apply(const health_judge::verdict& v, std::optional<bool> in_recovery) {
    if (in_recovery) server_->in_recovery.store(*in_recovery, std::memory_order_relaxed);
    if (v.is_role_mismatch) server_->counters.role_mismatches.fetch_add(1, std::memory_order_relaxed);
    for (const auto& line : v.lines)
      write_line(*server_, line);
    // A worker that met a failure after the probe was sent knows better: it is probed again first.
    const bool is_contested =
        v.health == server_health::up && server_->failure_reported.load(std::memory_order_acquire);
    if (!is_contested) change_health(v.health);
    tell();
  }

  void change_health(server_health to) {
    const auto is_good = [](server_health h) {
      return h == server_health::up || h == server_health::unknown;
    };
    auto from = server_->health();
    while (from != to && !server_->change_health(from, to))
      from = server_->health();
    if (is_good(from) && !is_good(to)) server_->counters.losses.fetch_add(1, std::memory_order_relaxed);
  }

  void tell() {
    const auto now = server_->health();
    if (now == told_ || shared_->is_stopping) return;
    told_ = now;
    if (on_change_) on_change_(*server_);
  }

  double spread() { return std::uniform_real_distribution<double>{-1.0, 1.0}(dice_); }

  server_ref server_;
  config::settings settings_;
  monitor::health_listener on_change_;
  std::shared_ptr<monitor_shared> shared_;
  health_judge judge_;
  std::optional<control_connection> connection_;
  bool has_socket_stirred_ = false;
  server_health told_ = server_health::unknown;
  std::minstd_rand dice_{std::random_device{}()};
};

}  // namespace

monitor::monitor(server_ref watched, const config::settings& settings, health_listener on_change)
    : shared_(std::make_shared<monitor_shared>()) {
  if (watched->role() == server_role::replica) {
    log_info("Database replica configured - read queries will be routed to replica",
             {{"server", watched->name()}});
  }
  watched->on_poke([s = shared_] { s->poked.set(); });
  thread_ =
      std::jthread{[w = std::move(watched), own = settings, f = std::move(on_change), s = shared_]() mutable {
        watch{std::move(w), std::move(own), std::move(f), std::move(s)}.run();
      }};
}

monitor::~monitor() {
  request_stop();
}

void monitor::adopt(const config::settings& settings) {
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->adopted = settings;
  }
  shared_->poked.set();
}

void monitor::request_stop() {
  shared_->is_stopping = true;
  shared_->stopping.set();
}

}  // namespace pgsteer::proxy
