#include "routing/balance.hpp"

#include <algorithm>

namespace pgsteer::routing {
namespace {

double share_of(const candidate& c) {
  return c.weight * c.warmth;
}

double latency_of(const candidate& c) {
  return std::max(c.latency, noise);
}

double quickest_of(std::span<const candidate> all) {
  double quickest = latency_of(all.front());
  for (const auto& c : all)
    quickest = std::min(quickest, latency_of(c));
  return quickest;
}

// 1, or how many times slower than the quickest it is, where that is more than noise.
double slowness_of(const candidate& c, double quickest) {
  const double ratio = latency_of(c) / quickest;
  return ratio > far_slower ? ratio : 1;
}

// An idle server is not busy whatever its weight: the draw has counted that already.
double busyness_of(const candidate& c, double quickest) {
  const bool is_free = c.outstanding <= 0 && slowness_of(c, quickest) <= 1;
  return is_free ? 0 : load_of(c, quickest);
}

// By weight, without the one at `except`.
std::size_t draw(std::span<const candidate> all, std::uint32_t dice, std::size_t except) {
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    sum += i == except ? 0 : share_of(all[i]);
  double at = sum * (static_cast<double>(dice) / 4294967296.0);
  std::size_t last = no_candidate;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == except) continue;
    last = i;
    at -= share_of(all[i]);
    if (at < 0) return i;
  }
  return last;
}

}  // namespace

double load_of(const candidate& c, double quickest) {
  return static_cast<double>(std::max(c.outstanding, 0) + 1) * slowness_of(c, quickest) / share_of(c);
}

void keep_near(std::vector<candidate>& all, std::vector<std::size_t>& places) {
  if (std::none_of(all.begin(), all.end(), [](const auto& c) { return c.is_near; })) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].is_near) continue;
    all[kept] = all[i];
    places[kept++] = places[i];
  }
  all.resize(kept);
  places.resize(kept);
}

std::size_t choose_least_busy(std::span<const candidate> all, std::uint32_t first, std::uint32_t second) {
  if (all.empty()) return no_candidate;
  const auto one = draw(all, first, no_candidate);
  const auto other = draw(all, second, one);
  if (other == no_candidate) return one;
  const double quickest = quickest_of(all);
  return busyness_of(all[other], quickest) < busyness_of(all[one], quickest) ? other : one;
}

bool is_overloaded(std::span<const candidate> all, std::size_t mine) {
  const double quickest = quickest_of(all);
  const double here = busyness_of(all[mine], quickest);
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& c) { return load_of(c, quickest) * overloaded < here; });
}

std::size_t round_robin::choose(std::span<const candidate> all) {
  if (all.empty()) return no_candidate;
  if (credit_.size() != all.size()) credit_.assign(all.size(), 0);
  double sum = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    credit_[i] += share_of(all[i]);
    sum += share_of(all[i]);
    if (credit_[i] > credit_[best]) best = i;
  }
  credit_[best] -= sum;
  return best;
}

}  // namespace pgsteer::routing
