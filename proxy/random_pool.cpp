#include "proxy/random_pool.hpp"

#include <algorithm>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace pgsteer::proxy {

void random_pool::take(std::span<unsigned char> out) {
  while (!out.empty()) {
    if (used_ == bytes_.size()) refill();
    const auto n = std::min(out.size(), bytes_.size() - used_);
    auto* const from = bytes_.data() + used_;
    std::copy_n(from, n, out.begin());
    OPENSSL_cleanse(from, n);
    used_ += n;
    out = out.subspan(n);
  }
}

void random_pool::refill() {
  if (RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1)
    throw std::runtime_error("no random bytes to be had");
  used_ = 0;
}

double random_pool::share() {
  std::array<unsigned char, 2> bytes{};
  take(bytes);
  return (bytes[0] * 256.0 + bytes[1]) / 65535.0;
}

}  // namespace pgsteer::proxy
