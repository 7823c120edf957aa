// Descriptors: as many as the system grants, and one kept back for the moment there are none left.
// Used by main and by the listeners.
#pragma once

#include <cstdint>

namespace pgsteer::proxy {

// Raises the soft limit on open descriptors to the hard one; returns what is in force then.
std::uint64_t raise_descriptor_limit();

// What so many clients and backends need at most, with the process's own.
[[nodiscard]] std::uint64_t descriptors_needed(std::uint64_t max_clients, std::uint64_t backends);

// A spare descriptor. When accept(2) says EMFILE, the listener lends it, accepts and closes the
// client at once instead of leaving it to wait in the backlog. One a thread.
class reserve_descriptor {
 public:
  reserve_descriptor() { take(); }
  ~reserve_descriptor() { release(); }
  reserve_descriptor(const reserve_descriptor&) = delete;
  reserve_descriptor& operator=(const reserve_descriptor&) = delete;

  // Gives the descriptor back to the process; false where there was none to give.
  bool release();
  // Takes one back; false where there is still none.
  bool take();
  [[nodiscard]] bool is_held() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace pgsteer::proxy
