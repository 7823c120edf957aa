// Decides what a monitor does next and what is thought of its server, from what attempts and probes
// gave. Pure: no socket, thread or clock; the monitor performs and logs what it says.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/backoff.hpp"
#include "proxy/control/server.hpp"

namespace pgsteer::proxy {

class health_judge {
 public:
  using time_point = backoff::time_point;

  // However often a server is wanted, it is not tried more often than this.
  static constexpr std::chrono::milliseconds want_interval{1000};
  // While the primary is lost, so long after each request and so often.
  static constexpr std::chrono::milliseconds haste{5000};
  static constexpr std::chrono::milliseconds hasty_interval{100};

  enum class action : std::uint8_t { connect, probe };
  struct plan {
    action what;
    time_point when;
  };

  struct log_line {
    config::log_level level;
    std::string message;
    std::string cause;  // a field of its own where not empty
  };

  struct verdict {
    server_health health;
    std::vector<log_line> lines;
    bool is_role_mismatch = false;  // newly seen
  };

  // What came between two actions.
  struct news {
    bool failure_reported = false;  // by a worker
    bool wanted = false;            // by a worker
    bool promotion_hinted = false;  // by a worker
    bool hastened = false;          // the primary is lost: this one may be promoted any moment
    bool socket_stirred = false;    // the idle control connection has something to read
  };

  health_judge(server_role role, const config::settings& settings);

  // The role its answers are held against from now on.
  void expect(server_role role) { role_ = role; }
  // pgsteer_role: what it is said to be; a server that contradicts it is warned of, and used as what it is.
  void hold_to(config::claimed_role role) { claim_ = role; }
  // Other settings from now on; what is scheduled stays.
  void adopt(const config::settings& settings);

  [[nodiscard]] plan next() const;
  // Whether `next()` is made on the connection that is open.
  [[nodiscard]] bool is_connected() const { return is_connected_; }

  void hear(const news& n, time_point now);
  verdict connected(bool in_recovery, time_point now);
  verdict connect_failed(std::string_view cause, time_point now, double spread);
  verdict probed(bool in_recovery, time_point now);
  verdict probe_failed(std::string_view cause, time_point now);

 private:
  [[nodiscard]] time_point probe_after(time_point now) const;
  void check_role(bool in_recovery, verdict& v);
  void check_claim(bool in_recovery, verdict& v);
  [[nodiscard]] verdict scheduled_failure(std::string_view cause, time_point now, double spread);

  server_role role_;
  std::chrono::milliseconds interval_;
  backoff backoff_;
  server_health health_ = server_health::unknown;
  bool is_connected_ = false;
  bool is_news_when_connected_ = true;  // the next connection is worth a line
  bool is_role_wrong_ = false;
  config::claimed_role claim_ = config::claimed_role::automatic;
  bool is_claim_wrong_ = false;
  bool is_suspected_ = false;  // the coming probe answers a worker's report
  time_point next_probe_{};
  time_point hasty_until_{};
  time_point next_connect_{};  // the beginning of time: at once
  time_point last_try_{};
  std::optional<time_point> hastened_;  // a wanted attempt ahead of schedule
  std::optional<time_point> cleared_;   // when a probe last contradicted a worker's report
};

}  // namespace pgsteer::proxy
