// Which of several servers gets the next read. Pure: what is known of each in, an index out; the dice are
// the caller's. Used by proxy/backend/balancer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pgsteer::routing {

struct candidate {
  int outstanding = 0;   // units sent and not answered yet
  double latency = 0;    // recent, of a read, in microseconds; 0: unknown
  double weight = 1;     // what it may take, compared with the others
  bool is_near = false;  // in the proxy's own zone
  double warmth = 1;     // below 1 for a while after it came back
};

inline constexpr std::size_t no_candidate = static_cast<std::size_t>(-1);
inline constexpr double far_slower = 3;  // times the quickest: up to there, differences are noise
inline constexpr double noise = 2000;    // microseconds; quicker than that is as good as that
inline constexpr double overloaded = 2;  // times the best one's work: worth leaving for

// How busy it is for what it may take; a server far slower than the quickest counts as busier by as much.
[[nodiscard]] double load_of(const candidate& c, double quickest);

// Those of the proxy's zone if there are any, else all.
void keep_near(std::vector<candidate>& all, std::vector<std::size_t>& places);

// The less loaded of two drawn at random by weight. `first` and `second` are random numbers.
[[nodiscard]] std::size_t choose_least_busy(std::span<const candidate> all, std::uint32_t first,
                                            std::uint32_t second);

// Whether the one at `mine` has so much more to do than the best of the others that sessions should leave it.
[[nodiscard]] bool is_overloaded(std::span<const candidate> all, std::size_t mine);

// By turns in proportion to weight, evenly mixed.
class round_robin {
 public:
  [[nodiscard]] std::size_t choose(std::span<const candidate> all);

 private:
  std::vector<double> credit_;
};

}  // namespace pgsteer::routing
