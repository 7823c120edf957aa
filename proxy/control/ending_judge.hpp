// A connection ended with 57P01: somebody ended that one process, or its server stops. Both say the same,
// but who stops a server ends all its connections, the monitor's among them.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgsteer::proxy {

enum class ending : std::uint8_t {
  undecided,    // ask again a moment later
  alone,        // as by pg_terminate_backend()
  with_server,  // or it cannot be told
};

struct ending_facts {
  using time_point = std::chrono::steady_clock::time_point;
  time_point noticed;  // the end of the connection
  time_point opened;   // when the connection was made
  // Of its server, as its monitor knows it.
  time_point control_lost;  // when the monitor last lost its own connection, or got none
  time_point stopped;       // ... before it found the server started anew
  time_point heard;         // when it last asked something that was answered
  bool is_up = false;
};

[[nodiscard]] ending judge_ending(const ending_facts& f, ending_facts::time_point now);

}  // namespace pgsteer::proxy
