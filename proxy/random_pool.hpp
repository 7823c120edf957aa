// Random bytes for nonces and keys, fetched many at a time: each fetch costs as much as hashing a login's
// proof. Belongs to a worker.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace pgsteer::proxy {

class random_pool {
 public:
  // Fills `out`; the bytes are given out once and forgotten here. Throws where OpenSSL has none.
  void take(std::span<unsigned char> out);
  // From 0 to 1.
  [[nodiscard]] double share();

 private:
  void refill();
  std::array<unsigned char, 1024> bytes_{};
  std::size_t used_ = bytes_.size();
};

}  // namespace pgsteer::proxy
