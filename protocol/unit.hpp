// Finds the unit of routing at the start of a client's bytes: a Query or FunctionCall message, or
// everything up to Sync or Flush. Called by the client's session for each read; reads in place.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/frame.hpp"

namespace pgsteer::protocol {

enum class unit_end : unsigned char {
  incomplete,     // more bytes are needed
  query,          // ended by Query
  sync,           // ended by Sync
  flush,          // ended by Flush
  function_call,  // ended by FunctionCall
  terminate,      // Terminate comes first
  stray,          // CopyData, CopyDone or CopyFail outside COPY: the server ignores them
  broken,         // not the protocol: a bad length or an unknown type
};

struct unit_span {
  unit_end end = unit_end::incomplete;
  std::size_t size = 0;       // bytes of the unit; with `incomplete`: of the complete frames so far
  bool has_extended = false;  // Parse, Bind, Describe, Execute or Close among them
  frame partial;              // with `incomplete`: the frame that is not whole yet, if its header is
};

// A message that a client may send once it is logged in.
[[nodiscard]] bool is_frontend_type(char type);

// Starts at `from`, a frame boundary that an earlier, incomplete scan of the same bytes reached.
[[nodiscard]] unit_span scan_unit(std::string_view bytes, std::size_t from = 0);

}  // namespace pgsteer::protocol
