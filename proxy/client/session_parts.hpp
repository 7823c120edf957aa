// Where a session and its unit are, and what the unit is. Of proxy/client/session.hpp, to which they are its
// own types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/unit.hpp"

namespace pgsteer::proxy {

enum class session_phase : std::uint8_t {
  startup,
  handshake,
  login,
  opening,
  ready,
  tunnelled,
  closing,
  ended
};

enum class session_flow : std::uint8_t {
  collecting,  // reading the next unit
  waiting,     // a unit is complete and waits for a backend
  preparing,   // a backend is leased; a query of our own must finish before the unit is sent
  in_flight,   // the unit is sent whole
  flowing,     // the unit goes on: COPY data, or messages behind a Flush
  bereaved,    // its backend was ended: by whom is not known yet
  settling,    // the unit is over; its backend is not free yet (own queries, cancels)
};

enum class frame_fate : std::uint8_t { pass, drop, stop };  // of a message from the backend

// A unit on its way: the bytes are in the client's buffer or in the worker's.
struct unit_on_its_way {
  std::string_view bytes;
  protocol::unit_end end;
  bool is_extended;
  std::size_t missing;  // bytes of its last, large message that are still to come
};

}  // namespace pgsteer::proxy
