// The tables inside a catalog, each in order of names and with an index by identifier.
// Filled by catalog_builder, searched by catalog.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/catalog.hpp"
#include "routing/temporary_names.hpp"

namespace pgsteer::routing {

// Texts that stay where they are for as long as the pool lives.
class text_pool {
 public:
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) {
      const auto size = std::max(text.size(), block_size);
      blocks_.push_back(std::make_unique<char[]>(size));
      next_ = blocks_.back().get();
      left_ = size;
      bytes_ += size;
    }
    std::copy(text.begin(), text.end(), next_);
    const std::string_view kept(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return kept;
  }

  // The same, once for equal texts: for the few that many objects share.
  std::string_view share(std::string_view text) {
    const auto found = shared_.find(text);
    return found != shared_.end() ? *found : *shared_.insert(keep(text)).first;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t block_size = std::size_t{256} << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::set<std::string_view> shared_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

template <class Entry>
class named_table {
 public:
  void add(Entry entry) { rows_.push_back(std::move(entry)); }

  void finish() {
    std::ranges::sort(rows_, {}, [](const Entry& row) { return std::pair(row.name, row.id); });
    rows_.shrink_to_fit();
    by_id_.resize(rows_.size());
    for (std::uint32_t at = 0; at < rows_.size(); ++at)
      by_id_[at] = at;
    std::ranges::sort(by_id_, {}, [this](std::uint32_t at) { return rows_[at].id; });
  }

  [[nodiscard]] std::span<const Entry> named(std::string_view name) const {
    const auto first = std::ranges::lower_bound(rows_, name, {}, &Entry::name);
    return {first, std::ranges::upper_bound(first, rows_.end(), name, {}, &Entry::name)};
  }

  [[nodiscard]] const Entry* find(object_id id) const {
    const auto found =
        std::ranges::lower_bound(by_id_, id, {}, [this](std::uint32_t at) { return rows_[at].id; });
    return found == by_id_.end() || rows_[*found].id != id ? nullptr : &rows_[*found];
  }

  [[nodiscard]] std::vector<Entry>& rows() { return rows_; }
  [[nodiscard]] const std::vector<Entry>& rows() const { return rows_; }
  [[nodiscard]] std::size_t bytes() const {
    return rows_.capacity() * sizeof(Entry) + by_id_.capacity() * sizeof(std::uint32_t);
  }

 private:
  std::vector<Entry> rows_;
  std::vector<std::uint32_t> by_id_;
};

struct catalog::tables {
  text_pool texts;
  named_table<catalog_schema> schemas;
  named_table<catalog_function> functions;
  named_table<catalog_operator> operators;
  named_table<catalog_relation> relations;
  named_table<catalog_type> types;
  std::vector<std::pair<object_id, object_id>> row_types;  // type, relation; in order
  std::vector<function_details> details{function_details{}};
  std::vector<reference> references;
  std::vector<object_id> ids;
  std::vector<std::string> settings;  // in the order they were met
  std::set<std::string, std::less<>> set_by_functions;
  std::vector<implicit_cast> casts;  // in order
  std::vector<path_default> paths;
  std::set<std::string, std::less<>> superusers;
  std::set<std::string, std::less<>> transaction_ids;  // names of columns
  temporary_names temporary;
  temporary_names temporary_anywhere;
};

}  // namespace pgsteer::routing
