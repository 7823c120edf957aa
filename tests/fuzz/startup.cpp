// First packets of a client: no overrun, and what is understood is within its packet.
#include "protocol/startup.hpp"

#include <cstdint>
#include <cstdlib>

using namespace pgsteer::protocol;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const startup_negotiation done{(data[0] & 1U) != 0, (data[0] & 2U) != 0};
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto result = parse_startup(bytes, done);
  require(result.consumed <= bytes.size());
  require(result.consumed <= max_startup_packet + 4);
  if (result.kind == startup_kind::startup) {
    require(!result.packet.user.empty() && !result.packet.database.empty());
    require(result.packet.major == protocol_major);
    // Cut anywhere, the same packet is not yet there.
    require(parse_startup(bytes.substr(0, result.consumed - 1), done).kind == startup_kind::need_more);
  }
  if (result.kind == startup_kind::invalid) require(result.reply.empty() == result.is_silent);
  return 0;
}
