// Framing of the protocol after the startup phase: type byte, length, body. Called on the hot path
// by both directions; reads bytes in place, owns nothing.
// https://www.postgresql.org/docs/15/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pgsteer::protocol {

inline constexpr std::size_t header_size = 5;

[[nodiscard]] inline std::uint32_t load_u32(const char* p) {
  std::uint32_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}

[[nodiscard]] inline std::uint16_t load_u16(const char* p) {
  std::uint16_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}

// A frame seen at the start of some bytes. `size` counts the header; the body may not be there yet.
struct frame {
  char type = 0;
  std::size_t size = 0;
  [[nodiscard]] bool is_header_known() const { return size != 0; }
};

// Zero size: fewer than five bytes. Size 1: a length below 4 or beyond 1 GiB, which breaks the stream.
inline constexpr std::size_t broken_frame = 1;
inline constexpr std::uint32_t max_frame_length = 0x3fffffff;  // PostgreSQL's own limit (MaxAllocSize)

[[nodiscard]] inline frame peek_frame(std::string_view bytes) {
  if (bytes.size() < header_size) return {};
  const std::uint32_t length = load_u32(bytes.data() + 1);
  if (length - 4 > max_frame_length - 4) return {bytes[0], broken_frame};  // as unsigned: below 4 too
  return {bytes[0], std::size_t{length} + 1};
}

// What is left from `at` on, which must not lie behind the end: the loops over frames know that it does not.
[[nodiscard]] inline std::string_view rest_of(std::string_view bytes, std::size_t at) {
  return {bytes.data() + at, bytes.size() - at};
}

// The zero-terminated string at the start of `body`; advances past it. False where none ends.
[[nodiscard]] inline bool take_string(std::string_view& body, std::string_view& out) {
  const auto end = body.find('\0');
  if (end == std::string_view::npos) return false;
  out = {body.data(), end};
  body.remove_prefix(end + 1);
  return true;
}

// Of a Bind or an Execute, whole as far as its portal's name.
[[nodiscard]] inline std::string_view portal_name(std::string_view message) {
  std::string_view body = rest_of(message, header_size);
  std::string_view name;
  return take_string(body, name) ? name : std::string_view{};
}

// The text of a Query message that is here whole, header included.
[[nodiscard]] inline std::string_view query_text(std::string_view message) {
  const auto body = message.substr(header_size);
  return body.substr(0, body.find('\0'));
}

}  // namespace pgsteer::protocol
