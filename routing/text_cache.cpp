#include "routing/text_cache.hpp"

#include <random>
#include <utility>

namespace pgsteer::routing {
namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

std::size_t heap_bytes(const std::string& text) {
  constexpr std::size_t held_inline = 15;
  return text.capacity() > held_inline ? text.capacity() + 1 : 0;
}

}  // namespace

text_cache::text_cache(std::size_t max_bytes) : max_bytes_(max_bytes), index_(0, hasher{random_seed()}) {}

const classification_ref* text_cache::find(std::string_view text, std::uint64_t facts) {
  const auto found = index_.find(key{text, facts});
  if (found == index_.end()) return nullptr;
  if (found->second != entries_.begin()) entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->value;
}

void text_cache::insert(std::string_view text, classification_ref value, std::uint64_t facts) {
  constexpr std::size_t list_links = 2 * sizeof(void*);
  constexpr std::size_t index_slot = 2 * (sizeof(key) + sizeof(void*));  // load factor and growth
  constexpr std::size_t shared_header = 2 * sizeof(void*);
  entry made{std::string(text), std::move(value), 0, facts};
  made.bytes = sizeof(entry) + list_links + index_slot + heap_bytes(made.text) + shared_header +
               sizeof(classification) + heap_bytes(made.value->name) + heap_bytes(made.value->value) +
               heap_bytes(made.value->reason);
  if (made.bytes > max_bytes_) return;
  while (bytes_ + made.bytes > max_bytes_)
    evict_last();
  entries_.push_front(std::move(made));
  const auto [slot, added] = index_.emplace(key{entries_.front().text, facts}, entries_.begin());
  static_cast<void>(slot);
  if (!added) return entries_.pop_front();
  bytes_ += entries_.front().bytes;
}

void text_cache::evict_last() {
  index_.erase(key{entries_.back().text, entries_.back().facts});
  bytes_ -= entries_.back().bytes;
  entries_.pop_back();
}

void text_cache::clear() {
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace pgsteer::routing
