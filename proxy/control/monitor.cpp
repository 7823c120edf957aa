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
#include "proxy/control/replay_pacer.hpp"
#include "proxy/control/server_report.hpp"
#include "proxy/control/session_defaults.hpp"
#include "proxy/control/wakeup.hpp"
#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view insufficient_privilege = "42501";
// What is known of a replica's lag is late by up to two of these: a quarter of what is minded.
constexpr int looks_per_lag = 8;
constexpr milliseconds shortest_look{10};

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
        monitor::report_listener on_report, std::shared_ptr<monitor_shared> shared)
      : server_(std::move(watched)),
        settings_(std::move(settings)),
        on_change_(std::move(on_change)),
        on_report_(std::move(on_report)),
        shared_(std::move(shared)),
        judge_(server_->role(), settings_),
        is_configured_primary_(server_->role() == server_role::primary) {
    judge_.hold_to(server_->url().role);
  }

  void run() {
    while (!shared_->is_stopping) {
      hear();
      answer_samples();
      if (!shared_->is_stopping) step();
    }
    lose_connection();
  }

 private:
  void step() {
    const auto now = steady_clock::now();
    if (connection_ && now >= next_move_ && is_to_move()) return move(now);
    const auto plan = judge_.next();
    if (plan.when <= now) return plan.what == health_judge::action::connect ? connect() : probe();
    const auto look = next_look();
    if (look && *look <= now) return report_.in_recovery ? look_at_replay() : probe();
    wait_until(look ? std::min(*look, plan.when) : plan.when);
  }

  // Before the next probe is due: for somebody who waits for a position, or minds lag.
  [[nodiscard]] std::optional<steady_clock::time_point> next_look() const {
    if (!connection_) return std::nullopt;
    const auto waited_for = report_.in_recovery ? pacer_.next() : std::nullopt;
    const auto minded = server_->minded_lag();
    if (minded.count() == 0) return waited_for;
    const auto next = report_.asked + std::max(minded / looks_per_lag, shortest_look);
    return waited_for ? std::min(*waited_for, next) : next;
  }

  void hear() {
    shared_->poked.clear();
    adopt();
    hear_watch();
    health_judge::news n;
    n.failure_reported = server_->failure_reported.exchange(false, std::memory_order_acq_rel);
    n.wanted = server_->wanted.exchange(false, std::memory_order_acq_rel);
    n.promotion_hinted = server_->hinted.exchange(false, std::memory_order_acq_rel);
    n.hastened = server_->hastened.exchange(false, std::memory_order_acq_rel);
    n.socket_stirred = std::exchange(has_socket_stirred_, false);
    judge_.hear(n, steady_clock::now());
    if (!judge_.is_connected()) lose_connection();
    // A report that came while the last success was being noted.
    if (n.failure_reported) server_->change_health(server_health::up, server_health::retrying);
    tell();
  }

  void hear_watch() {
    const auto now = steady_clock::now();
    const auto floor = server_->watched_lsn();
    if (floor != 0) pacer_.want(floor, now);
    if (pacer_.gave_up(now)) server_->end_watch(floor);
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
    lose_connection();
    auto opened = open();
    if (!opened) return connect_failed(opened.error());
    connection_.emplace(std::move(*opened));
    begin();
  }

  void begin() {
    const auto epoch = server_->replay_epoch();
    if (const auto failed = identify()) return connect_failed(*failed);
    static const auto defaults = session_defaults_query();
    if (auto answer = ask(defaults.c_str())) server_->set_session_defaults(std::move(answer->front()));
    server_->counters.connects.fetch_add(1, std::memory_order_relaxed);
    server_->pin({connection_->host(), connection_->hostaddr(), connection_->port()});
    publish(epoch);
    server_->samples.open();
    apply(judge_.connected(report_.in_recovery, steady_clock::now()));
  }

  // Of several hosts and addresses of the primary, the one that is; else what libpq finds.
  control_connection::result<control_connection> open() {
    const auto url =
        is_configured_primary_ ? of_a_primary(server_->url(), server_->addresses()) : std::nullopt;
    if (url) {
      auto opened = open(*url);
      if (opened) return opened;
    }
    return open(server_->url());
  }

  control_connection::result<control_connection> open(const config::server_url& url) {
    const auto timeout = settings_.connect_timeout * host_count(url);
    return control_connection::open(url, {settings_.connect_timeout}, steady_clock::now() + timeout,
                                    shared_->stopping.fd());
  }

  // The name stands for another address now; or of several addresses this one is no primary any more.
  [[nodiscard]] bool is_to_move() const {
    return server_->is_misplaced() || (is_configured_primary_ && report_.in_recovery && has_choice());
  }

  [[nodiscard]] bool has_choice() const {
    return of_a_primary(server_->url(), server_->addresses()).has_value();
  }

  // The connection that works is kept until there is another one that is better.
  void move(steady_clock::time_point now) {
    next_move_ = now + std::max(settings_.health_interval, milliseconds{1000});
    auto opened =
        server_->is_misplaced() ? open() : open(*of_a_primary(server_->url(), server_->addresses()));
    if (!opened || shared_->is_stopping) return;
    const connection_place to{opened->host(), opened->hostaddr(), opened->port()};
    const auto from = server_->place();
    if (to == from) return;
    log_warn("Server's name leads to another address: connections move there",
             {{"server", server_->name()}, {"from", from.hostaddr}, {"to", to.hostaddr}});
    server_->forget_replayed();
    connection_.emplace(std::move(*opened));
    begin();
  }

  void connect_failed(const control_failure& failure) {
    lose_connection();
    server_->note_control_loss(steady_clock::now());
    if (shared_->is_stopping) return;
    server_->counters.connect_failures.fetch_add(1, std::memory_order_relaxed);
    server_->set_last_error(failure.cause);
    server_->note_failure(steady_clock::now());
    apply(judge_.connect_failed(failure.cause, steady_clock::now(), spread()));
  }

  void probe() {
    const auto epoch = server_->replay_epoch();
    if (const auto failed = refresh()) return probe_failed(*failed);
    publish(epoch);
    apply(judge_.probed(report_.in_recovery, steady_clock::now()));
  }

  void probe_failed(const control_failure& failure) {
    lose_connection();
    if (shared_->is_stopping) return;
    server_->set_last_error(failure.cause);
    server_->note_failure(steady_clock::now());
    apply(judge_.probe_failed(failure.cause, steady_clock::now()));
  }

  // Positions are an incarnation's, and an incarnation ends no later than its connections.
  void lose_connection() {
    if (connection_) server_->note_control_loss(steady_clock::now());
    connection_.reset();
    server_->forget_replayed();
    for (const auto& waiting : server_->samples.close())
      waiting.done(waiting.seq, 0);
  }

  control_connection::result<answer_row> ask(const char* query) {
    if (!connection_) return control_failure{"not connected", {}};
    asked_ = steady_clock::now();
    return connection_->ask_row(query, probe_deadline(settings_), shared_->stopping.fd());
  }

  std::optional<control_failure> identify() {
    auto answer = ask(identity_query);
    is_restricted_ = !answer && answer.error().sqlstate == insufficient_privilege;
    if (is_restricted_) answer = ask(restricted_identity_query);
    if (!answer) return answer.error();
    const auto started_before = std::move(report_.started_at);
    report_ = read_identity(*answer);
    report_.asked = asked_;
    if (!started_before.empty() && report_.started_at != started_before) server_->note_start();
    return std::nullopt;
  }

  // What may have changed since the connection was made.
  std::optional<control_failure> refresh() {
    const auto* const of_standby = is_restricted_ ? restricted_standby_probe_query : standby_probe_query;
    const auto answer = ask(report_.in_recovery ? of_standby : primary_probe_query);
    if (!answer) return answer.error();
    report_.asked = asked_;
    const bool was_standby = report_.in_recovery;
    if (!was_standby) return read_primary_probe(*answer, report_), std::nullopt;
    read_probe(*answer, report_);
    // Promoted: its timeline is another.
    return !report_.in_recovery ? identify() : std::nullopt;
  }

  void publish(std::uint64_t epoch) {
    server_->in_recovery.store(report_.in_recovery, std::memory_order_relaxed);
    server_->timeline.store(report_.timeline, std::memory_order_release);
    server_->written_lsn.store(report_.written_lsn, std::memory_order_relaxed);
    server_->heard_at.store(report_.asked.time_since_epoch().count(), std::memory_order_release);
    if (on_report_ && !shared_->is_stopping) on_report_(*server_, report_);
    judge_.expect(server_->role());
    server_->publish_replayed(epoch, report_.replayed_lsn, report_.timeline);
    const auto floor = pacer_.floor();
    pacer_.observe(server_->replayed_lsn.load(std::memory_order_acquire), steady_clock::now());
    if (floor != 0 && pacer_.floor() == 0) server_->end_watch(floor);
  }

  // Between two probes, for somebody who waits for a position.
  void look_at_replay() {
    const auto epoch = server_->replay_epoch();
    const auto answer = ask(restricted_standby_probe_query);
    if (!answer) return probe_failed(answer.error());
    if (answer->front() != "t") return probe();  // which learns all about the promotion
    report_.asked = asked_;
    read_probe(*answer, report_);
    publish(epoch);
  }

  void answer_samples() {
    const auto waiting = server_->samples.take();
    if (waiting.empty()) return;
    const auto answer = ask(sample_query);
    const auto lsn = answer ? read_sample(*answer, report_.wal) : 0;
    for (const auto& each : waiting)
      each.done(each.seq, lsn);
    if (!answer && connection_) probe_failed(answer.error());
  }

  void apply(const health_judge::verdict& v) {
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
  monitor::report_listener on_report_;
  std::shared_ptr<monitor_shared> shared_;
  health_judge judge_;
  const bool is_configured_primary_;
  steady_clock::time_point next_move_{};
  std::optional<control_connection> connection_;
  server_report report_;
  steady_clock::time_point asked_;
  bool is_restricted_ = false;  // the role may not read the control file
  replay_pacer pacer_;
  bool has_socket_stirred_ = false;
  server_health told_ = server_health::unknown;
  std::minstd_rand dice_{std::random_device{}()};
};

}  // namespace

monitor::monitor(server_ref watched, const config::settings& settings, health_listener on_change,
                 report_listener on_report)
    : shared_(std::make_shared<monitor_shared>()) {
  if (watched->role() == server_role::replica) {
    log_info("Database replica configured - read queries will be routed to replica",
             {{"server", watched->name()}});
  }
  watched->on_poke([s = shared_] { s->poked.set(); });
  thread_ = std::jthread{[w = std::move(watched), own = settings, f = std::move(on_change),
                          r = std::move(on_report), s = shared_]() mutable {
    watch{std::move(w), std::move(own), std::move(f), std::move(r), std::move(s)}.run();
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
