// A number of connections to one server that several pools share: those of a database, or of a user.
// Decides who may open one and who gives one up; asked by the worker, which sums the pools up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pgsteer::proxy {

// Which of a pool's limits has nothing left.
enum class scarcity : std::uint8_t { none, user, database };

// What one pool has of it and wants of it.
struct pool_stake {
  using time_point = std::chrono::steady_clock::time_point;
  std::size_t open = 0;                  // connections, those that are being opened included
  std::size_t closing = 0;               // given up, but the server may still count them
  std::size_t wanted = 0;                // more of them, for waiters, as far as the pool's own size allows
  time_point since = time_point::max();  // the first of these waiters has waited; max: none does
};

class shared_limit {
 public:
  // `since`: when who asks has come; those that came before go first.
  shared_limit(std::size_t most, pool_stake::time_point since) : most_(most), since_(since) {}

  void add(const pool_stake& p) {
    open_ += p.open;
    closing_ += p.closing;
    wanted_ += p.wanted;
    if (p.since < since_) ahead_ += p.wanted;
  }

  // A connection may be opened now for who asks.
  [[nodiscard]] bool has_slot() const { return open_ + closing_ + ahead_ < most_; }
  // A connection that is free goes to another pool, whose waiter came first.
  [[nodiscard]] bool is_owed() const { return open_ + ahead_ > most_; }
  // Even once what is closing is closed, nothing can be opened.
  [[nodiscard]] bool is_full() const { return open_ >= most_; }
  // So many idle connections are to be closed for waiters.
  [[nodiscard]] std::size_t excess() const { return open_ + wanted_ > most_ ? open_ + wanted_ - most_ : 0; }

 private:
  std::size_t most_;
  pool_stake::time_point since_;
  std::size_t open_ = 0, closing_ = 0, wanted_ = 0, ahead_ = 0;
};

}  // namespace pgsteer::proxy
