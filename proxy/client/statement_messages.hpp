// Messages about prepared statements, written into a batch, and what they change.
// Of proxy/client/extended_unit_write.cpp and extended_unit_prepare.cpp.
// https://www.postgresql.org/docs/15/protocol-message-formats.html
#pragma once

#include <cstring>
#include <string_view>
#include <utility>

#include "protocol/frame.hpp"
#include "proxy/client/extended_unit.hpp"

namespace pgsteer::proxy {

// Behind which the body goes.
inline char* put_header(protocol::gather& out, char type, std::size_t here, std::size_t body) {
  auto* const at = out.make(protocol::header_size + here);
  at[0] = type;
  const auto length = __builtin_bswap32(static_cast<std::uint32_t>(body + 4));
  std::memcpy(at + 1, &length, sizeof length);
  return at + protocol::header_size;
}

inline char* put(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());  // may be null
  return at + bytes.size();
}

inline void put_parse(protocol::gather& out, std::string_view name, std::string_view tail) {
  const auto size = name.size() + 1 + tail.size();
  auto* at = put(put_header(out, 'P', size, size), name);
  *at++ = '\0';
  put(at, tail);
}

// Close or Describe of a statement.
inline void put_named(protocol::gather& out, char type, std::string_view name) {
  const auto size = name.size() + 2;
  auto* at = put_header(out, type, size, size);
  *at++ = 'S';
  *put(at, name) = '\0';
}

inline void put_close(protocol::gather& out, std::string_view name) {
  put_named(out, 'C', name);
}

inline void put_sync(protocol::gather& out) {
  out.copy(std::string_view("S\0\0\0\4", 5));
}

// Its number among the changes of the unit, from 1 on.
inline std::uint32_t note(backend_wire& wire, statement_change c) {
  wire.changes.push_back(std::move(c));
  return static_cast<std::uint32_t>(wire.changes.size());
}

}  // namespace pgsteer::proxy
