// What a client sends before it logs in: SSLRequest, GSSENCRequest, CancelRequest or its startup packet.
// Called by the proxy with the bytes received so far, until the answer is a startup packet or an end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/error_report.hpp"

namespace pgsteer::protocol {

inline constexpr std::uint16_t protocol_major = 3;
inline constexpr std::uint16_t newest_protocol_minor = 0;
inline constexpr std::uint32_t newest_protocol =
    (std::uint32_t{protocol_major} << 16U) | newest_protocol_minor;
inline constexpr std::size_t max_startup_packet = 10000;  // after the length word, as PostgreSQL counts
inline constexpr std::size_t max_cancel_key = 256;

enum class startup_kind : std::uint8_t {
  need_more,
  ssl_request,     // answer 'S' and shake hands, or 'N'
  gssenc_request,  // answer 'N' ('G' would mean encryption, which pgsteer does not offer)
  cancel_request,
  startup,
  http,        // a browser or a health check on the wrong port
  direct_tls,  // a TLS ClientHello without SSLRequest (libpq 17: sslnegotiation=direct)
  invalid,
};

// What was settled by earlier packets of the same connection. Each request is understood once;
// a repeated one is an unsupported protocol version, as in PostgreSQL.
struct startup_negotiation {
  bool is_ssl_done = false;  // SSLRequest was answered, or TLS was direct
  bool is_gss_done = false;  // GSSENCRequest was answered, or TLS is in use
};

enum class replication_mode : std::uint8_t { none, physical, database };

using setting = std::pair<std::string, std::string>;

struct startup_packet {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  std::string user;
  std::string database;  // the user's name where the packet has none
  replication_mode replication = replication_mode::none;
  std::vector<setting> settings;              // in the order PostgreSQL applies them: `options` first
  std::vector<std::string> protocol_options;  // names that begin with `_pq_.`: none is known

  // The client asks for more than pgsteer speaks: NegotiateProtocolVersion goes first.
  [[nodiscard]] bool needs_negotiation() const {
    return minor > newest_protocol_minor || !protocol_options.empty();
  }
};

struct cancel_key {
  std::int32_t pid = 0;
  std::string secret;
};

struct startup_result {
  startup_kind kind = startup_kind::need_more;
  std::size_t consumed = 0;           // bytes of this packet; what follows belongs to the next message
  startup_packet packet;              // startup
  cancel_key cancel;                  // cancel_request
  std::optional<error_report> error;  // invalid: what PostgreSQL says or logs
  bool is_silent = false;             // invalid: PostgreSQL only logs `error` and closes
  std::string reply;                  // invalid: what to send before closing; empty where silent
};

// Looks at the first packet in `bytes`. Takes nothing away: the caller drops `consumed` bytes.
// Bytes behind an SSLRequest or GSSENCRequest make it invalid (CVE-2021-23214).
[[nodiscard]] startup_result parse_startup(std::string_view bytes, startup_negotiation done = {});

}  // namespace pgsteer::protocol
