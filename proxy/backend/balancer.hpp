// Gives each read its server: gathers what is known of the replicas (and of the primary, where it takes
// a share) and lets routing/balance choose. Belongs to a worker.
#pragma once

#include <random>
#include <utility>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/lag_gates.hpp"
#include "proxy/control/server.hpp"
#include "proxy/io/reactor.hpp"
#include "routing/balance.hpp"
#include "routing/consistency.hpp"

namespace pgsteer::proxy {

class balancer {
 public:
  using milliseconds = std::chrono::milliseconds;

  // The session's last replica while it is not much busier than others, else by the policy among those
  // that are usable, fresh enough and no further behind than `max_lag` (0: however far); null where there is
  // none, or where the session should ask the primary so that it may change its replica.
  [[nodiscard]] server_ref choose(const topology& servers, const config::settings& settings,
                                  const routing::freshness& wanted, milliseconds max_lag,
                                  clock::time_point now);

  // Limits that the configuration names: what they do to a replica is logged and counted.
  void use_limits(std::vector<milliseconds> limits) { limits_ = std::move(limits); }
  // Says so also where nobody reads.
  void look_at_lag(const topology& servers, clock::time_point now);
  // Some replica is usable, and all that are lag too far behind.
  [[nodiscard]] bool do_all_lag(const topology& servers, milliseconds max_lag, clock::time_point now);

 private:
  [[nodiscard]] server_ref only_one(const topology& servers, const routing::freshness& wanted,
                                    milliseconds max_lag, clock::time_point now);
  void gather(const topology& servers, const config::settings& settings, milliseconds max_lag,
              clock::time_point now);
  [[nodiscard]] bool admits(const topology& servers, server& s, milliseconds limit, clock::time_point now);
  void add(const server_ref& s, const config::settings& settings, clock::time_point now);
  void keep_fresh(const routing::freshness& wanted, const server_ref& primary);
  [[nodiscard]] server_ref stay_or_leave(int last, clock::time_point now);

  // Of one choice; members so that nothing is allocated for each read.
  std::vector<const server_ref*> servers_;  // of the topology that is asked about
  std::vector<routing::candidate> candidates_;
  std::vector<std::size_t> places_;
  routing::round_robin turns_;
  std::minstd_rand dice_{std::random_device{}()};
  clock::time_point next_leave_;
  lag_gates gates_;
  std::vector<milliseconds> limits_;
};

}  // namespace pgsteer::proxy
