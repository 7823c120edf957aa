#include "routing/route_command.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "routing/decide.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

std::string_view word_of(target where) {
  return where == target::replica ? "replica" : "primary";
}

// A classification without these bits and verbs changes nothing that later statements could see.
bool may_change_session(const classification& is) {
  return is.verb != transaction_verb::none || is.effects.may_set || is.effects.may_pin ||
         is.effects.loads_library || is.effects.calls_c || is.effects.seeds_random ||
         is.effects.names_settings || is.effects.changes_catalog || is.kind == statement_kind::set_local;
}

std::string error_line(std::string_view what) {
  return json::serialize(json::object{{"error", what}});
}

}  // namespace

router::router(std::size_t max_sessions, catalog_source source, std::shared_ptr<const routing_rules> rules)
    : max_sessions_(max_sessions),
      rules_(rules != nullptr ? std::move(rules) : std::make_shared<const routing_rules>()),
      source_(std::move(source)) {
  const std::shared_ptr<const function_lists> lists(rules_, &rules_->functions);
  observed_ = std::make_shared<observed_facts>(lists);
  facts_.use_lists(lists);
  classifier_.use_rules(rules_);
  classifier_.use_facts(observed_);
}

session_model& router::session_named(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    sessions_.splice(sessions_.begin(), sessions_, found->second);
    return found->second->model;
  }
  if (sessions_.size() >= max_sessions_ && !sessions_.empty()) {
    by_name_.erase(sessions_.back().name);
    sessions_.pop_back();
  }
  sessions_.push_front({std::string(name), {}});
  by_name_.emplace(sessions_.front().name, sessions_.begin());
  return sessions_.front().model;
}

routed router::route(std::string_view sql, std::string_view session) {
  auto& model = session_named(session);
  auto is = classifier_.classify(sql, context_of(model));
  if (const auto own = for_settings(
          *is, [&](std::string_view name) { return name == server_version || model.has_set(name); }))
    is = std::make_shared<const classification>(*own);
  auto before = model.view();
  before.reads_may_leave =
      !before.pin.empty() && model.may_read_elsewhere(sql, *is, parser_, temporary_of(model));
  before.wish =
      wish_of_session(model.route().value_or(std::string{}), source_.role, source_.database, *rules_);
  before.splits = splits_transactions(model.transactions().value_or(std::string{}), source_.role,
                                      source_.database, *rules_);
  const auto decided = decide(*is, before);
  routed answer{decided.where, std::string(decided.reason)};
  const bool stays_on_replica = decided.where == target::stay && before.open == block::on_replica;
  if (stays_on_replica) answer.where = target::replica;
  if (answer.where != target::replica) answer.where = target::primary;
  const bool runs_anything = is->effects.may_set && is->effects.may_pin;
  is_catalog_stale_ |= is->effects.changes_catalog || runs_anything;
  if (decided.where == target::move_primary || may_change_session(*is)) {
    follow(sql, decided.where, model);
  }
  return answer;
}

// A statement is over when the next one comes: what it made is in the catalog by then.
parse_context router::context_of(const session_model& model) {
  auto context = model.context();
  if (!source_.load) return context;
  if (is_catalog_stale_) facts_.use(source_.load());
  is_catalog_stale_ = false;
  const auto& path = model.search_path();
  const auto chosen = facts_.of(model.role().value_or(source_.role),
                                path ? std::optional<std::string_view>(*path) : std::nullopt);
  context.known = chosen.known;
  context.facts_number = chosen.number;
  return context;
}

const temporary_names* router::temporary_of(const session_model& model) const {
  if (!facts_.has_catalog()) return nullptr;
  const bool begins_there = !model.search_path() && !model.role();  // "$user" is the role's name
  return begins_there ? &facts_.known()->temporary() : &facts_.known()->temporary_anywhere();
}

void router::follow(std::string_view sql, target where, session_model& model) {
  const auto changes = session_changes(parser_, sql);
  model.apply(where, changes.list);
  if (changes.is_parsed && observed_->learn(parser_.tree())) classifier_.use_facts(observed_);
}

std::string router::text_answer(std::string_view sql) {
  const auto answer = route(sql, {});
  return fmt::format("{}: {}", word_of(answer.where), answer.reason);
}

std::string router::json_answer(std::string_view line) {
  boost::system::error_code error;
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  const auto input = json::parse(line, error, {}, options);
  const auto* object = error ? nullptr : input.if_object();
  if (object == nullptr) return error_line("line is not a JSON object");
  const auto* sql = object->if_contains("sql");
  if (sql == nullptr || !sql->is_string()) return error_line("\"sql\" is missing or not a string");
  const auto* session = object->if_contains("session");
  if (session != nullptr && !session->is_string() && !session->is_null())
    return error_line("\"session\" is not a string");
  const auto name =
      session == nullptr || session->is_null() ? std::string_view{} : view(session->get_string());
  const auto answer = route(view(sql->get_string()), name);
  return json::serialize(json::object{{"target", word_of(answer.where)}, {"reason", answer.reason}});
}

}  // namespace pgsteer::routing
