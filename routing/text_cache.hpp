// Texts to classifications, bounded in bytes, least recently used out first.
// Owned by routing::classifier, one for exact texts and one for shapes; not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "routing/classification.hpp"
#include "routing/text_hash.hpp"

namespace pgsteer::routing {

class text_cache {
 public:
  explicit text_cache(std::size_t max_bytes);
  text_cache(const text_cache&) = delete;
  text_cache& operator=(const text_cache&) = delete;

  // The class of exactly this text by the facts of this number, or nullptr. Valid until the next insert
  // or clear.
  [[nodiscard]] const classification_ref* find(std::string_view text, std::uint64_t facts = 0);

  // Remembers a text that find() did not know. Texts too large for the bound are not kept.
  void insert(std::string_view text, classification_ref value, std::uint64_t facts = 0);

  void clear();
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct entry {
    std::string text;
    classification_ref value;
    std::size_t bytes = 0;
    std::uint64_t facts = 0;
  };
  struct key {
    std::string_view text;
    std::uint64_t facts = 0;
    bool operator==(const key&) const = default;
  };
  struct hasher {
    using is_avalanching = void;
    std::uint64_t seed = 0;
    std::size_t operator()(const key& k) const { return text_hash(k.text, seed ^ (k.facts << 32 | k.facts)); }
  };
  using order = std::list<entry>;

  void evict_last();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  order entries_;  // most recently used first; the index's keys view their texts
  boost::unordered_flat_map<key, order::iterator, hasher> index_;
};

}  // namespace pgsteer::routing
