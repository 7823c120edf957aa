// Bytes as the tests write and read them, independent of the code under test.
// Used by the tests of protocol/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsteer::protocol::wire {

inline std::string int32(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xffU));
  return out;
}

inline std::string int16(std::uint32_t value) {
  return int32(value).substr(2);
}

inline std::string text(std::string_view value) {
  return std::string(value) + '\0';
}

inline std::string message(char type, std::string_view body) {
  return std::string(1, type) + int32(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

// A packet without type: length, code, body.
inline std::string packet(std::uint32_t code, std::string_view body) {
  return int32(static_cast<std::uint32_t>(body.size() + 8)) + int32(code) + std::string(body);
}

inline std::string parameters(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += text(name) + text(value);
  return out + '\0';
}

// Splits a stream into (type, body).
inline std::vector<std::pair<char, std::string>> split(std::string_view bytes) {
  std::vector<std::pair<char, std::string>> out;
  while (bytes.size() >= 5) {
    std::size_t length = 0;
    for (const char c : bytes.substr(1, 4))
      length = length << 8U | static_cast<unsigned char>(c);
    out.emplace_back(bytes.front(), bytes.substr(5, length - 4));
    bytes.remove_prefix(1 + length);
  }
  if (!bytes.empty()) out.emplace_back('?', bytes);
  return out;
}

}  // namespace pgsteer::protocol::wire
