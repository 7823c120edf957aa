#include "routing/session_facts.hpp"

namespace pgsteer::routing {
namespace {

// Roles and paths beyond this are taken for a flood, and judged anew.
constexpr std::size_t max_made = 200;

}  // namespace

void session_facts::use(std::shared_ptr<const catalog> known) {
  made_.clear();
  catalog_ = std::move(known);
  ++epoch_;
}

void session_facts::use_lists(std::shared_ptr<const function_lists> lists) {
  made_.clear();
  lists_ = std::move(lists);
  ++epoch_;
}

chosen_facts session_facts::of(std::string_view role, std::optional<std::string_view> search_path) {
  if (catalog_ == nullptr) return {};
  const auto path = search_path.value_or(catalog_->search_path_of(role));
  auto found = made_.find(by_both::views(role, path));
  if (found == made_.end()) {
    if (made_.size() >= max_made) {
      made_.clear();
      ++epoch_;
    }
    numbered made{std::make_unique<catalog_facts>(catalog_, std::string(role), path, lists_), ++numbers_};
    found = made_.emplace(std::pair(std::string(role), std::string(path)), std::move(made)).first;
  }
  return {found->second.known.get(), found->second.number};
}

}  // namespace pgsteer::routing
