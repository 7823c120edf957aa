#include "proxy/client/statements.hpp"

#include <algorithm>

#include "protocol/statement_names.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::size_t overhead = 256;  // of a statement's objects, roughly

}  // namespace

const statement_ref* statement_registry::find(std::uint32_t group, std::uint32_t plan_key,
                                              std::string_view tail) const {
  const auto at = by_key_.find(key{group, plan_key, tail});
  return at == by_key_.end() ? nullptr : &at->second;
}

std::string prepared_statement::tail_as_made() const {
  if (parameters.empty()) return parse_tail;
  std::string tail(text());
  tail.push_back('\0');
  return tail + parameters;
}

const statement_ref& statement_registry::add(std::uint32_t group, std::uint32_t plan_key,
                                             std::string_view tail, routing::classification_ref what) {
  return keep(group, {group, plan_key, tail}, tail, std::move(what));
}

const statement_ref& statement_registry::add_alone(std::uint32_t group, std::string_view tail,
                                                   routing::classification_ref what) {
  constexpr std::uint32_t no_group = 0xFFFFFFFF;
  return keep(group, {no_group, static_cast<std::uint32_t>(next_id_), tail}, tail, std::move(what));
}

const statement_ref& statement_registry::keep(std::uint32_t group, key at, std::string_view tail,
                                              routing::classification_ref what) {
  if (bytes_ > std::max(max_bytes_, sweep_at_)) drop_unused();
  auto s = std::make_shared<prepared_statement>();
  s->id = next_id_++;
  s->server_name = protocol::statement_name_on_server(s->id);
  s->parse_tail = tail;
  s->what = std::move(what);
  bytes_ += tail.size() + overhead;
  s->group = group;
  at.tail = s->parse_tail;
  return by_key_.emplace(at, std::move(s)).first->second;
}

// Statements that no client and no backend refers to; what is in use stays, beyond the limit too.
void statement_registry::drop_unused() {
  std::erase_if(by_key_, [this](const auto& entry) {
    if (entry.second.use_count() > 1) return false;
    bytes_ -= entry.second->parse_tail.size() + overhead;
    return true;
  });
  sweep_at_ = bytes_ + bytes_ / 4;
}

statement_ref backend_statements::oldest(std::uint64_t since) const {
  const use* best = nullptr;
  for (const auto& [id, u] : used_) {
    if (u.last_use <= since && (best == nullptr || u.last_use < best->last_use)) best = &u;
  }
  return best != nullptr ? best->statement : nullptr;
}

}  // namespace pgsteer::proxy
