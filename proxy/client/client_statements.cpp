#include <set>

#include "proxy/client/extended_unit.hpp"

namespace pgsteer::proxy {

const statement_ref* client_statements::find(std::string_view name) const {
  if (name.empty()) return unnamed ? &unnamed : nullptr;
  if (!named) return nullptr;
  const auto at = named->find(name);
  return at == named->end() ? nullptr : &at->second;
}

std::optional<std::string> client_statements::name_of(std::uint64_t id) const {
  if (!named) return std::nullopt;  // the unnamed one goes by no name of the proxy's
  const auto at =
      std::find_if(named->begin(), named->end(), [id](const auto& s) { return s.second->id == id; });
  if (at == named->end()) return std::nullopt;
  return at->first;
}

void client_statements::set(std::string_view name, statement_ref s) {
  if (name.empty()) {
    unnamed = std::move(s);
    return;
  }
  if (!s) {
    if (!named) return;
    const auto at = named->find(name);
    if (at != named->end()) named->erase(at);
    if (named->empty()) named.reset();
    return;
  }
  if (!named) named = std::make_unique<name_map>();
  const auto at = named->find(name);
  if (at != named->end()) {
    at->second = std::move(s);
  } else {
    named->emplace(std::string(name), std::move(s));
  }
}

void client_statements::bind_portal(std::string_view name, statement_ref s) {
  if (!ending) ending = std::make_unique<std::vector<ending_portal>>();
  std::erase_if(*ending, [name](const ending_portal& p) { return p.name == name; });
  constexpr std::size_t most = 100;
  if (s && ending->size() < most) ending->push_back({std::string(name), std::move(s)});
  if (ending->empty()) ending.reset();
}

statement_ref client_statements::ended_by(std::string_view portal) const {
  if (!ending) return nullptr;
  const auto at = std::ranges::find(*ending, portal, &ending_portal::name);
  return at == ending->end() ? nullptr : at->statement;
}

void client_statements::clear() {
  unnamed.reset();
  named.reset();
  ending.reset();
}

void backend_wire::close_doubtful() {
  for (const auto& s : doubtful) {
    prepared.remove(s->id);
    close_after.push_back(s->server_name);
  }
  doubtful.clear();
}

void backend_wire::forget_all(client_statements& names) {
  const auto behind = owed.first_change();
  std::set<std::string_view> given;
  std::set<std::uint64_t> added;
  for (auto at = behind == 0 ? changes.size() : behind - 1; at < changes.size(); ++at) {
    auto& c = changes[at];
    if (c.what == statement_change::kind::backend_added) added.insert(c.before->id);
    if (c.what != statement_change::kind::client_name || c.name.empty()) continue;
    if (given.insert(c.name).second) c.before = nullptr;
  }
  names.forget_named([&](const auto& name) { return given.contains(name); });
  prepared.retain([&](auto id) { return added.contains(id); });
  names_uncertain = false;
  unnamed = 0;
}

void backend_wire::revert(std::uint32_t first, std::uint32_t failed, client_statements& names) {
  while (first != 0 && changes.size() >= first) {
    auto& c = changes.back();
    const bool is_skipped = changes.size() != failed;
    switch (c.what) {
      case statement_change::kind::client_name:
        // A Parse of the unnamed statement that fails leaves none behind.
        names.set(c.name, c.name.empty() && !is_skipped ? nullptr : std::move(c.before));
        if (c.name.empty()) unnamed = 0;
        break;
      case statement_change::kind::backend_added:
        prepared.remove(c.before->id);
        break;
      case statement_change::kind::backend_closed:
        prepared.add(c.before);
        break;
      case statement_change::kind::backend_unnamed:
        unnamed = 0;
        break;
      case statement_change::kind::described:
        break;
    }
    changes.pop_back();
  }
}

}  // namespace pgsteer::proxy
