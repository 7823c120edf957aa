#include "protocol/unit.hpp"

#include <array>

namespace pgsteer::protocol {

namespace {

constexpr unit_end meaning_of(char type) {
  switch (type) {
    case 'Q':
      return unit_end::query;
    case 'S':
      return unit_end::sync;
    case 'H':
      return unit_end::flush;
    case 'F':
      return unit_end::function_call;
    case 'X':
      return unit_end::terminate;
    case 'c':
    case 'd':
    case 'f':
      return unit_end::stray;
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
      return unit_end::incomplete;
    default:
      return unit_end::broken;
  }
}

constexpr auto ends = [] {
  std::array<unit_end, 256> all{};
  for (std::size_t type = 0; type < all.size(); ++type)
    all[type] = meaning_of(static_cast<char>(type));
  return all;
}();

unit_end end_of(char type) {
  return ends[static_cast<unsigned char>(type)];
}

// PostgreSQL ends a session at a Terminate whatever else is in the batch, and skips stray COPY data.
bool stands_alone(unit_end end) {
  return end == unit_end::terminate || end == unit_end::stray;
}

}  // namespace

bool is_frontend_type(char type) {
  return end_of(type) != unit_end::broken;
}

unit_span scan_unit(std::string_view bytes, std::size_t from) {
  unit_span unit;
  unit.size = from;
  unit.has_extended = from > 0;
  for (;;) {
    const auto rest = rest_of(bytes, unit.size);
    if (rest.empty()) return unit;
    const unit_end end = end_of(rest[0]);
    const frame f = peek_frame(rest);
    if (end == unit_end::broken || f.size == broken_frame) {
      unit.end = unit_end::broken;
      return unit;
    }
    if (!f.is_header_known() || f.size > rest.size()) {
      unit.partial = f;
      return unit;
    }
    if (stands_alone(end) && unit.size > 0) {
      unit.end = end;
      return unit;
    }
    unit.size += f.size;
    if (end == unit_end::incomplete) {
      unit.has_extended = true;
      continue;
    }
    unit.end = end;
    return unit;
  }
}

}  // namespace pgsteer::protocol
