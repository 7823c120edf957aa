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
  std::memcpy(&tail, at, left);
  return fold(hash ^ tail, k0 ^ left);
}

// Of the proxy's own tables, into which no client puts anything.
struct name_hash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view name) const { return text_hash(name, 0); }
};

}  // namespace pgsteer::routing
