// A fast hash of short texts, for the caches of one thread.
// Used by routing/text_cache.hpp and the tables of names; never persisted, never compared between processes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace pgsteer::routing {

// Eight bytes a step, each folded by a 128-bit multiplication. The seed keeps clients from
// preparing texts that collide.
[[nodiscard]] inline std::uint64_t text_hash(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t k0 = 0xa0761d6478bd642fULL;
  constexpr std::uint64_t k1 = 0xe7037ed1a0b428dbULL;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = seed ^ k0 ^ text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = fold(hash ^ word, k1);
  }
  std::uint64_t tail = 0;
  if (left >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + left - 4, 4);
    tail = std::uint64_t{first} << 32 | last;
  } else if (left > 0) {
    const auto byte = [at](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    tail = byte(0) << 16 | byte(left / 2) << 8 | byte(left - 1);
  }
  return fold(hash ^ tail, k0 ^ left);
}

// Of the proxy's own tables, into which no client puts anything.
struct name_hash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view name) const { return text_hash(name, 0); }
};

}  // namespace pgsteer::routing
