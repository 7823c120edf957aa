// Keeps the roles of the configured servers as they are found, not as they are written: hears the
// monitors, judges, says in the log what changed and hands out the new topology. Owned by application.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "proxy/control/lag_history.hpp"
#include "proxy/control/server.hpp"
#include "proxy/control/server_report.hpp"
#include "proxy/control/topology_judge.hpp"

namespace pgsteer::proxy {

class topology_watch {
 public:
  // Called with the lock held, in the order of the changes, on the thread that brought the news: must
  // not block and must not call back. `moved` are the servers whose place changed; none, where only the
  // primary's timeline or system became known.
  using listener = std::function<void(topology_ref, const std::vector<server_ref>& moved)>;

  explicit topology_watch(listener on_change) : on_change_(std::move(on_change)) {}

  // The configured servers: at start and at each reload. Servers that stay keep what is known of
  // them; another configured primary counts anew. The listener is told in any case.
  void adopt(const server_ref& primary, const std::vector<server_ref>& replicas);

  // A server's word; on its monitor's thread, before anybody else learns that it answered.
  void hear(const server& from, const server_report& report);
  // Its health has changed.
  void health_changed(const server& of);

 private:
  struct member {
    server_ref host;
    std::optional<server_report> report;
    bool is_configured_primary = false;
    server_place place = server_place::replica;
  };

  void judge();
  [[nodiscard]] judged_topology judged() const;
  std::vector<server_ref> apply(const judged_topology& j);
  void tell_place(const member& m, const member& primary) const;
  void look_for_promotion();
  void note_switch(const server_report& of_primary);
  void measure_lag(const member& heard);
  void tell_outage(const topology& t);
  [[nodiscard]] topology_ref publish();
  void tell(const topology_ref& t, const std::vector<server_ref>& moved);
  [[nodiscard]] member* find(const server& s);

  listener on_change_;
  std::mutex mutex_;
  std::vector<member> members_;
  std::size_t primary_ = 0;
  std::uint32_t timeline_ = 0;
  std::uint64_t failovers_ = 0;
  std::vector<routing::timeline_switch> switches_;
  topology_ref told_;      // last
  lag_history positions_;  // of this primary, on this timeline
  const server* positions_of_ = nullptr;
  std::uint32_t positions_on_ = 0;
  std::optional<std::chrono::steady_clock::time_point> primary_lost_;
  std::optional<std::chrono::steady_clock::time_point> outage_;  // since when nobody takes writes
};

}  // namespace pgsteer::proxy
