#include "routing/kept_parameters.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;

kept_parameters::kept_parameters(const json::value& tree, const plpgsql_body& body) : body_(body) {
  look(tree);
}

// Whatever bears a variable's number outside their list is taken for an assignment to it.
void kept_parameters::look(const json::value& tree) {
  if (const auto* items = tree.if_array()) {
    for (const auto& item : *items)
      look(item);
    return;
  }
  const auto* object = tree.if_object();
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) {
    const std::string_view name(key.data(), key.size());
    const bool is_number = name == "varno" || name == "target" || name == "curvar" || name == "dno";
    if (is_number && value.is_int64()) assigned_.insert(static_cast<std::size_t>(value.as_int64()));
    if (name == "datums") list(value);
    look(value);
  }
}

void kept_parameters::list(const json::value& variables) {
  const auto* all = variables.if_array();
  if (all == nullptr) return;
  for (std::size_t number = 0; number < all->size(); ++number) {
    const auto* wrapper = (*all)[number].if_object();
    if (wrapper == nullptr || wrapper->size() != 1) continue;
    const auto* fields = wrapper->begin()->value().if_object();
    if (fields != nullptr) numbers_[text_field(*fields, "refname")].push_back(number);
  }
}

bool kept_parameters::is_kept(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found != numbers_.end() && found->second.size() == 1 && !assigned_.contains(found->second.front());
}

// The name and the number stand for one variable, which here are two.
std::optional<std::size_t> kept_parameters::find(std::string_view name) const {
  for (std::size_t place = 0; place < body_.parameters; ++place) {
    const auto number = fmt::format("${}", place + 1);
    const auto own = place < body_.names.size() ? body_.names[place] : std::string_view{};
    if (name != number && (own.empty() || name != own)) continue;
    if (!is_kept(number) || (!own.empty() && !is_kept(own))) return std::nullopt;
    return place;
  }
  return std::nullopt;
}

}  // namespace pgsteer::routing
