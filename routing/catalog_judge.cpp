#include "routing/catalog_judge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "routing/builtin_functions.hpp"
#include "routing/function_body.hpp"
#include "routing/name_questions.hpp"
#include "routing/search_path.hpp"
#include "routing/system_relations.hpp"
#include "routing/text_template.hpp"

namespace pgsteer::routing {
namespace {

// Bodies within bodies, each parsed on the same stack; and parsed for one question.
constexpr std::size_t max_depth = 60;
constexpr std::size_t max_bodies = 2000;
constexpr std::size_t max_paths = 1000;

constexpr std::string_view made_as_it_runs = "EXECUTE of a text made as it runs";

enum question_kind : std::uint8_t { of_function, of_relation, of_type, of_row, of_writing, of_defaults };

verdict refuse(std::string reason) {
  verdict answer;
  answer.is_safe = false;
  answer.reason = std::move(reason);
  return answer;
}

verdict too_deep() {
  auto answer = refuse("uses more functions within one another than can be judged");
  answer.is_doubt = true;
  answer.effects.may_set = true;
  answer.effects.may_pin = true;
  return answer;
}

std::string within(std::string_view outer, std::string_view inner) {
  return fmt::format("{}{}{}", outer, inner.starts_with("calls ") ? ", which " : ": ", inner);
}

// The first that is not safe, the effects of all.
void join(verdict& all, verdict&& one) {
  all.effects |= one.effects;
  all.bodies |= one.bodies;
  all.asks |= one.asks;
  all.depends_on_literals |= one.depends_on_literals;
  const bool is_worse = !one.is_safe && (all.is_safe || (all.is_doubt && !one.is_doubt));
  if (!is_worse) return;
  all.is_safe = false;
  all.is_doubt = one.is_doubt;
  all.reason = std::move(one.reason);
}

}  // namespace

catalog_judge::catalog_judge(std::shared_ptr<const catalog> known, std::string role,
                             std::shared_ptr<const function_lists> lists)
    : known_(std::move(known)), role_(std::move(role)), lists_(std::move(lists)) {}

listing catalog_judge::listing_of(const catalog_function& f) const {
  if (lists_ == nullptr || lists_->is_empty()) return listing::none;
  return find_listing(*lists_, known_->written(f));
}

// What was found safe while a question was open may lean on that question's answer. Where that turns out
// bad, all of it is forgotten; a bad answer leans on nothing.
template <class Judge>
verdict catalog_judge::once(question asked, Judge judge) {
  if (const auto found = answers_.find(asked); found != answers_.end()) {
    return found->second.is_open ? verdict{} : found->second.judged;
  }
  if (depth_ >= max_depth) {
    was_cut_ = true;
    return too_deep();
  }
  if (depth_ == 0) {
    bodies_ = 0;
    was_cut_ = false;
  }
  answers_.emplace(asked, answer{});
  const auto before = proven_.size();
  ++depth_;
  auto judged = judge();
  --depth_;
  if (!judged.is_safe) {
    for (auto at = before; at < proven_.size(); ++at)
      answers_.erase(proven_[at]);
    proven_.resize(before);
  } else {
    proven_.push_back(asked);
  }
  if (depth_ == 0) proven_.clear();
  if (was_cut_ && !judged.is_safe && depth_ > 0) {
    answers_.erase(asked);  // another question may get further
  } else {
    answers_.insert_or_assign(asked, answer{false, judged});
  }
  return judged;
}

verdict catalog_judge::function(const catalog_function& f, path_number path) {
  switch (listing_of(f)) {
    case listing::write:
      return refuse(fmt::format("calls {}, listed under routing.functions.write", known_->written(f)));
    case listing::read: {
      verdict word;
      word.bodies.add_unknown();
      return word;
    }
    case listing::none:
      break;
  }
  const bool is_builtin = f.schema == pg_catalog_schema && f.id < first_user_object;
  if (is_builtin) {
    auto judged = builtin_facts().function({{{}, "pg_catalog", f.name}, f.arguments.size, {}});
    if (asks_about_names(f.name)) judged.bodies.add(f.name);
    return judged;
  }
  return once({f.id, path, of_function}, [&] { return judge_function(f, path); });
}

verdict catalog_judge::judge_function(const catalog_function& f, path_number path) {
  const auto& details = known_->details(f);
  if (!details.extension.empty()) {
    if (const auto* known = find_contrib_function(details.extension, f.name))
      return judge_known_function(*known);
  }
  const bool is_alias = f.language == routine_language::internal && !f.source.empty();
  auto alias = is_alias ? judge_alias(f.source, f.arguments.size) : std::nullopt;
  if (alias && !alias->is_safe) {  // a safe one is judged by its declaration, with its types
    alias->reason = within(fmt::format("calls {}", known_->written(f)), alias->reason);
    return *alias;
  }
  const bool is_aggregate = f.kind == 'a' || f.kind == 'w';
  const bool has_body = !is_alias && (details.is_parsed || !f.source.empty() || !details.refusal.empty());
  if (is_aggregate || (f.changes == volatility::immutable && !has_body)) {
    verdict all;
    join(all, judge_uses(f.types, path));
    join(all, judge_uses(details.uses, path));
    if (!all.is_safe) all.reason = within(fmt::format("calls {}", known_->written(f)), all.reason);
    return all;
  }
  auto body = judge_body(f, path);
  if (!body.executed.empty()) {
    body.doubt(made_as_it_runs);
    body.depends_on_literals = true;
  }
  return judge_with(f, path, std::move(body));
}

verdict catalog_judge::judge_with(const catalog_function& f, path_number path, findings body) {
  verdict all;
  join(all, judge_uses(f.types, path));
  const bool is_trusted = f.changes != volatility::changing;
  const bool is_proven = body.reason.empty();
  auto& reason = is_trusted ? body.certain_reason : body.reason;
  verdict own;
  own.is_doubt = body.certain_reason.empty();
  own.is_safe = reason.empty();
  if (!own.is_safe || !is_trusted) own.effects = body.effects;
  if (!own.is_safe && !is_trusted) own.effects.may_set = own.effects.may_pin = true;
  own.effects.reads_custom |= body.effects.reads_custom;
  own.effects.calls_c |= f.language == routine_language::c && !is_trusted;
  own.depends_on_literals = body.depends_on_literals && !own.is_safe;
  if (own.is_safe) {
    own.asks = std::move(body.asks);
    own.bodies = std::move(body.bodies);
    const bool may_find_names = f.changes != volatility::immutable && !known_->details(f).is_parsed;
    if (may_find_names) note_body(f, is_proven, own.bodies);
  }
  own.reason = std::move(reason);
  const bool is_own_doubt = own.is_doubt && !own.is_safe && !own.reason.starts_with("calls ");
  if (is_own_doubt) {
    own.reason = fmt::format("calls {}, volatile; declare it STABLE or list it under routing.functions.read",
                             known_->written(f));
    join(all, std::move(own));
    return all;
  }
  join(all, std::move(own));
  if (!all.is_safe) all.reason = within(fmt::format("calls {}", known_->written(f)), all.reason);
  return all;
}

verdict catalog_judge::defaults(const catalog_function& f, path_number path) {
  const auto& details = known_->details(f);
  if (details.default_uses.size == 0 && details.default_refusal.empty()) return {};
  return once({f.id, path, of_defaults}, [&] { return judge_defaults(f, path); });
}

verdict catalog_judge::judge_defaults(const catalog_function& f, path_number path) {
  const auto& details = known_->details(f);
  verdict all;
  if (!details.default_refusal.empty()) all = refuse(std::string(details.default_refusal));
  join(all, judge_uses(details.default_uses, path));
  if (!all.is_safe)
    all.reason = within(fmt::format("calls {} with a default", known_->written(f)), all.reason);
  return all;
}

verdict catalog_judge::call(const catalog_function& f, path_number path, std::size_t given,
                            std::span<const argument_type> arguments) {
  auto judged = function(f, path);
  if (given < f.arguments.size) join(judged, defaults(f, path));
  if (!judged.is_safe && given == arguments.size() && depth_ == 0 && runs_its_arguments(f)) {
    const executed_texts run{verdict{}, texts_of(f), path};
    if (takes_texts(f, arguments, run.texts)) {
      auto made = judge_executed(run, arguments);
      made.depends_on_literals = true;
      if (!made.is_safe) made.reason = within(fmt::format("calls {}", known_->written(f)), made.reason);
      return made;
    }
  }
  const bool is_believed =
      judged.is_safe && f.changes != volatility::changing && listing_of(f) == listing::none;
  const bool may_execute = (is_believed || (!judged.is_safe && judged.depends_on_literals)) && depth_ == 0 &&
                           f.language == routine_language::plpgsql && !f.mixes_outputs && !f.is_variadic;
  if (!may_execute || arguments.size() != f.arguments.size) return judged;
  const auto& executed = executed_by(f, path);
  if (executed.texts.empty() || !takes_texts(f, arguments, executed.texts)) return judged;
  auto all = is_believed ? judged : executed.rest;
  auto made = judge_executed(executed, arguments);
  if (is_believed && made.is_doubt) made = {};  // what is known to be wrong counts alone
  if (!made.is_safe) made.reason = within(fmt::format("calls {}", known_->written(f)), made.reason);
  join(all, std::move(made));
  all.depends_on_literals = true;
  return all;
}

// crosstab('SELECT …') and its kin read what their queries read.
// https://www.postgresql.org/docs/15/tablefunc.html
bool catalog_judge::runs_its_arguments(const catalog_function& f) const {
  return known_->details(f).extension == "tablefunc" && f.name.starts_with("crosstab") &&
         listing_of(f) == listing::none;
}

// Each argument of type text, as it is.
std::vector<text_template> catalog_judge::texts_of(const catalog_function& f) const {
  std::vector<text_template> all;
  const auto types = known_->ids(f.arguments);
  for (std::size_t at = 0; at < types.size(); ++at) {
    if (types[at] == text_type) all.push_back({{text_piece::kind::plain, {}, at}});
  }
  return all;
}

// Asked when nothing else is: what is judged meanwhile leans on no open question, and where the function
// calls itself, on what is known of it by now.
const catalog_judge::executed_texts& catalog_judge::executed_by(const catalog_function& f, path_number path) {
  const question asked{f.id, path, of_function};
  if (const auto found = executed_.find(asked); found != executed_.end()) return found->second;
  executed_texts made;
  bodies_ = 0;
  was_cut_ = false;
  ++depth_;
  auto body = judge_body(f, path);
  made.texts = std::exchange(body.executed, {});
  made.rest = judge_with(f, path, std::move(body));
  made.path = inner_path(f, path);
  --depth_;
  proven_.clear();
  return executed_.insert_or_assign(asked, std::move(made)).first->second;
}

// A value of another type may be written in another way than the constant it is made of.
bool catalog_judge::takes_texts(const catalog_function& f, std::span<const argument_type> arguments,
                                const std::vector<text_template>& texts) const {
  const auto types = known_->ids(f.arguments);
  return std::ranges::all_of(texts, [&](const text_template& text) {
    return std::ranges::all_of(text, [&](const text_piece& piece) {
      const auto at = piece.parameter;
      return piece.is == text_piece::kind::constant ||
             (at < arguments.size() && types[at] == text_type && arguments[at].constant);
    });
  });
}

verdict catalog_judge::judge_executed(const executed_texts& executed,
                                      std::span<const argument_type> arguments) {
  verdict all;
  const names_in_path names(*this, executed.path);
  ++depth_;
  for (const auto& text : executed.texts) {
    const auto made = fill(text, [&](std::size_t at) { return *arguments[at].constant; });
    auto found = judge_sql_body(made, names);
    verdict one;
    one.is_safe = found.reason.empty();
    one.is_doubt = found.certain_reason.empty();
    one.effects = found.effects;
    one.effects.may_set = one.effects.may_pin = !one.is_safe;
    one.asks = std::move(found.asks);
    one.bodies = std::move(found.bodies);
    one.bodies.add(made);
    one.reason = std::move(found.reason);
    join(all, std::move(one));
  }
  --depth_;
  proven_.clear();
  return all;
}

// What is not proven may make its names as it runs.
void catalog_judge::note_body(const catalog_function& f, bool is_proven, called_bodies& bodies) {
  const bool has_text = f.language == routine_language::sql || f.language == routine_language::plpgsql;
  if (!is_proven || f.source.empty() || !has_text) {
    bodies.add_unknown();
  } else {
    bodies.add(f.source);
  }
}

// A body's text is read by the function's own search_path, and by its owner where it runs as that.
path_number catalog_judge::inner_path(const catalog_function& f, path_number path) {
  const auto& details = known_->details(f);
  const auto role = details.owner.empty() ? std::string_view(paths_[path].role) : details.owner;
  const bool is_other = details.has_search_path || role != paths_[path].role;
  const auto text = details.has_search_path ? std::string(details.search_path) : paths_[path].text;
  return is_other ? this->path(text, role) : path;
}

findings catalog_judge::judge_body(const catalog_function& f, path_number path, bool is_trigger) {
  const auto& details = known_->details(f);
  findings found;
  if (!details.refusal.empty()) {
    found.refuse(details.refusal);
    return found;
  }
  const auto inner = inner_path(f, path);
  if (details.is_parsed) {
    found.take(judge_uses(details.uses, inner));
    return found;
  }
  was_cut_ |= ++bodies_ > max_bodies;
  if (f.source.empty() || bodies_ > max_bodies || paths_.size() > max_paths) {
    found.doubt_code("a body that is not known");
    return found;
  }
  const names_in_path names(*this, inner);
  if (f.language == routine_language::sql) return judge_sql_body(f.source, names);
  if (f.language != routine_language::plpgsql) {
    found.doubt_code("a body in another language");
    return found;
  }
  plpgsql_body body;
  body.source = f.source;
  body.names.assign(details.names.begin(), details.names.end());
  body.parameters = std::max<std::size_t>(f.arguments.size, details.names.size());
  body.returns_set = f.returns_set;
  body.returns_nothing = f.returns_nothing;
  body.is_trigger = is_trigger;
  return judge_plpgsql_body(body, names);
}

verdict catalog_judge::operation(const catalog_operator& o, path_number path) {
  auto judged = judge_reference({object_kind::function, o.function}, path);
  if (!judged.is_safe) judged.reason = fmt::format("uses operator {}: {}", o.name, judged.reason);
  return judged;
}

verdict catalog_judge::relation(const catalog_relation& r, path_number path) {
  return once({r.id, path, of_relation}, [&] { return judge_relation(r, path); });
}

verdict catalog_judge::judge_relation(const catalog_relation& r, path_number path) {
  const auto* home = known_->schema(r.schema);
  const auto schema = home == nullptr ? std::string_view{} : home->name;
  if (schema == "information_schema" || (r.schema == pg_catalog_schema && r.id < first_user_object)) {
    const auto system = judge_system_relation(schema, r.name);
    if (system && system->is_safe) {
      verdict safe;
      if (asks_about_names(r.name) || asks_about_names(schema)) safe.bodies.add_unknown();
      return safe;
    }
    auto local = refuse(fmt::format("relation {} {}", r.name, system ? system->reason : "is not known"));
    local.is_local = system && system->is_local;
    local.shared = shared_columns(schema, r.name);
    local.effects.lists_prepared = r.name == "pg_prepared_statements";
    return local;
  }
  const auto name = known_->written(r);
  if (r.persistence == 't') return refuse(fmt::format("relation {} is temporary", name));
  if (r.kind == 'S')
    return refuse(fmt::format("relation {} is a sequence, which a replica has at another value", name));
  if (r.kind == 'f') return refuse(fmt::format("relation {} is a foreign table", name));
  if (r.persistence == 'u')
    return refuse(fmt::format("relation {} is unlogged, which a standby does not have", name));
  verdict all;
  if (!r.refusal.empty()) all = refuse(std::string(r.refusal));
  for (const auto& use : known_->references(r.uses))
    join(all, judge_reference(use, path));
  if (!all.is_safe)
    all.reason = within(fmt::format("{} {}", r.kind == 'v' ? "view" : "relation", name), all.reason);
  return all;
}

verdict catalog_judge::written(const catalog_relation& r, path_number path) {
  return once({r.id, path, of_writing}, [&] { return judge_written(r, path); });
}

// Stored values passed their domain's checks when they were made.
verdict catalog_judge::judge_stored(const reference& use, path_number path) {
  const auto* t = known_->type(use.id);
  if (t == nullptr || (t->kind != 'd' && t->element == 0))
    return judge_reference({object_kind::type, use.id}, path);
  verdict all;
  for (const auto& part : known_->references(t->uses)) {
    if (part.kind == object_kind::type) join(all, judge_stored(part, path));
  }
  return all;
}

verdict catalog_judge::type(const catalog_type& t, path_number path) {
  if (t.uses.size == 0) return {};
  return once({t.id, path, of_type}, [&] {
    auto all = judge_uses(t.uses, path);
    if (!all.is_safe) all.reason = within(fmt::format("type {}", known_->written(t)), all.reason);
    return all;
  });
}

verdict catalog_judge::row(const catalog_relation& r, path_number path) {
  return once({r.id, path, of_row}, [&] {
    verdict all;
    for (const auto& use : known_->references(r.uses)) {
      if (use.kind == object_kind::stored_type) join(all, judge_reference({object_kind::type, use.id}, path));
    }
    return all;
  });
}

verdict catalog_judge::judge_uses(slice uses, path_number path) {
  verdict all;
  for (const auto& use : known_->references(uses))
    join(all, judge_reference(use, path));
  return all;
}

verdict catalog_judge::judge_reference(const reference& use, path_number path) {
  switch (use.kind) {
    case object_kind::setting:
      return ask_setting(known_->setting(use.id));
    case object_kind::trigger:  // see written()
      return {};
    case object_kind::stored_type:
      return judge_stored(use, path);
    case object_kind::function:
      if (const auto* f = known_->function(use.id)) {
        auto judged = function(*f, path);
        join(judged, defaults(*f, path));  // how many arguments are given is not told
        return judged;
      }
      return refuse("calls a function that is not in the catalog");
    case object_kind::operation:
      if (const auto* o = known_->operation(use.id)) return operation(*o, path);
      return {};
    case object_kind::relation:
      if (const auto* r = known_->relation(use.id))
        return r->kind == 'c' ? row(*r, path) : relation(*r, path);
      return refuse("reads a relation that is not in the catalog");
    case object_kind::type:
      if (const auto* t = known_->type(use.id)) {
        auto judged = type(*t, path);
        if (asks_about_names(t->name)) judged.bodies.add(t->name);
        return judged;
      }
      if (const auto* r = known_->relation_of_row_type(use.id)) return row(*r, path);
      return {};  // an array of a table's rows
  }
  return {};
}

path_number catalog_judge::path(std::string_view search_path, std::string_view role) {
  const auto whose = role.empty() ? std::string_view(role_) : role;
  for (path_number at = 0; at < paths_.size(); ++at) {
    if (paths_[at].text == search_path && paths_[at].role == whose) return at;
  }
  search made{std::string(search_path), std::string(whose), {}};
  for (const auto& name : split_search_path(search_path)) {
    const auto* found = known_->schema(name == "$user" ? whose : std::string_view(name));
    if (found != nullptr && std::ranges::find(made.schemas, found->id) == made.schemas.end())
      made.schemas.push_back(found->id);
  }
  if (std::ranges::find(made.schemas, pg_catalog_schema) == made.schemas.end())
    made.schemas.insert(made.schemas.begin(), pg_catalog_schema);
  paths_.push_back(std::move(made));
  return static_cast<path_number>(paths_.size() - 1);
}

bool catalog_judge::may_use(object_id schema) const {
  const auto* known = known_->schema(schema);
  return known != nullptr && (known->is_public || known->owner == role_ || known_->is_superuser(role_));
}

}  // namespace pgsteer::routing
