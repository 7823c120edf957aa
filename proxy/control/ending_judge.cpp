#include "proxy/control/ending_judge.hpp"

namespace pgsteer::proxy {

ending judge_ending(const ending_facts& f, ending_facts::time_point now) {
  // A server that stops gets round to all its processes within that time, and the monitor hears of it.
  constexpr std::chrono::milliseconds round{250};
  constexpr std::chrono::milliseconds earlier{500};  // so much sooner than a worker may the monitor see it
  constexpr std::chrono::seconds latest{3};
  if (f.control_lost >= f.noticed - earlier || f.stopped >= f.opened) return ending::with_server;
  if (f.heard >= f.noticed + round && f.is_up) return ending::alone;
  return now - f.noticed >= latest ? ending::with_server : ending::undecided;
}

}  // namespace pgsteer::proxy
