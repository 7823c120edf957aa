#include "proxy/client/sql_statements.hpp"

#include <algorithm>
#include <utility>

namespace pgsteer::proxy {

namespace {

// Of one session; with more it keeps its backend.
constexpr std::size_t most_statements = 200;
constexpr std::size_t most_bytes = std::size_t{64} << 10;

// Of a text that is one PREPARE; null: of another.
routing::classification_ref prepared_by(std::string_view text, routing::classifier& classifier,
                                        const routing::parse_context& context) {
  const auto& is = classifier.classify(text, context);
  return is->use == routing::statement_use::prepares ? is->part : nullptr;
}

routing::classification_ref on_primary(const routing::classification_ref& is, std::string_view why) {
  if (is == nullptr || is->kind != routing::statement_kind::read) return is;
  auto kept = *is;
  kept.kind = routing::statement_kind::write;
  kept.is_liftable = false;
  kept.reason = why;
  return std::make_shared<const routing::classification>(std::move(kept));
}

}  // namespace

sql_statement_ref sql_statement_pool::intern(std::string_view text, const protocol::settings_ref& settings,
                                             std::uint32_t group) {
  std::string key(reinterpret_cast<const char*>(&group), sizeof group);
  key.append(reinterpret_cast<const char*>(&settings->plan_key), sizeof settings->plan_key).append(text);
  const auto at = by_key_.find(key);
  if (at != by_key_.end()) return at->second;
  if (by_key_.size() >= sweep_at_) {
    std::erase_if(by_key_, [](const auto& entry) { return entry.second.use_count() == 1; });
    sweep_at_ = std::max<std::size_t>(256, by_key_.size() * 2);
  }
  auto made = std::make_shared<const sql_statement>(sql_statement{std::string(text), settings, group});
  return by_key_.emplace(std::move(key), std::move(made)).first->second;
}

sql_statement_ref sql_statements::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

bool sql_statements::has_room(std::size_t text_size) const {
  return by_name_.size() < most_statements && bytes_ + text_size <= most_bytes;
}

bool sql_statements::is_carried() const {
  return std::all_of(by_name_.begin(), by_name_.end(),
                     [](const auto& entry) { return entry.second->is_carried(); });
}

void sql_statements::set(std::string_view name, sql_statement_ref s) {
  erase(name);
  bytes_ += s->text.size();
  by_name_.emplace(name, std::move(s));
}

void sql_statements::erase(std::string_view name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return;
  bytes_ -= at->second->text.size();
  by_name_.erase(at);
}

void erase_from(std::unique_ptr<sql_statements>& all, std::string_view name) {
  if (all == nullptr) return;
  all->erase(name);
  if (all->is_empty()) all.reset();
}

routing::classification_ref executed_statement(std::string_view name, const statements_in_reach& reach,
                                               routing::classifier& classifier,
                                               const routing::parse_context& context) {
  constexpr const char* temporary = "the statement may be about a temporary object";
  if (const auto* s = reach.by_protocol.find(name)) {
    const auto is = classifier.classify((*s)->text(), context);
    return reach.has_temporary ? on_primary(is, temporary) : is;
  }
  if (const auto own = reach.by_sql == nullptr ? nullptr : reach.by_sql->find(name)) {
    auto is = prepared_by(own->text, classifier, context);
    if (!own->is_carried()) return on_primary(is, "the statement was made where it cannot be made again");
    if (reach.has_temporary) return on_primary(is, temporary);
    if (own->settings->plan_key == reach.plan_key) return is;
    return on_primary(is, "the statement was prepared under other settings");
  }
  if (reach.fresh == nullptr) return nullptr;
  const auto is_it = [name](const auto& one) { return one.is_made && one.name == name; };
  const auto at = std::find_if(reach.fresh->begin(), reach.fresh->end(), is_it);
  if (at == reach.fresh->end() || std::find_if(at + 1, reach.fresh->end(), is_it) != reach.fresh->end())
    return nullptr;
  return on_primary(prepared_by(at->text, classifier, context), "the statement was made in this transaction");
}

}  // namespace pgsteer::proxy
